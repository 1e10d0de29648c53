"""What a policy that reads the menu does with experts and skills it has never seen, beside retraining with them and never having them.

    python recipes/unseen.py POOL OUT [--seeds 1,2,3] [--tasks 3000] [--skip 500] [--split test] [--eyes FOLDER]

For each hold-out set a policy is trained without it and meets it at test time; the policy trained on the whole registry is the one that
was retrained. Policies are kept in OUT (and taken from there when they are there), every episode's score and price in OUT/played.json, the
tables in OUT/unseen.md. `--eyes` takes glance and picture scale from a feature policy instead of teaching them (fifteen minutes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import orjson
from reading import given, trained

from maestro.evaluate.shares import Reached, reached
from maestro.evaluate.table import markdown, number, signed
from maestro.images import ImageStore
from maestro.rollout.pool import RecordedPool
from maestro.train.reading.ground import Ground
from maestro.train.reading.hold_outs import HOLD_OUTS, conditions
from maestro.train.reading.iteration import ReadingQConfig
from maestro.train.reading.training import Played, play_pool

WEIGHT = 20.0
COLUMNS = ("", "utility", "share of retrained", "share of its gain")
Found = dict[str, dict[str, list[list[Played]]]]


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
    asked = given(__doc__)
    found = measure(asked.out, asked.ground, asked.validation, asked.test, asked.images, asked.config, asked.seeds)
    print(write(asked.out, found))


if __name__ == "__main__":
    main()
