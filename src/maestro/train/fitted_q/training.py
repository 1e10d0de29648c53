"""A whole training of the feature policy: fitted Q on recorded tasks, watched on the validation split, best round kept."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from maestro.errors import CheckpointError
from maestro.images import ImageStore
from maestro.policy.features.policy import FeaturePolicy
from maestro.reward import RewardRule
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.pool import RecordedPool
from maestro.tasks.source import TeachingSource
from maestro.train.card import write_features_card
from maestro.train.fitted_q.glance import teach_glance
from maestro.train.fitted_q.iteration import FittedQ, FittedQConfig
from maestro.train.folder.checkpoint import Checkpoints, Position
from maestro.train.progress import Progress, Silent
from maestro.types import Task

RELUCTANCES = (0.0, 0.02, 0.04, 0.06, 0.08, 0.11, 0.15)
"""Of a policy to call, in utility; the one that pays best on validation is kept."""


@dataclass(frozen=True)
class Score:
    """Means over the validation tasks, greedy."""

    utility: float
    accuracy: float
    cost_usd: float


def train_features(
    train: RecordedPool,
    validation: RecordedPool,
    source: TeachingSource,
    images: ImageStore,
    folder: Path,
    config: FittedQConfig,
    progress: Progress | None = None,
    *,
    resume: bool = False,
) -> Path:
    """Train on recorded outcomes and leave the policy of the round with the best validation utility in `folder`.

    `source` draws the pictures of the pools' tasks, and teaches the glance first. The network as it was before training is left
    beside it in `untrained`. A checkpoint is written after every round to `folder`/checkpoints, which goes when training is over;
    with `resume` training goes on from it, and ends with the weights that it would have had uninterrupted (same thread count).
    Raises CheckpointError when `resume` meets a checkpoint of other settings or other tasks.
    """
    count = min(config.tasks or len(train.tasks), len(train.tasks))
    train = train.select(source.load("train", count, images))
    source.load("val", len(validation.tasks), images)
    run = Rounds(folder, _digest(config, train, validation))
    taught = teach_glance(source.teach("warm", config.scenes, images), images, config.seed, blank=config.blank_images)
    watcher = progress or Silent()
    learner = FittedQ(tuple(train.tasks.values()), train.menu, images, taught, config)
    policy = FeaturePolicy(learner.space, learner.committee(), images, blank_images=config.blank_images)
    policy.save(folder.with_name("untrained"))
    if resume:
        run.restore(learner)
    else:
        run.clear()
    watcher.stage(0, "fitted_q", config.rounds, learner.finished)
    rule = RewardRule(cost_weight=config.cost_weight)

    def done(number: int, numbers: Mapping[str, float]) -> None:
        policy.committee = learner.committee()
        reached = settle(policy, validation, rule)
        watcher.step({"kind": "round", "name": "fitted_q", "step": number, **numbers, "reluctance": policy.reluctance})
        greedy = {"utility": reached.utility, "accuracy": reached.accuracy, "cost_usd": reached.cost_usd}
        watcher.step({"kind": "validation", "name": "fitted_q", "step": number, "greedy": greedy})
        if reached.utility > max((record["utility"] for record in run.records), default=-float("inf")):
            policy.save(folder)
        run.records.append({"round": number, **numbers, "reluctance": policy.reluctance, **greedy})
        run.save(learner)

    learner.train(done)
    lock = {"name": train.name.partition("@")[0], "digest": train.menu.digest}
    write_features_card(folder, folder.name, config, lock, {"train": len(train.tasks), "val": len(validation.tasks)}, run.records)
    run.clear()
    return folder


class Rounds:
    """The rounds of one training: what each reached, and a checkpoint of the last."""

    def __init__(self, folder: Path, digest: str) -> None:
        self.records: list[dict[str, float]] = []
        self._folder = folder / "checkpoints"
        self._digest = digest

    def save(self, learner: FittedQ) -> None:
        """Keep the learner as it is after its last round."""
        position = Position(round=learner.finished, step=learner.finished, config=self._digest, extra={"records": self.records})
        Checkpoints(self._folder, keep=1).save(position, lambda path: torch.save(learner.state(), path / "trainer.pt"))

    def restore(self, learner: FittedQ) -> None:
        """Bring a fresh learner to the last round kept, if there is one. Raises CheckpointError when it belongs to another training."""
        latest = Checkpoints(self._folder, keep=1).newest_whole() if self._folder.exists() else None
        if latest is None:
            return
        if latest.position.config != self._digest:
            raise CheckpointError(
                f"{latest.path} was written under other settings or on other tasks; resume with those, or train into another folder."
            )
        learner.restore(torch.load(latest.trainer, weights_only=True))
        self.records = latest.position.extra["records"]

    def clear(self) -> None:
        """Drop the checkpoint."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _digest(config: FittedQConfig, train: RecordedPool, validation: RecordedPool) -> str:
    """Of everything a training depends on: settings, menu, and each task with what was recorded for it."""
    digest = hashlib.sha256(config.model_dump_json().encode())
    for pool in (train, validation):
        digest.update(pool.menu.digest.encode())
        for name in sorted(pool.tasks):
            digest.update(repr((name, sorted(pool.tasks[name].outcomes.items()))).encode())
    return digest.hexdigest()


def settle(policy: FeaturePolicy, validation: RecordedPool, rule: RewardRule) -> Score:
    """Give the policy the reluctance that pays best on the validation tasks, and say what it reaches with it.

    The best of several noisy values is too high more often than too low, and calls are many: without it a policy asks too often.
    """
    reached: dict[float, Score] = {}
    for reluctance in RELUCTANCES:
        policy.reluctance = reluctance
        reached[reluctance] = play(policy, validation, rule)
    policy.reluctance = max(reached, key=lambda value: reached[value].utility)
    return reached[policy.reluctance]


def play(policy: FeaturePolicy, pool: RecordedPool, rule: RewardRule) -> Score:
    """One greedy episode on every task of a pool."""
    tasks: list[Task] = [recorded.task for recorded in pool.tasks.values()]
    episodes = asyncio.run(run_episodes([Job(task) for task in tasks], policy, pool))
    rewards = [rule.score(task, episode) for task, episode in zip(tasks, episodes, strict=True)]
    count = max(1, len(tasks))
    accuracy = sum(reward.terms["outcome"] for reward in rewards) / count
    cost = sum(episode.cost_usd for episode in episodes) / count
    return Score(accuracy - rule.cost_weight * cost, accuracy, cost)
