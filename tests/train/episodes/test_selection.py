"""What expert iteration imitates, what TRL is handed, and how first calls are spread."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.local import LocalPolicy, Sampling
from maestro.policy.protocol import Opening
from maestro.reward import RewardRule
from maestro.rollout.engine import Job
from maestro.rollout.limits import Limits
from maestro.train.config.run import ExpertIterationStage
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.memo import RememberingEnsemble
from maestro.train.episodes.sampling import AskingAgain, Sampler
from maestro.train.episodes.signal import Standing, standing
from maestro.train.expert_iteration import best_of
from maestro.train.grpo.stage import rows_for_trl
from maestro.train.order import TaskOrder
from maestro.train.rows import RowWriter
from maestro.train.run import train
from maestro.train.warm_start.traces import TraceWriter
from maestro.types import Answer, Call, Decision, Episode, Observation, Reward, StopReason, Task, Tokens, Turn
from tests.train.test_run import config, materials
from tests.train.toy import ToyEnsemble, menu, scenes


def episode(expert: str, total: float, sample: int, *, stop: StopReason = StopReason.ANSWERED, answered: bool = True) -> Episode:
    call = Turn(decision=Decision(text=""), action=Call(expert=expert, skill="read"), observation=Observation(text="answer: 1"))
    turns = (call, Turn(decision=Decision(text=""), action=Answer(text="1"))) if answered else (call,)
    tokens = Tokens(prompt_ids=(1, 2), completion_ids=(3, 4, 5), mask=(1, 0, 1), logprobs=(-1.0, 0.0, -1.0))
    return Episode(
        task_id="t", turns=turns, stop=stop, sample=sample, tokens=tokens, reward=Reward(terms={"outcome": total}, weights={"outcome": 1.0})
    )


def trained(group: list[Episode]) -> list[bool]:
    return [standing(member, SignalConfig()) is Standing.TRAINED for member in group]


def test_the_best_different_wellformed_episodes_above_the_floor_are_kept() -> None:
    stage = ExpertIterationStage(keep=2, margin=0.05, floor=0.1)
    group = [
        episode("a", 0.9, 0),
        episode("a", 0.9, 1),
        episode("b", 0.88, 2),
        episode("c", 0.5, 3),
        episode("d", 1.0, 4, answered=False),
        episode("e", 1.0, 5, stop=StopReason.INFRASTRUCTURE),
    ]
    assert [kept.sample for kept in best_of(group, stage)] == [0, 2]
    assert best_of([episode("a", 0.05, 0)], stage) == []


def test_an_episode_that_made_the_same_call_twice_is_not_imitated() -> None:
    once, stage = episode("a", 0.9, 0), ExpertIterationStage()
    twice = once.model_copy(update={"turns": (once.turns[0], *once.turns), "sample": 1})
    assert best_of([twice], stage) == []
    assert best_of([twice, once], stage) == [once]


def test_broken_episodes_reach_trl_without_reward_and_without_loss() -> None:
    pair = [episode("a", 0.9, 0), episode("a", 0.0, 1, stop=StopReason.INFRASTRUCTURE)]
    rows = rows_for_trl(pair, trained(pair))
    assert rows["total"] == [0.9, None]
    assert rows["env_mask"] == [[1, 0, 1], [0, 0, 0]]
    assert rows["completion_ids"] == [[3, 4, 5], [3, 4, 5]]


def test_a_row_that_is_not_what_was_sampled_is_not_trained_on() -> None:
    kept = episode("a", 0.9, 0)
    assert kept.tokens is not None
    changed = kept.model_copy(update={"tokens": kept.tokens.model_copy(update={"untrainable": "a thought was dropped"})})
    rows = rows_for_trl([kept, changed], trained([kept, changed]))
    assert rows["total"] == [0.9, None]
    assert rows["env_mask"] == [[1, 0, 1], [0, 0, 0]]
    assert best_of([changed], ExpertIterationStage()) == []


def test_order_has_no_task_twice_in_a_portion_and_is_the_same_from_anywhere() -> None:
    tasks = [Task(id=str(number), question="?") for number in range(7)]
    order = TaskOrder(tasks, 1, 3)
    portions = [order.at(number) for number in range(40)]
    for begin in range(0, 40, 2):
        assert len({task.id for portion in portions[begin : begin + 2] for task in portion}) == 6
    assert {task.id for portion in portions for task in portion} == set(map(str, range(7)))
    assert TaskOrder(tasks, 1, 3).at(17) == portions[17]
    assert portions[0] != portions[2]


def test_a_step_never_asks_for_more_tasks_than_there_are(speaking: Path, tmp_path: Path) -> None:
    """The same task twice would be the same draws twice."""
    stages = [
        {"kind": "expert_iteration", "rounds": 1, "tasks_per_round": 21, "rehearsal": 0},
        {"kind": "grpo", "steps": 1, "prompts": 20, "members": 2, "micro_batch": 4},
    ]
    with pytest.raises(ConfigError, match=r"has 20 tasks to train on, and stages.0.tasks_per_round asks for 21 different ones"):
        train(config(policy={"load": str(speaking)}, stages=stages), materials(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


async def test_a_call_is_performed_once_and_failures_are_not_remembered() -> None:
    known = scenes(5, "train", ImageStore())
    inner = ToyEnsemble.over(known)
    ensemble = RememberingEnsemble(inner)
    call = Call(expert="full-ocr", skill="read")
    first = await ensemble.perform(call, known[0].task, 1.0)
    assert await ensemble.perform(call, known[0].task, 1.0) == first
    assert inner.calls == 1


def test_forced_first_calls_visit_untried_experts_and_draws_are_repeatable(world: tuple[LocalPolicy, TraceWriter, RowWriter]) -> None:
    policy, writer, _ = world
    policy.batcher.lockstep = True
    tasks = [scene.task for scene in writer.scenes[:3]]
    ensemble = ToyEnsemble.over(list(writer.scenes))  # type: ignore[arg-type]
    with asyncio.Runner() as runner:
        sampler = Sampler(policy, ensemble, RewardRule(), Limits(turns=2), runner)
        free = episode("page-ocr", 0.5, 0)
        ids = tuple(policy.encode("<think>read; plain</think><search>page-ocr@@read:</search>"))
        said = free.turns[0].model_copy(update={"decision": Decision(text="", token_ids=ids)})
        prefixes = sampler._prefixes(ensemble.menu, [free.model_copy(update={"turns": (said,)})], 3, random.Random(1))
        texts = [policy.tokenizer.decode(prefix) for prefix in prefixes]
        assert texts[0] == "<think>read; plain</think><search>full-ocr@@read:"
        assert {text.split("<search>")[1] for text in texts} == {"full-ocr@@read:", "page-ocr@@read:"}
        jobs = [(task.id, 7) for task in tasks]
        forced = dict.fromkeys(jobs, prefixes[0])
        once = sampler.episodes([Job(task, 7) for task in tasks], forced)
        again = sampler.episodes([Job(task, 7) for task in reversed(tasks)], forced)[::-1]
    assert [one.tokens.completion_ids for one in once if one.tokens] == [one.tokens.completion_ids for one in again if one.tokens]
    assert all(one.turns[0].decision.token_ids[: len(prefixes[0])] == prefixes[0] for one in once)
    assert menu().allows("full-ocr", "read")


class Written:
    """A session that only notes what it is made to begin with."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def force(self, ids: str) -> None:
        self.begun.append(ids)

    async def decide(self) -> Decision:
        return Decision(text="")

    def observe(self, turn: Turn) -> bool:
        return True


class Speller:
    sampling = Sampling()

    def encode(self, text: str) -> str:
        return text


async def test_forced_episodes_ask_experts_that_were_not_asked_yet() -> None:
    for share, begun in ((1.0, ["<search>full-ocr@@read:"]), (0.0, [])):
        session = Written()
        asking = AskingAgain(session, Speller(), Opening(Task(id="t", question="?"), menu()), share)
        await asking.decide()
        assert session.begun == []  # the first call is not its business
        for expert in ("page-ocr", "full-ocr"):
            call = Call(expert=expert, skill="read")
            asking.observe(Turn(decision=Decision(text=""), action=call, observation=Observation(text="answer: 1")))
            await asking.decide()
        assert session.begun == begun  # after both there is nobody left
