"""What policy gradients do with episodes that teach nothing, with a reference, and with log-probs that should be the sampler's."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from maestro.policy.local import LocalPolicy
from maestro.reward import RewardRule
from maestro.rollout.record import read_episodes
from maestro.train.config.run import GrpoStage
from maestro.train.folder.layout import read_metrics
from maestro.train.grpo.steps import Steps
from maestro.train.rows import RowWriter
from maestro.train.run import train
from maestro.train.warm_start.traces import TraceWriter
from maestro.types import Episode, Reward, Task
from tests.train.test_run import config, materials

GRPO = {"kind": "grpo", "prompts": 2, "members": 4, "micro_batch": 4, "optimizer": {"lr": 0.003, "warmup_steps": 0}}


def steps(run: Path) -> list[dict[str, Any]]:
    return [record for record in read_metrics(run / "metrics.jsonl") if record["kind"] == "step"]


@pytest.mark.slow
def test_the_reference_is_the_policy_the_stage_began_with_and_the_trainer_sees_what_was_sampled(speaking: Path, tmp_path: Path) -> None:
    """Two stages: the first one moves the policy, the second measures KL from where that ended, sampling at another temperature."""
    stages = [{**GRPO, "steps": 2}, {**GRPO, "steps": 3, "beta": 0.05, "temperature": 0.7}]
    settings = config(policy={"load": str(speaking)}, stages=stages, validation={"every": 100})
    train(settings, materials(), tmp_path / "run")
    first, second = ([one for one in steps(tmp_path / "run") if one["stage"] == place] for place in (0, 1))
    assert "kl" not in first[0]
    assert second[0]["kl"] == pytest.approx(0.0, abs=1e-6)
    assert second[2]["kl"] > 1e-6
    assert all(one["drift"] < 1e-3 for one in [*first, *second])


def test_a_step_without_any_signal_changes_nothing(world: tuple[LocalPolicy, TraceWriter, RowWriter]) -> None:
    """Not even by the optimiser's momentum or weight decay."""
    model = world[0].model
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    rollout = SimpleNamespace(numbers={"signal": {"trained": 8}})
    callback = Steps(SimpleNamespace(policy=world[0]), GrpoStage(), rollout, optimizer, None)  # type: ignore[arg-type]
    weight = next(model.parameters())
    before = weight.detach().clone()

    def update() -> None:
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        callback.on_pre_optimizer_step()
        optimizer.step()

    rollout.numbers["signal"]["trained"] = 0
    update()
    assert torch.equal(weight, before)
    rollout.numbers["signal"]["trained"] = 8
    update()
    assert not torch.equal(weight, before)
    with torch.no_grad():
        weight.copy_(before)
    optimizer.zero_grad(set_to_none=True)


def test_a_second_pass_over_the_same_episodes_does_not_count_them_again(speaking: Path, tmp_path: Path) -> None:
    stages = [{**GRPO, "steps": 4, "iterations": 2}]
    settings = config(policy={"load": str(speaking)}, stages=stages, validation={"every": 100}, alarms={"window": 2})
    train(settings, materials(), tmp_path / "run")
    found = steps(tmp_path / "run")
    assert [("episodes" in one, "signal" in one, "loss" in one) for one in found] == [(True,) * 3, (False, False, True)] * 2
    assert sum(one["signal"]["drawn"] for one in found if "signal" in one) == len(
        (tmp_path / "run" / "episodes.jsonl").read_bytes().splitlines()
    )


class Broken(RewardRule):
    """Gives every fifth episode a reward that is no number, as a scorer of the user's may."""

    async def scored_off_loop(self, task: Task, episode: Episode) -> Episode:
        scored = await super().scored_off_loop(task, episode)
        assert scored.reward is not None
        terms = {**scored.reward.terms, "outcome": float("nan")}
        bad = (episode.sample + len(task.id)) % 5 == 0
        return scored.model_copy(update={"reward": Reward(terms=terms, weights=scored.reward.weights)}) if bad else scored


@pytest.mark.slow
def test_rewards_that_are_no_numbers_are_masked_counted_and_told_of_and_the_run_goes_on(speaking: Path, tmp_path: Path) -> None:
    settings = config(policy={"load": str(speaking)}, stages=[{**GRPO, "steps": 2}], validation={"every": 1})
    train(settings.model_copy(update={"reward": Broken()}), materials(), tmp_path / "run")
    found = list(read_metrics(tmp_path / "run" / "metrics.jsonl"))
    taught = [record for record in found if record["kind"] == "step"]
    assert len(taught) == 2
    assert all(one["unscored"] == one["signal"]["masked"]["untrainable"] > 0 for one in taught)
    assert all(math.isfinite(one["reward"]) and one["signal"]["trained"] == 8 - one["unscored"] for one in taught)
    assert all(math.isfinite(record["greedy"]["utility"]) for record in found if record["kind"] == "validation")
    assert "unscored" in {record["alarm"] for record in found if record["kind"] == "alarm"}
    episodes = list(read_episodes(tmp_path / "run" / "episodes.jsonl"))
    assert sum(one.reward is None for one in episodes) == sum(one["unscored"] for one in taught)
    assert all("outcome nan" in (one.error or "") for one in episodes if one.reward is None)
