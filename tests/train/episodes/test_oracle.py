"""The distance to the best recorded plan, and what calls bring, against values worked out by hand."""

from __future__ import annotations

import pytest

from maestro.images import ImageStore
from maestro.reward import RewardRule
from maestro.rollout.pool import PooledEnsemble, RecordedPool
from maestro.train.episodes.memo import RememberingEnsemble
from maestro.train.episodes.oracle import Oracle
from maestro.types import Answer, Call, Decision, Episode, Observation, StopReason, Task, Turn
from tests.train.toy import ToyEnsemble, scenes

RULE = RewardRule(cost_weight=20.0)


def played(task: Task, expert: str | None, cost: float, *, right: bool, stop: StopReason = StopReason.ANSWERED) -> Episode:
    answer = task.references[0] if right else "nothing of the kind"
    call = Turn(decision=Decision(text=""), action=Call(expert=expert or "", skill="read"), observation=Observation(cost_usd=cost))
    turns = (*((call,) if expert else ()), Turn(decision=Decision(text=""), action=Answer(text=answer)))
    return RULE.scored(task, Episode(task_id=task.id, turns=turns, stop=stop, answer=answer, cost_usd=cost if expert else 0.0))


async def test_gap_and_lift_are_those_of_the_recorded_plans() -> None:
    known = scenes(10, "train", ImageStore())
    live = ToyEnsemble.over(known)
    plain, noisy = known[0].task, known[5].task  # both ask for a text: of an expert that is cheap, and of one that is dear
    pool, _ = await RecordedPool.gather([plain, noisy], live, depth=1)
    oracle = Oracle.of(RememberingEnsemble(PooledEnsemble(pool, live)), RULE)
    assert oracle is not None
    tasks = [plain, noisy, noisy, plain, known[1].task]
    episodes = [
        played(plain, "full-ocr", 0.010, right=True),
        played(noisy, "full-ocr", 0.010, right=True),
        played(noisy, None, 0.0, right=False),
        played(plain, "page-ocr", 0.001, right=True, stop=StopReason.INFRASTRUCTURE),
        played(known[1].task, "page-ocr", 0.001, right=True),
    ]
    found = oracle.numbers(tasks, episodes)  # the broken one and the one that was never recorded do not count
    best = {"plain": 1 - 20 * 0.001, "noisy": 1 - 20 * 0.010}
    assert found["oracle_gap"] == pytest.approx((best["plain"] - 0.8 + best["noisy"] - 0.8 + best["noisy"] - 0.0) / 3)
    assert found["lift_per_call"] == pytest.approx(1.0)
    assert found["price_per_call"] == pytest.approx(0.2)
    assert oracle.numbers(tasks[-1:], episodes[-1:]) == {}


def test_without_a_recorded_pool_there_is_no_oracle() -> None:
    assert Oracle.of(RememberingEnsemble(ToyEnsemble.over([])), RULE) is None
