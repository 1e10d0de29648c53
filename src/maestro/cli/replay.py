"""From a recorded store to the pool of one of its splits: replayed once, then read from the table that is kept beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro.cli.ensembles import open_ensemble
from maestro.cli.loading import load_tasks, run_async, task_source
from maestro.cli.output import progress
from maestro.errors import StoreError
from maestro.evaluate.fingerprint import code_digest
from maestro.experts.store import CallStore, StoreMode
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.rollout.manifest import Manifest, RecordedSplit
from maestro.rollout.pool import RecordedPool
from maestro.rollout.systems import offered_menu
from maestro.rollout.tables import read_tables
from maestro.tasks.source import TaskSource


def replay(store: Path, manifest: Manifest, split: str, cost_weight: float = 20.0) -> RecordedPool:
    """The recorded pool of one split. Raises StoreError when calls are missing.

    Every call is replayed through its skill once; the table of outcomes is then kept beside the store, and taken from there
    as long as registry, skills and tasks are made by the same code.
    """
    known = manifest.find(split)
    if known is None:
        there = ", ".join(one.split for one in manifest.splits) or "none"
        step = f"Add it with: maestro record … --split {split} --resume"
        raise StoreError(f"{store} has no record of the split {split!r}; recorded: {there}. {step}")
    registry, source = Registry.load(manifest.registry), task_source(known.source)
    menu = offered_menu(registry, source)
    if store.is_dir():
        return read_tables(store, menu, (split,), cost_weight)
    code, table = _code(manifest, known, registry, source), _table(store, known)
    try:
        return RecordedPool.load(table, menu, cost_weight, code)
    except StoreError:  # not made yet, or made by other code: the store itself has the truth
        table.unlink(missing_ok=True)
    images = ImageStore(capacity=1_000_000)
    tasks = load_tasks(source, known.split, known.tasks, images)
    with progress(f"replaying {known.source}/{split}", len(tasks)) as done:
        pool = run_async(_replay(store, manifest, known, tasks, images, cost_weight, done))
    pool.save(table, code)
    return pool


def keep_table(store: Path, manifest: Manifest, known: RecordedSplit, pool: RecordedPool) -> None:
    """Keep the outcomes of a split beside its store, so that nothing has to be replayed."""
    registry, source = Registry.load(manifest.registry), task_source(known.source)
    pool.save(_table(store, known), _code(manifest, known, registry, source))


def _table(store: Path, known: RecordedSplit) -> Path:
    return store.with_name(f"{store.name}.{known.stem}.jsonl.gz")


def _code(manifest: Manifest, known: RecordedSplit, registry: Registry, source: TaskSource) -> str:
    """What a kept table depends on."""
    return f"{code_digest(registry.skills.values(), source)}/{manifest.depth}/{known.tasks}"


async def _replay(
    path: Path, manifest: Manifest, known: RecordedSplit, tasks: Any, images: ImageStore, cost_weight: float, done: Any
) -> RecordedPool:
    with CallStore(path, StoreMode.REPLAY) as store:
        async with open_ensemble(manifest.registry, known.source, images, store) as ensemble:
            pool, report = await RecordedPool.gather(
                tasks, ensemble, cost_weight=cost_weight, depth=manifest.depth, progress=lambda state: done(state.tasks)
            )
    missing = sum(report.failures.values())
    if missing > 0.02 * report.calls:
        name, example = next(iter(report.examples.items()))
        raise StoreError(
            f"{missing} of {report.calls} calls on {known.source}/{known.split} are not in {path}: the registry or the tasks have "
            f"changed since, or recording was not finished ({name}: {example}). "
            f"Go on with: maestro record {known.source} --store {path} --resume"
        )
    return pool


def halves(pool: RecordedPool) -> tuple[RecordedPool, RecordedPool]:
    """First and second half of a pool's tasks, each with every category (tasks are mixed)."""
    tasks = list(pool.tasks.values())
    middle = len(tasks) // 2
    first, second = (RecordedPool(part, pool.menu, pool.name, pool.cost_weight) for part in (tasks[:middle], tasks[middle:]))
    return first, second
