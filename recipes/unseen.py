"""What a policy that reads the menu does with experts and skills it has never seen, beside retraining with them and never having them.

    python recipes/unseen.py POOL OUT [--seeds 1,2,3] [--tasks 3000] [--skip 500] [--split test] [--eyes FOLDER]

For each hold-out set a policy is trained without it and meets it at test time; the policy trained on the whole registry is the one that
was retrained. Policies are kept in OUT (and taken from there when they are there), every episode's score and price in OUT/played.json, the
tables in OUT/unseen.md. `--eyes` takes glance and picture scale from a feature policy instead of teaching them (fifteen minutes).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import orjson
import torch
from lines import Lines

from maestro.cli.headroom import replay
from maestro.cli.loading import task_source
from maestro.evaluate.shares import Reached, reached
from maestro.evaluate.table import markdown, number, signed
from maestro.images import ImageStore
from maestro.policy.features.policy import FeaturePolicy
from maestro.policy.reading.policy import Eyes, ReadingPolicy
from maestro.rollout.manifest import read_manifest
from maestro.rollout.pool import RecordedPool
from maestro.tasks.source import TeachingSource
from maestro.train.glance import teach_glance
from maestro.train.hold_outs import HOLD_OUTS, HoldOut, conditions
from maestro.train.reading import Played, play_pool, train_reading, write_reading_card
from maestro.train.reading_ground import Ground
from maestro.train.reading_q import ReadingQConfig

WEIGHT = 20.0
COLUMNS = ("", "utility", "share of retrained", "share of its gain")
Found = dict[str, dict[str, list[list[Played]]]]


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


def measure(
    out: Path,
    ground: Ground,
    validation: RecordedPool,
    test: RecordedPool,
    images: ImageStore,
    config: ReadingQConfig,
    seeds: Sequence[int],
) -> Found:
    """Episodes by hold-out set and condition, a list a seed."""
    found: Found = {held.name: {} for held in HOLD_OUTS}
    for seed in seeds:
        seeded = config.model_copy(update={"seed": seed})
        whole = trained(out / f"all-{seed}", ground, validation, images, seeded)
        retrained = play_pool(whole, [recorded.task for recorded in test.tasks.values()], test)
        for held in HOLD_OUTS:
            learned = trained(out / f"without-{held.name.replace(' ', '-')}-{seed}", ground, validation, images, seeded, held)
            played = conditions(learned, held, test, ground.record, seed) | {"retrained": retrained}
            for name, episodes in played.items():
                found[held.name].setdefault(name, []).append(episodes)
                print(f"{held.name}, seed {seed}, {name}: {np.mean([one.utility(WEIGHT) for one in episodes]):.3f}", flush=True)
            write(out, found)
    return found


def compared(by: dict[str, list[list[Played]]], name: str) -> Reached:
    """A condition beside retraining and never having them."""
    ours, full, none = ([[one.utility(WEIGHT) for one in seed] for seed in by[each]] for each in (name, "retrained", "never"))
    return reached(ours, full, none)


def write(out: Path, found: Found) -> str:
    """Keep the episodes and write the tables."""
    plain = {held: {name: [[asdict(one) for one in seed] for seed in seeds] for name, seeds in by.items()} for held, by in found.items()}
    (out / "played.json").write_bytes(orjson.dumps(plain))
    parts = []
    for held, by in found.items():
        if not by:
            continue
        rows = []
        for name in by:
            figures = compared(by, name)
            gained = number(figures.gain, digits=2) if figures.full_gain.excludes_zero else "-"
            rows.append((name, number(figures.utility), number(figures.share, digits=2), gained))
        gain = compared(by, "cards").full_gain
        questions = len(by["never"][0])
        heading = f"{held}: {len(by['never'])} seeds, {questions} questions; retraining gains {signed(gain)} over never having them"
        parts.append(f"{heading}\n\n{markdown(COLUMNS, rows)}")
    text = "\n\n".join(parts)
    (out / "unseen.md").write_text(text + "\n", encoding="utf-8")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--tasks", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=ReadingQConfig().rounds)
    parser.add_argument("--split", default="test")
    parser.add_argument("--skip", type=int, default=500, help="first tasks of the split to leave out, because somebody has looked at them")
    parser.add_argument("--eyes", type=Path, help="a feature policy whose glance is taken")
    given = parser.parse_args()
    torch.set_num_threads(1)
    given.out.mkdir(parents=True, exist_ok=True)
    images, config = ImageStore(capacity=1_000_000), ReadingQConfig(rounds=given.rounds)
    eyes = eyes_of(given.eyes, given.pool, images, config.scenes)
    train, validation = (pool_of(given.pool, split, count, images) for split, count in (("train", given.tasks), ("val", None)))
    ground = Ground(tuple(train.tasks.values()), train.menu, images, eyes, config.words)
    test = pool_of(given.pool, given.split, None, images, given.skip)
    found = measure(given.out, ground, validation, test, images, config, [int(seed) for seed in given.seeds.split(",")])
    print(write(given.out, found))


if __name__ == "__main__":
    main()
