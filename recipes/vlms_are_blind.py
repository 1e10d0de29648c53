"""Train the orchestrator of the registry vlms-are-blind on half of the scenes of a folder of VLMsAreBlind with recorded outcomes.

    maestro record FOLDER --registry vlms-are-blind --store build/blind.sqlite --split train --split test
    python recipes/vlms_are_blind.py build/blind.sqlite OUT [--seed 1]

Of the scenes in the folder's half `train` four fifths are trained on and one fifth watches, whole scenes on either side; the half
`test` is not opened. Rewards are outcomes and prices alone. The glance is taught the kinds of question by the categories of the training
questions.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable
from pathlib import Path

import torch
from lines import Lines

from maestro.cli.loading import task_source
from maestro.cli.replay import replay
from maestro.images import ImageStore
from maestro.rollout.manifest import read_manifest
from maestro.rollout.pool import RecordedPool
from maestro.tasks.source import TaughtTask
from maestro.train.fitted_q.iteration import FittedQConfig
from maestro.train.fitted_q.training import train_features
from maestro.types import Task

WATCHING = 5
"""One scene in so many watches."""
CONFIG = FittedQConfig(rounds=12, returns_from=5, epochs=5, walks=1, hidden=(128, 64), batch=256, words=0, unasked=False, elsewhere=True)


class Scenes:
    """The training half as the task source of a training: its scenes divided once more."""

    name = "vlms_are_blind/train"

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.parts: dict[str, list[Task]] = {"train": [], "val": []}
        for task in tasks:
            watching = int(hashlib.sha256(f"watch {task.cluster}".encode()).hexdigest(), 16) % WATCHING == 0
            self.parts["val" if watching else "train"].append(task)

    @property
    def splits(self) -> tuple[str, ...]:
        """Both parts."""
        return tuple(self.parts)

    def load(self, split: str, limit: int | None, images: ImageStore) -> list[Task]:  # noqa: ARG002
        """The first tasks of a part; their pixels are in `images` already."""
        return self.parts[split][:limit]

    def teach(self, split: str, limit: int | None, images: ImageStore) -> list[TaughtTask]:  # noqa: ARG002
        """Training questions with their kind, evenly over all of them."""
        tasks = self.parts["train"]
        step = max(1, len(tasks) // (limit or len(tasks)))
        return [TaughtTask(task, (), "drawing") for task in tasks[::step][:limit]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(1)
    manifest, images = read_manifest(given.store), ImageStore(capacity=1_000_000)
    known = manifest.find("train")
    assert known is not None, f"{given.store} has no split train"
    pool = replay(given.store, manifest, "train")
    scenes = Scenes(task_source(known.source).load("train", known.tasks, images))
    parts = {name: RecordedPool((pool.tasks[one.id] for one in tasks), pool.menu, pool.name, 20.0) for name, tasks in scenes.parts.items()}
    config = CONFIG.model_copy(update={"seed": given.seed})
    final = train_features(parts["train"], parts["val"], scenes, images, given.out, config, Lines())
    print(f"saved in {final}")


if __name__ == "__main__":
    main()
