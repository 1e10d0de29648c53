"""Who is out when, what a call to them comes to, and that a plan of outages follows from the step alone."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from pydantic import ValidationError

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.scripted import ScriptedPolicy
from maestro.reward import RewardRule
from maestro.rollout.episode import run_episode
from maestro.rollout.outage import OutageEnsemble
from maestro.rollout.rerouting import ReroutingEnsemble, told_unavailable
from maestro.train.config.outages import OutageConfig, OutageWindow
from maestro.train.episodes.outages import check_outages, experts_out, under_outages
from maestro.train.episodes.signal import fault_counts
from maestro.types import Answer, Call, ChildCall, Observation, StopReason, Task
from tests.train.toy import EXPERTS, ToyEnsemble, menu, scenes

NAMES = list(EXPERTS)


def test_a_window_takes_its_share_from_its_first_step_up_to_its_end() -> None:
    config = OutageConfig(windows=(OutageWindow(start=3, end=6, share=0.4),))
    at = [experts_out(config, NAMES, 1, 0, step) for step in range(8)]
    assert [len(out) for out in at] == [0, 0, 0, 2, 2, 2, 0, 0]
    assert len(set(at[3:6])) == 1
    assert experts_out(config, NAMES[::-1], 1, 0, 4) == at[4]  # the order of the menu does not matter
    only = OutageConfig(windows=(OutageWindow(start=0, end=9, experts=("full-ocr",), stage=1),))
    assert experts_out(only, NAMES, 1, 0, 2) == frozenset()
    assert experts_out(only, NAMES, 1, 1, 2) == {"full-ocr"}


def test_random_outages_take_their_share_of_the_time_in_stretches() -> None:
    config = OutageConfig.model_validate({"random": {"share": 0.3, "steps": 5}})
    at = [experts_out(config, NAMES, 1, 0, step) for step in range(1500)]
    assert at == [experts_out(config, NAMES, 1, 0, step) for step in range(1500)]
    shares = Counter(name for out in at for name in out)
    assert all(0.22 < shares[name] / 1500 < 0.38 for name in NAMES)
    changes = sum(("full-ocr" in before) != ("full-ocr" in after) for before, after in pairwise(at))
    assert changes < 1500 / 5
    assert len({frozenset(out) for out in at}) > 10  # the experts do not go out together


def test_an_outage_that_cannot_be_is_an_error() -> None:
    with pytest.raises(ValidationError, match="must end after it"):
        OutageWindow(start=4, end=4)
    with pytest.raises(ConfigError, match="names nobody; the experts are cheap-eye"):
        check_outages(OutageConfig(windows=(OutageWindow(start=0, end=1, experts=("nobody",)),)), menu())


async def test_a_call_to_an_expert_that_is_out_fails_and_others_go_through() -> None:
    known = scenes(5, "train", ImageStore())
    out = OutageEnsemble(ToyEnsemble.over(known), frozenset({"full-ocr"}))
    task = known[0].task
    assert (await out.perform(Call(expert="full-ocr", skill="read"), task, 1.0)).status == "expert_error"
    assert (await out.perform(Call(expert="page-ocr", skill="read"), task, 1.0)).status == "ok"
    assert (await out.perform(Call(expert="full-ocr", skill="count"), task, 1.0)).status == "policy_error"


class Helped:
    """An ensemble whose skill asks a second expert."""

    menu, name = menu(), "helped"

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        return Observation(text="answer: 1", children=(ChildCall(expert="page-ocr", skill=call.skill),))


async def test_a_call_whose_skill_needs_an_expert_that_is_out_fails_too() -> None:
    out = OutageEnsemble(Helped(), frozenset({"page-ocr"}))
    seen = await out.perform(Call(expert="full-ocr", skill="read"), Task(id="t", question="?"), 1.0)
    assert seen.status == "expert_error"
    assert "page-ocr is out" in seen.text


async def test_the_trainer_is_told_and_the_episode_ends_or_the_policy_is_told_and_asks_another() -> None:
    known = scenes(5, "train", ImageStore())
    task, actions = known[0].task, [Call(expert="full-ocr", skill="read"), Call(expert="page-ocr", skill="read"), Answer(text="7")]
    policy = ScriptedPolicy([MaestroDialect().write(action) for action in actions])
    config = OutageConfig(windows=(OutageWindow(start=0, end=1, experts=("full-ocr",)),))
    out = experts_out(config, NAMES, 1, 0, 0)
    lost = await run_episode(task, policy, under_outages(ToyEnsemble.over(known), config, out))
    assert (lost.stop, len(lost.turns)) == (StopReason.INFRASTRUCTURE, 1)
    assert fault_counts([lost])["experts"] == {"full-ocr": 1}

    telling = config.model_copy(update={"told": "policy"})
    found = await run_episode(task, policy, under_outages(ToyEnsemble.over(known), telling, out))
    assert (found.stop, found.answer, len(found.turns)) == (StopReason.ANSWERED, "7", 3)
    first, second = (turn.observation for turn in found.turns[:2])
    assert first is not None
    assert (first.text, first.status) == ("unavailable: full-ocr", "ok")
    assert told_unavailable(first)
    assert not told_unavailable(second)
    assert fault_counts([found]) == {"kinds": {}, "experts": {}, "told": 1}
    assert RewardRule().score(task, found).terms["format"] == 0.0


async def test_the_policys_own_mistakes_stay_its_own() -> None:
    known = scenes(5, "train", ImageStore())
    ensemble = ReroutingEnsemble(ToyEnsemble.over(known))
    seen = await ensemble.perform(Call(expert="nobody", skill="read"), known[0].task, 1.0)
    assert seen.status == "policy_error"
