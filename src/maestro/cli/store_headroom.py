"""`maestro headroom STORE`: every baseline on the splits of a recorded call store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maestro.cli.chat_row import chat_policies
from maestro.cli.headroom_options import Asked
from maestro.cli.loading import direct_categories, load_tasks, run_async, task_source
from maestro.cli.output import console, print_table, progress, warn
from maestro.cli.replay import halves, replay
from maestro.errors import StoreError
from maestro.evaluate.headroom import RANDOM_SAMPLES, Baselines, Headroom, headroom, store_choosers
from maestro.evaluate.headroom_page import headroom_report, headroom_tables, not_alone
from maestro.evaluate.report import Report, Table
from maestro.evaluate.sweep import Sweep, swept
from maestro.evaluate.table import doubt, signed
from maestro.images import ImageStore
from maestro.policy.baselines import Pictures
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.protocol import Policy
from maestro.registry.registry import Registry
from maestro.rollout.manifest import Manifest, read_manifest
from maestro.rollout.pool import RecordedPool


@dataclass(frozen=True)
class StoreHeadroom:
    """Every baseline on every split that was asked for."""

    store: Path
    splits: Mapping[str, Headroom]
    sweeps: Mapping[str, Sweep] = field(default_factory=dict)

    @property
    def named(self) -> dict[str, Any]:
        """What was judged, for the top of JSON."""
        return {"store": str(self.store)}

    def gate(self, least: float) -> bool:
        """Whether the gap is at least `least` on every split."""
        return all(one.gate(least) for one in self.splits.values())

    @property
    def broken(self) -> dict[str, tuple[str, ...]]:
        """Errors of the rows that infrastructure broke."""
        rows = [(f"{split}, {name}", row.errors) for split, one in self.splits.items() for name, row in one.summaries.items()]
        return {name: errors for name, errors in rows if errors}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        sweeps = {split: one.as_dict() for split, one in self.sweeps.items()}
        return {"splits": {split: one.as_dict() for split, one in self.splits.items()}, "sweeps": sweeps}

    def tables(self) -> list[Table]:
        """Rows of every split, and the sweeps."""
        found = []
        for split, one in self.splits.items():
            note = f"oracle - lookup: {signed(one.gap)}; without lucky hits of other skills: {signed(one.skilled_gap)}"
            few = one.gap.n if one.gap.clusters is None else one.gap.clusters
            note = ". ".join(filter(None, (note, doubt(few))))
            title = f"{split}: {one.tasks} tasks"
            differences = {name: one.difference(name, "lookup") for name in one.summaries if name != "lookup"}
            found += headroom_tables(title, one.summaries, differences, note)
            found += self.sweeps[split].tables() if split in self.sweeps else []
        return found

    def report(self) -> Report:
        """The page."""
        first = next(iter(self.splits.values()))
        lead = f"The calls recorded in {self.store.name}: what one could do with them, from random to knowing every outcome beforehand."
        found = {split: one.summaries for split, one in self.splits.items()}
        return headroom_report(self.store.name, lead, self.tables(), found, self.sweeps, first.settings)

    def show(self) -> None:
        """Print the tables."""
        for table in self.tables():
            print_table(table.title, table.columns, table.rows, right=table.columns[1:])
            if table.note:
                console().print(table.note, markup=False)
        for name, setting in next(iter(self.splits.values())).settings.items():
            console().print(f"{name}: {setting}", style="dim", markup=False)
        for name, reason in next(iter(self.splits.values())).left_out.items():
            warn(f"{name} left out: {reason}")


def judge_store(store: Path, asked: Asked) -> StoreHeadroom:
    """Every baseline on every split that was asked for. Raises StoreError when one, or the training split, is not recorded."""
    manifest = read_manifest(store)
    splits = asked.splits or tuple(dict.fromkeys(known.split for known in manifest.splits if known.split != "val"))
    looked = _Looked(manifest)
    if not asked.no_pictures:
        looked.at("train")
    found = judge(store, manifest, splits, asked.cost_weight, asked=asked, looked=looked)
    by_weight: dict[str, dict[str, dict[str, Any]]] = {split: {} for split in splits}
    for weight in asked.sweep or ():
        again = judge(store, manifest, splits, weight, asked=asked, looked=looked, swept_at=weight)
        for split, one in again.items():
            by_weight[split][f"{weight:g}"] = not_alone(one.summaries)
    sweeps = {split: swept("cost weight", rows) for split, rows in by_weight.items() if rows}
    return StoreHeadroom(store, found, sweeps)


def judge(
    store: Path,
    manifest: Manifest,
    splits: Sequence[str],
    cost_weight: float = 20.0,
    *,
    asked: Asked | None = None,
    looked: _Looked | None = None,
    swept_at: float | None = None,
) -> dict[str, Headroom]:
    """Headroom of each split: random, best single, lookup, cascade and oracles, and with `asked` all there is.

    Raises StoreError when a split, or the training split, is not recorded.
    """
    train = replay(store, manifest, "train", cost_weight)
    validation = replay(store, manifest, "val", cost_weight) if manifest.find("val") else None
    direct = frozenset(name for known in manifest.splits for name in direct_categories(task_source(known.source)))
    fitted: dict[bool, _Fitted] = {}
    found: dict[str, Headroom] = {}
    for split in splits:
        own = split == "train"
        first, pool = halves(train) if own else (train, replay(store, manifest, split, cost_weight))
        if own not in fitted:
            fitted[own] = _Fitted(Baselines(first, validation, MaestroDialect(), direct=direct), asked, looked)
        found[split] = fitted[own].play(split, pool, alone=swept_at is None)
    return found


class _Looked:
    """The pictures of a store's tasks, drawn or read a split at a time and looked at once; the tables of a store have none."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.images = ImageStore(capacity=max([4096, *(known.tasks for known in manifest.splits)]))
        self.pictures = Pictures(self.images)
        self._there: set[str] = set()

    def at(self, split: str) -> None:
        """Look at the pictures of a split. Raises StoreError when it is not recorded, TaskError when its source has changed."""
        if split in self._there:
            return
        if (known := self.manifest.find(split)) is None:
            raise StoreError(f"the store has no record of the split {split!r}.")
        for task in load_tasks(task_source(known.source), split, known.tasks, self.images):
            self.pictures(task)
        self._there.add(split)


