"""The recipe `maestro-4b`, two steps of it, on a tiny checkpoint in the same format and served experts on a loopback server."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from maestro.config import load_config
from maestro.images import ImageStore
from maestro.policy.loading import load_policy
from maestro.policy.local import LocalPolicy
from maestro.policy.tokens import audit_placeholders
from maestro.registry.registry import Registry
from maestro.train.config.run import TrainConfig
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.resampling import Drawn
from maestro.train.folder.layout import read_metrics
from maestro.train.grpo import stage as grpo
from maestro.train.materials import load_materials
from maestro.train.run import train
from maestro.types import Call, Episode
from tests.train.planner import experts

RECIPES = Path(__file__).parents[2] / "recipes"
pytestmark = pytest.mark.slow


def overrides(planner: Path, rows: Path) -> list[str]:
    """What a machine without a graphics card changes of the recipe; everything else stays."""
    stage = ["steps=2", "prompts=1", "members=4", "micro_batch=2", "optimizer.lr=0.001"]
    speech = ["max_new_tokens=48", "max_tokens=2048", "observation_tokens=64"]
    return [
        f"policy.load={planner}",
        f"tasks.source={rows}",
        "compute.device=cpu",
        "result=last",
        "validation.every=2",
        "tasks.validation_limit=1",
        "checkpoint.every=1",
        *(f"stages.0.{one}" for one in stage),
        *(f"policy.speech.{one}" for one in speech),
    ]


def run(recipe: str, planner: Path, rows: Path, folder: Path, *more: str, resume: bool = False) -> Path:
    config = load_config(TrainConfig, RECIPES / recipe, [*overrides(planner, rows), *more]).located()
    loaded = load_materials(config, ImageStore())
    with asyncio.Runner() as runner:
        try:
            return train(config, loaded.materials, folder, resume=resume, runner=runner)
        finally:
            runner.run(loaded.close())


@pytest.fixture(scope="module")
def kept() -> list[tuple[Episode, dict[str, list[object]]]]:
    return []


@pytest.fixture(scope="module")
def trained(
    planner: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory, kept: list[tuple[Episode, dict[str, list[object]]]]
) -> Path:
    """The finished run; `kept` gets every episode that was trained on, with the row that TRL got of it."""
    plain = grpo.draw_step

    def noting(*arguments: Any, **options: Any) -> Drawn:
        drawn = plain(*arguments, **options)
        rows = grpo.rows_for_trl(drawn.members, drawn.trained(SignalConfig()))
        for index, episode in enumerate(drawn.members):
            kept.append((episode, {name: [column[index]] for name, column in rows.items()}))
        return drawn

    with pytest.MonkeyPatch.context() as patch, experts() as (servers, environment):
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(grpo, "draw_step", noting)
        folder = tmp_path_factory.mktemp("run") / "run"
        run("maestro_4b.yaml", planner, rows, folder)
        assert sum(len(server.asked) for server in servers) > 0, "no expert was asked"
    return folder


def test_two_steps_change_the_weights_by_rewards_from_served_experts(trained: Path, planner: Path) -> None:
    steps = [record for record in read_metrics(trained / "metrics.jsonl") if record["kind"] == "step"]
    assert [record["step"] for record in steps] == [1, 2]
    assert all(record["broken"] == 0 and record["calls"] > 0 for record in steps)
    assert max(record["grad_norm"] for record in steps) > 0
    before, after = load_file(planner / "model.safetensors"), load_file(trained / "policy" / "model.safetensors")
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)


def test_what_is_trained_is_what_was_sampled_thoughts_included(kept: list[tuple[Episode, dict[str, list[object]]]], trained: Path) -> None:
    policy = LocalPolicy.load(trained / "policy", ImageStore())
    several = 0
    for episode, row in kept:
        tokens = episode.tokens
        assert tokens is not None
        assert tokens.untrainable is None
        assert row["completion_ids"] == [list(tokens.completion_ids)]
        assert row["env_mask"] == [list(tokens.mask)]
        sampled = [number for turn in episode.turns for number in turn.decision.token_ids]
        assert sampled == [number for number, mine in zip(tokens.completion_ids, tokens.mask, strict=True) if mine]
        several += len([turn for turn in episode.turns if isinstance(turn.action, Call)]) > 0 and len(episode.turns) > 1
    assert several > 0
    # The audit bites: the checkpoint's template, asked to render the history again, would drop the thoughts.
    episode = next(one for one, _ in kept if len(one.turns) > 1 and "</think>" in one.turns[1].decision.text)
    told = [{"role": "user", "content": "q"}]
    for turn in episode.turns:
        told += [{"role": "assistant", "content": turn.decision.text}, {"role": "user", "content": "<information></information>"}]
    rendered = policy.processor.apply_chat_template(told, tokenize=False)
    assert "</think>" in policy.codec.decode(episode.tokens.completion_ids if episode.tokens else ())
    assert "</think>" not in rendered


def test_every_row_has_as_many_placeholders_as_its_picture_has_features(
    kept: list[tuple[Episode, dict[str, list[object]]]], trained: Path, rows: Path
) -> None:
    from maestro.tasks.opening import task_source

    images = ImageStore()
    policy = LocalPolicy.load(trained / "policy", images)
    tasks = {task.id: task for task in task_source(str(rows)).load("train", None, images)}
    for episode, _ in kept:
        assert episode.tokens is not None
        counts = [policy.encoder.encode(name).tokens for name in tasks[episode.task_id].images]
        audit_placeholders(episode.tokens.prompt_ids, policy.model.config.image_token_id, counts)
        audit_placeholders(episode.tokens.completion_ids, policy.model.config.image_token_id, [])


def test_the_policy_handed_over_is_loaded_as_it_was_trained(trained: Path) -> None:
    said = json.loads((trained / "policy" / "maestro.json").read_bytes())
    assert said == {"dialect": "maestro-4b", "history": "whole", "max_new_tokens": 48, "max_tokens": 2048, "observation_tokens": 64}
    policy = load_policy(str(trained), Registry.load("maestro").menu(), ImageStore())
    assert isinstance(policy, LocalPolicy)
    assert (policy.dialect.history, policy.max_tokens) == ("whole", 2048)  # type: ignore[attr-defined]
    other = load_policy(f"{trained}?history=original", Registry.load("maestro").menu(), ImageStore())
    assert other.dialect.history == "original"  # type: ignore[attr-defined]


def test_adapters_are_merged_in_what_is_handed_over_and_a_run_with_them_goes_on_where_it_was(
    planner: Path, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with experts() as (_, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        run("maestro_4b_lora.yaml", planner, rows, tmp_path / "run", "policy.lora.rank=4")
        whole = (tmp_path / "run" / "policy" / "model.safetensors").read_bytes()
        shutil.rmtree(tmp_path / "run" / "policy")
        shutil.rmtree(tmp_path / "run" / "checkpoints" / "00-00000002")  # as if killed behind the first step
        run("maestro_4b_lora.yaml", planner, rows, tmp_path / "run", "policy.lora.rank=4", resume=True)
        assert (tmp_path / "run" / "policy" / "model.safetensors").read_bytes() == whole
    before, after = load_file(planner / "model.safetensors"), load_file(tmp_path / "run" / "policy" / "model.safetensors")
    assert before.keys() == after.keys()
    changed = {name.rsplit(".", 2)[1] for name in before if not torch.equal(before[name].to(after[name].dtype), after[name])}
    assert changed
    assert changed <= {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert not (tmp_path / "run" / "policy" / "adapter").exists()
    last = max(path for path in (tmp_path / "run" / "checkpoints").iterdir() if path.name[:1].isdigit())
    assert (last / "adapter" / "adapter_model.safetensors").is_file()
