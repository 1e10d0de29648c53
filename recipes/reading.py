"""What the recipes of the reading policy work on: recorded splits with their pictures, eyes, policies trained once."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import torch
from lines import Lines

from maestro.cli.loading import task_source
from maestro.cli.replay import replay
from maestro.images import ImageStore
from maestro.policy.features.policy import FeaturePolicy
from maestro.policy.reading.policy import Eyes, ReadingPolicy
from maestro.rollout.manifest import read_manifest
from maestro.rollout.pool import RecordedPool
from maestro.tasks.source import TeachingSource
from maestro.train.fitted_q.glance import teach_glance
from maestro.train.reading.ground import Ground
from maestro.train.reading.hold_outs import HoldOut
from maestro.train.reading.iteration import ReadingQConfig
from maestro.train.reading.training import train_reading, write_reading_card


@dataclass(frozen=True)
class Given:
    """What a recipe was asked for, loaded."""

    out: Path
    ground: Ground
    validation: RecordedPool
    test: RecordedPool
    images: ImageStore
    config: ReadingQConfig
    seeds: tuple[int, ...]


def given(description: str | None) -> Given:
    """Read the command line of a recipe and load what it names."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=ReadingQConfig().rounds)
    parser.add_argument("--split", default="test")
    parser.add_argument("--skip", type=int, default=500, help="first tasks of the split to leave out, because somebody has looked at them")
    parser.add_argument("--eyes", type=Path, help="a feature policy whose glance is taken")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    asked.out.mkdir(parents=True, exist_ok=True)
    images, config = ImageStore(capacity=1_000_000), ReadingQConfig(rounds=asked.rounds)
    eyes = eyes_of(asked.eyes, asked.pool, images, config.scenes)
    train, validation = (pool_of(asked.pool, split, count, images) for split, count in (("train", asked.tasks), ("val", None)))
    ground = Ground(tuple(train.tasks.values()), train.menu, images, eyes, config.words)
    test = pool_of(asked.pool, asked.split, None, images, asked.skip)
    seeds = tuple(int(seed) for seed in asked.seeds.split(","))
    return Given(asked.out, ground, validation, test, images, config, seeds)


def eyes_of(folder: Path | None, pool: Path, images: ImageStore, scenes: int) -> Eyes:
    """The eyes of a feature policy, or ones taught afresh."""
    if folder is not None:
        network = FeaturePolicy.load(folder, images).committee.networks[0]
        return Eyes(network.glance, network.mean, network.scale)
    source = task_source(read_manifest(pool).splits[0].source)
    assert isinstance(source, TeachingSource)
    taught = teach_glance(source.teach("warm", scenes, images), images, 1)
    return Eyes(taught.glance, taught.mean, taught.scale)


def pool_of(store: Path, split: str, count: int | None, images: ImageStore, skip: int = 0) -> RecordedPool:
    """A split's recorded tasks, their pictures drawn."""
    manifest = read_manifest(store)
    found = replay(store, manifest, split)
    tasks = task_source(manifest.splits[0].source).load(split, min(count or len(found.tasks), len(found.tasks)), images)
    return found.select(tasks[skip:])


def trained(
    folder: Path, ground: Ground, validation: RecordedPool, images: ImageStore, config: ReadingQConfig, held: HoldOut | None = None
) -> ReadingPolicy:
    """The policy of a folder, trained into it when it is not there."""
    if not (folder / "reading.json").is_file():
        out = (held.experts, held.skills) if held is not None else ((), ())
        policy = train_reading(ground, validation, images, config, Lines(), out)
        policy.save(folder)
        lock = {"name": validation.name.partition("@")[0], "digest": ground.menu.digest}
        write_reading_card(folder, config, lock, len(ground.tasks))
    return ReadingPolicy.load(folder, images)
