"""`maestro headroom`: what there is to learn in a recorded store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maestro.cli.ensembles import open_ensemble
from maestro.cli.loading import direct_categories, load_tasks, run_async, task_source
from maestro.cli.output import Finite, console, json_option, print_json, print_table, progress
from maestro.cli.system_headroom import judge_folder, recorded_folder, refused, show_folder
from maestro.errors import ConfigError, StoreError
from maestro.evaluate.fingerprint import code_digest
from maestro.evaluate.headroom import Baselines, Headroom, headroom
from maestro.evaluate.table import rows, signed
from maestro.experts.store import CallStore, StoreMode
from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.registry.registry import Registry
from maestro.rollout.manifest import Manifest, RecordedSplit, manifest_path, read_manifest
from maestro.rollout.pool import RecordedPool
from maestro.rollout.systems import offered_menu
from maestro.rollout.tables import read_tables
from maestro.tasks.recorded_folder import OUTCOMES_FILE, TASKS_FILE, RecordedFolder
from maestro.tasks.source import TaskSource


@click.command()
@click.argument("store", metavar="STORE|FOLDER", type=click.Path(path_type=Path))
@click.option("--split", "splits", multiple=True, help="Splits to judge; every recorded one but val by default, of a folder test.")
@click.option("--train", help="Of a folder: the split that baselines are fitted on; train by default.")
@click.option("--prices", type=click.Path(path_type=Path, dir_okay=False), help="Of a folder: YAML with dollars a call by system.")
@click.option("--cost-weight", type=Finite(min=0), default=20.0, show_default=True, help="Utility lost per dollar.")
@click.option("--gate", type=float, help="Fail when oracle minus lookup is below this on any split.")
@json_option
def command(
    store: Path, splits: tuple[str, ...], train: str | None, prices: Path | None, cost_weight: float, gate: float | None, as_json: bool
) -> int:
    """Compare random, best single route, question-only lookup, cascade and oracle on the calls recorded in STORE.

    The baselines are fitted on the recorded train and val splits; the split train itself is judged on its second half by
    baselines fitted on its first.

    Of a FOLDER with tasks and recorded outcomes: what every system came to on all rows and by category, and baselines fitted on
    the half of its scenes called train, played on the half called test.
    """
    if (folder := recorded_folder(store)) is not None:
        return _folder(folder, splits, train, prices, cost_weight, gate, as_json)
    if train or prices:
        raise ConfigError(f"--train and --prices are for a folder with {TASKS_FILE} and {OUTCOMES_FILE}, which {store} is not.")
    if not manifest_path(store).is_file():
        raise refused(store)
    manifest = read_manifest(store)
    chosen = splits or tuple(dict.fromkeys(known.split for known in manifest.splits if known.split != "val"))
    found = judge(store, manifest, chosen, cost_weight)
    passed = gate is None or all(one.gate(gate) for one in found.values())
    if as_json:
        print_json({"store": str(store), "gate": gate, "passed": passed, "splits": {split: one.as_dict() for split, one in found.items()}})
    else:
        for split, one in found.items():
            _show(split, one)
        if gate is not None:
            console().print(f"gate of {gate:g}: {'passed' if passed else 'FAILED'}", style="green" if passed else "red")
    return 0 if passed else 1


def _folder(
    folder: RecordedFolder,
    splits: tuple[str, ...],
    train: str | None,
    prices: Path | None,
    cost_weight: float,
    gate: float | None,
    as_json: bool,
) -> int:
    if len(splits) > 1:
        raise ConfigError(f"of a folder one split is played; got {', '.join(splits)}.")
    found = judge_folder(folder, splits[0] if splits else None, train, prices, cost_weight)
    passed = gate is None or (found.headroom is not None and found.headroom.gap.mean >= gate)
    if as_json:
        print_json({"folder": folder.name, "gate": gate, "passed": passed, **found.as_dict()})
    else:
        show_folder(folder.name, found)
    return 0 if passed else 1


def judge(store: Path, manifest: Manifest, splits: tuple[str, ...], cost_weight: float = 20.0) -> dict[str, Headroom]:
    """Headroom of each split. Raises StoreError when it, or the training split, is not recorded."""
    train = replay(store, manifest, "train", cost_weight)
    validation = replay(store, manifest, "val", cost_weight) if manifest.find("val") else None
    direct = frozenset(name for known in manifest.splits for name in direct_categories(task_source(known.source)))
    found: dict[str, Headroom] = {}
    whole: Baselines | None = None
    for split in splits:
        if split == "train":
            first, second = halves(train)
            found[split] = run_async(headroom(Baselines(first, validation, MaestroDialect(), direct=direct), second))
            continue
        whole = whole or Baselines(train, validation, MaestroDialect(), direct=direct)
        found[split] = run_async(headroom(whole, replay(store, manifest, split, cost_weight)))
    return found


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


def _show(split: str, found: Headroom) -> None:
    summaries = [evaluation.summary() for evaluation in found.evaluations.values()]
    differences = {name: found.difference(name, "lookup") for name in found.evaluations if name != "lookup"}
    columns, cells = rows(summaries, differences)
    print_table(f"{split}: {found.tasks} tasks", columns, cells, right=columns[1:])
    for name, setting in found.settings.items():
        console().print(f"{name}: {setting}", style="dim", markup=False)
    console().print(f"oracle - lookup: {signed(found.gap)}; without lucky hits of other skills: {signed(found.skilled_gap)}", markup=False)
