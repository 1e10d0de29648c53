"""`maestro record tell`: what a store knows about experts and skills, given to a policy that reads records."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from maestro.cli.loading import load_tasks, task_source
from maestro.cli.output import print_table
from maestro.cli.replay import replay
from maestro.errors import ConfigError, StoreError
from maestro.images import ImageStore
from maestro.policy.loading import ANYWHERE, READING_CARD
from maestro.policy.reading.heard import hear
from maestro.policy.reading.policy import ReadingPolicy
from maestro.policy.reading.record import TrackRecord
from maestro.registry.menu import Menu
from maestro.registry.plugins import registered
from maestro.rollout.manifest import read_manifest
from maestro.rollout.pool import RecordedPool
from maestro.train.reading.recorded_worth import record_of


@click.command("tell")
@click.argument("store", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--policy", "-p", default=ANYWHERE, show_default=True, help="Name or folder of the reading policy to tell.")
@click.option("--split", help="Split whose calls are told; the first one recorded by default.")
@click.option("--limit", type=click.IntRange(min=1), help="First tasks of the split; all of them by default.")
@click.option("--replace", is_flag=True, help="Tell also of pairs that the policy has on record; what it has of them is dropped.")
def tell(store: Path, out: Path, policy: str, split: str | None, limit: int | None, replace: bool) -> None:
    """Tell a policy that reads the menu how the calls in STORE turned out, and write it to the new folder OUT.

    For experts and skills that the policy was not trained with: it then counts on what they did, not on what their cards say. A skill
    whose card does not fit the questions that it solved is known by these questions instead.
    """
    if out.exists():
        raise ConfigError(f"{out} exists; give a new folder for the policy that is told.")
    manifest = read_manifest(store)
    if not manifest.splits:
        raise StoreError(f"{store} records no split yet; fill it with: maestro record TASKS --store {store} --resume")
    images = ImageStore(capacity=1_000_000)
    folder = _reading_folder(policy)
    told = ReadingPolicy.load(folder, images)
    pool = replay(store, manifest, split or manifest.splits[0].split)
    known = manifest.find(split or manifest.splits[0].split)
    assert known is not None  # replay has found it
    tasks = load_tasks(task_source(known.source), known.split, min(known.tasks, limit or known.tasks), images)
    seen = pool.select(tasks)
    own = frozenset(told.record.asked) if told.record is not None and not replace else frozenset()
    new = frozenset(pool.menu.pairs) - own
    if not new:
        raise ConfigError(f"{policy} has every expert and skill of {store} on record. Add --replace to tell it anew.")
    told.record = joined(told, seen, new)
    told.save(out)
    for name in ("README.md", "registry.lock"):
        if (folder / name).is_file():
            shutil.copy(folder / name, out / name)
    _show(out, pool.menu, told.record, new, len(tasks))


def joined(policy: ReadingPolicy, pool: RecordedPool, pairs: frozenset[tuple[str, str]]) -> TrackRecord:
    """The policy's record with that of these pairs on a pool's tasks, whose pictures the policy can see."""
    tasks = list(pool.tasks.values())
    places = np.stack([policy.place(recorded.task) for recorded in tasks])
    new = record_of(tasks, places, [pair for pair in pool.menu.pairs if pair in pairs])
    return new if policy.record is None else policy.record.joined(new)


def _reading_folder(policy: str) -> Path:
    """Where the reading policy of this name, policy folder or run folder lies. Raises ConfigError when there is none."""
    made = registered().policy(policy) if policy in registered().policies else Path(policy).expanduser()
    for folder in (made / "policy", made) if isinstance(made, Path) else ():
        if (folder / READING_CARD).is_file():
            return folder
    raise ConfigError(
        f"{policy} holds no reading policy (no {READING_CARD}, there or in policy/). Only such a policy reads records: {ANYWHERE} is one, "
        "and recipes/unseen.py trains others (docs/unseen.md)."
    )


def _show(out: Path, menu: Menu, record: TrackRecord, new: frozenset[tuple[str, str]], tasks: int) -> None:
    heard, here = hear(menu, record), record.only(frozenset(menu.pairs))
    rows: list[Sequence[object]] = []
    for skill, doubted in zip(menu.skills, heard.doubted, strict=True):
        told = [expert for expert in skill.experts if (expert, skill.id) in new]
        known = "the questions it solved: its card does not fit them" if doubted else "its card"
        if told:
            rows.append((skill.id, ", ".join(told), int(here.solved(skill.id)[0].sum()), known))
    print_table(f"{out}: told of {tasks} tasks", ("skill", "experts told of", "solved", "known by"), rows, right=("solved",))
