"""Training on varied registries and told budgets: the policy reads what it meets, groups meet the same, a resumed run too."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from maestro.images import ImageStore
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.encounters import encounter
from maestro.train.episodes.resampling import Drawn
from maestro.train.episodes.step_numbers import step_numbers
from maestro.train.run import train
from maestro.types import Call, Decision, Episode, Observation, StopReason, Turn
from tests.train.test_resume import CutsPower, PowerCut, weights
from tests.train.test_run import config, materials
from tests.train.toy import EXPERTS, menu, scenes

VARIED = {"share": 1.0, "exchanged": 1.0, "renamed": 0.5, "expert_out": 0.3, "skill_out": 0.2, "copied": 0.5}


def settings(speaking: Path, **changes):
    stages = [
        {"kind": "expert_iteration", "rounds": 1, "tasks_per_round": 4, "members": 4, "batch": 4, "micro_batch": 2, "floor": -99},
        {"kind": "grpo", "steps": 4, "prompts": 2, "members": 4, "micro_batch": 4, "stratified": 0.5},
    ]
    return config(
        policy={"load": str(speaking)},
        stages=stages,
        ensemble={"variation": VARIED},
        dial={"low": 2, "high": 200, "usual": 0.2},
        **changes,
    )


def episodes(run: Path) -> list[Episode]:
    return [Episode.model_validate(orjson.loads(line)) for line in (run / "episodes.jsonl").read_bytes().splitlines()]


def test_a_task_is_met_alike_by_its_group_and_otherwise_at_another_step():
    task = scenes(1, "train", ImageStore())[0].task
    chosen = config(ensemble={"variation": VARIED}, dial={"low": 2, "high": 200})
    first = encounter(chosen, menu(), 0, 1, task)
    assert first == encounter(chosen, menu(), 0, 1, task)
    others = [encounter(chosen, menu(), 0, turn, task) for turn in range(2, 12)]
    assert all(other.variation != first.variation for other in others)
    assert len({other.cost_weight for other in others}) > 5
    assert all(2 <= other.cost_weight <= 200 for other in others)


def test_a_plain_config_meets_the_registry_as_it_is():
    task = scenes(1, "train", ImageStore())[0].task
    met = encounter(config(), menu(), 0, 1, task)
    assert (met.cost_weight, met.variation) == (None, None)


def test_a_dial_the_wrong_way_round_is_refused():
    with pytest.raises(ValueError, match="below"):
        config(dial={"low": 20, "high": 2})


def test_training_meets_varied_registries_and_told_budgets(speaking: Path, tmp_path: Path) -> None:
    chosen, run = settings(speaking), tmp_path / "run"
    train(chosen, materials(), run)
    ran = episodes(run)
    varied = [episode for episode in ran if episode.registry.endswith("~varied")]
    assert len(varied) == len(ran)
    groups: dict[tuple[str, int], list[Episode]] = {}
    for episode in ran[16:]:  # of the policy-gradient stage
        groups.setdefault((episode.task_id, episode.sample // 4), []).append(episode)
    assert len(groups) == 8
    for members in groups.values():
        assert len({member.reward.weights["cost"] for member in members}) == 1
    assert len({member.reward.weights["cost"] for member in ran}) > 3
    asked = {turn.action.expert for episode in ran for turn in episode.turns if isinstance(turn.action, Call)}
    assert asked - set(EXPERTS), "nobody was met under a made-up id"


def test_calls_are_counted_under_the_ids_of_the_registry():
    task = scenes(1, "train", ImageStore())[0].task
    met = encounter(config(ensemble={"variation": {**VARIED, "renamed": 1.0}}), menu(), 0, 1, task)
    expert, skill = met.variation.menu.pairs[0]
    made = Turn(decision=Decision(text=""), action=Call(expert=expert, skill=skill))
    off_menu = Turn(decision=Decision(text=""), action=Call(expert="nobody", skill=skill))
    episode = Episode(task_id=task.id, turns=(made, off_menu), stop=StopReason.TURN_LIMIT, policy="p", registry="r")
    seen = met.original(episode)
    assert seen.calls[0] == Call(expert=met.variation.experts[expert], skill=met.variation.skills[skill])
    assert seen.turns[1] == off_menu


def test_a_run_taken_up_again_meets_the_same(speaking: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(settings(speaking), materials(), whole)
    with pytest.raises(PowerCut):
        train(settings(speaking), materials(), cut, progress=CutsPower(6))
    train(settings(speaking), materials(), cut, resume=True)
    assert weights(cut / "policy") == weights(whole / "policy")
    assert [episode.model_dump(exclude={"latency_seconds", "turns"}) for episode in episodes(cut)] == [
        episode.model_dump(exclude={"latency_seconds", "turns"}) for episode in episodes(whole)
    ]


def test_faults_behind_varied_menus_are_counted_by_the_experts_of_the_registry():
    """The alarm names who is down; an id that was made up, or given to another, would send one to the wrong machine."""
    chosen, task = config(ensemble={"variation": {**VARIED, "renamed": 1.0}}), scenes(1, "train", ImageStore())[0].task
    met = encounter(chosen, menu(), 0, 1, task)
    expert, skill = met.variation.menu.pairs[0]
    turn = Turn(
        decision=Decision(text=""),
        action=Call(expert=expert, skill=skill),
        observation=Observation(text="no route", status="expert_error"),
    )
    broken = Episode(
        task_id=task.id, turns=(turn,), stop=StopReason.INFRASTRUCTURE, policy="p", registry="r", error="perform: expert_error: no route"
    )
    numbers = step_numbers(chosen, menu(), None, Drawn([task], [[broken]], replaced=[broken]), (0, 1), SignalConfig())
    assert numbers["faults"]["experts"] == {met.variation.experts[expert]: 2}
    assert numbers["signal"]["drawn"] == 2
