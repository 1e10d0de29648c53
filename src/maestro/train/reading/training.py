"""A whole training of the reading policy: fitted Q over drawn registries, then the reluctance to call that pays best on validation."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from maestro.images import ImageStore
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.protocol import Policy
from maestro.policy.reading.policy import ReadingPolicy
from maestro.registry.edits import without
from maestro.registry.menu import Menu
from maestro.reward import RewardRule
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.episode import Performs
from maestro.rollout.pool import RecordedPool
from maestro.train.progress import Progress, Silent
from maestro.train.reading.ground import Ground
from maestro.train.reading.iteration import ReadingQ, ReadingQConfig
from maestro.types import Task

RELUCTANCES = (0.0, 0.04, 0.08)
"""Of a policy to call, in utility; the one that pays best on validation is kept."""


@dataclass(frozen=True)
class Played:
    """One greedy episode: what it scored and cost."""

    task: str
    score: float
    cost_usd: float
    calls: int

    def utility(self, weight: float) -> float:
        """Score less `weight` times the dollars."""
        return self.score - weight * self.cost_usd


def play_pool(policy: Policy, tasks: Sequence[Task], ensemble: Performs, told: float | None = None) -> list[Played]:
    """One greedy episode on every task; `told` is what the policy is told that a dollar counts."""
    episodes = asyncio.run(run_episodes([Job(task) for task in tasks], policy, ensemble, cost_weight=told))
    rule = RewardRule()
    scores = [rule.score(task, episode).terms["outcome"] for task, episode in zip(tasks, episodes, strict=True)]
    return [
        Played(task.id, score, episode.cost_usd, len(episode.calls)) for task, score, episode in zip(tasks, scores, episodes, strict=True)
    ]


def mean_utility(played: Sequence[Played], weight: float) -> float:
    """Mean over episodes."""
    return sum(one.utility(weight) for one in played) / max(1, len(played))


def train_reading(
    ground: Ground,
    validation: RecordedPool,
    images: ImageStore,
    config: ReadingQConfig,
    progress: Progress | None = None,
    held: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> ReadingPolicy:
    """Train on recorded outcomes; the policy carries the record of the pairs it was trained on.

    `held` are experts and skills of the ground that the training never meets; its validation does without them too. Pictures of the
    validation's tasks must be in `images`. Each round tells its loss; validation is played after the last one, once for each of
    `RELUCTANCES`, by what a dollar usually counts.
    """
    watcher = progress or Silent()
    watcher.stage(0, "reading_q", config.rounds, 0)
    learner = ReadingQ(ground, config, held)

    def done(number: int, numbers: Mapping[str, float]) -> None:
        watcher.step({"kind": "round", "name": "reading_q", "step": number, **numbers})

    committee = learner.train(done)
    record = ground.record.only(frozenset(without(ground.menu, *held).pairs))
    policy = ReadingPolicy(committee, ground.eyes, images, words=ground.words, record=record, weight=config.cost_weight)
    fewer = held_out(validation, *held)
    reached: dict[float, float] = {}
    judged = [recorded.task for recorded in fewer.tasks.values()]
    for policy.reluctance in RELUCTANCES:
        reached[policy.reluctance] = mean_utility(play_pool(policy, judged, fewer), config.cost_weight)
    policy.reluctance = max(reached, key=lambda value: reached[value])
    best = {"utility": reached[policy.reluctance], "reluctance": policy.reluctance}
    watcher.step({"kind": "validation", "name": "reading_q", "step": config.rounds, "greedy": best})
    return policy


def held_out(pool: RecordedPool, experts: Sequence[str] = (), skills: Sequence[str] = ()) -> RecordedPool:
    """The pool as if these experts and skills had never been: without their calls, and without the questions that need such a skill.

    A question needs it when its best recorded plan calls it.
    """
    menu = without(pool.menu, experts, skills)
    tasks = [task for name, task in pool.tasks.items() if not skills or not set(pool.best(name).skills) & set(skills)]
    return RecordedPool((_offered(task, menu) for task in tasks), menu, pool.name, pool.cost_weight)


def _offered(task: RecordedTask, menu: Menu) -> RecordedTask:
    """A task with the calls that a menu allows."""
    return RecordedTask(task.task, {key: seen for key, seen in task.outcomes.items() if menu.allows(key[0], key[1])}, task.cost_weight)


def write_reading_card(folder: Path, config: ReadingQConfig, lock: Mapping[str, str], tasks: int) -> None:
    """Write `README.md` and `registry.lock` into a policy folder."""
    low, high = config.cost_weights
    lines = [
        f"# {folder.name}",
        "",
        "An orchestrator policy in the dialect `maestro` that reads the menu: it values a call by the words of the cards, by prices and",
        "by what is on record about the pair, not by names, and heeds what it is told that a dollar counts.",
        "",
        f"- Registry: {lock.get('name', '')} `{str(lock.get('digest', ''))[:12]}`, drawn anew for every question of every round.",
        f"- Data: recorded outcomes of {tasks} questions of `train`, {config.rounds} rounds, seed {config.seed}.",
        f"- A dollar counts {low:g} to {high:g} in training, {config.cost_weight:g} where nobody says.",
        "",
        "The pictures and questions are drawn by a program; nothing here says how good the policy is on photographs or documents.",
    ]
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "registry.lock").write_bytes(orjson.dumps(lock, option=orjson.OPT_INDENT_2))