class _Fitted:
    """Baselines of one training pool, with everything else that was asked for."""

    def __init__(self, baselines: Baselines, asked: Asked | None, looked: _Looked | None) -> None:
        self.baselines = baselines
        self.asked = asked
        self.looked = looked
        seeing = looked.pictures if looked is not None and asked is not None and not asked.no_pictures else None
        self.choosers = store_choosers(baselines, seeing) if asked is not None else None

    def play(self, split: str, pool: RecordedPool, *, alone: bool) -> Headroom:
        """Every baseline on a pool, and with `alone` every pair and the chat models."""
        prompted = self._prompted(split, pool) if alone else []
        if self.looked is not None and self.asked is not None and self.asked.needs_pictures:
            self.looked.at(split)
        rows = len(self.baselines.policies(pool)) + (len(self.choosers.policies(pool)) if self.choosers is not None else 0)
        rows += RANDOM_SAMPLES - 1 + (len(pool.menu.pairs) if alone and self.choosers is not None else 0) + len(prompted)
        with progress(f"playing {split}", rows * len(pool.tasks)) as done:
            work = headroom(self.baselines, pool, choosers=self.choosers, alone=alone, prompted=prompted, progress=done)
            return run_async(work)

    def _prompted(self, split: str, pool: RecordedPool) -> list[Policy]:
        if self.asked is None or self.looked is None or not self.asked.chats:
            return []
        self.looked.at(split)
        registry = Registry.load(self.looked.manifest.registry)
        return chat_policies(self.asked.chats, pool.menu, self.looked.images, registry)
