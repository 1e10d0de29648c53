"""`maestro record`: fill a call store with every allowed call, and check that what is recorded is still true."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from maestro.cli.ensembles import open_ensemble
from maestro.cli.loading import load_tasks, run_async, several_splits, task_source
from maestro.cli.output import Finite, console, json_option, print_json, print_table, progress
from maestro.cli.record_tell import tell
from maestro.cli.replay import keep_table, replay
from maestro.errors import ConfigError, StoreError
from maestro.evaluate.fingerprint import code_digest
from maestro.evaluate.verify import TOLERANCE, Verification
from maestro.evaluate.verify import verify as verify_calls
from maestro.experts.store import CallStore, StoreMode
from maestro.facade import DEFAULT_REGISTRY
from maestro.images import ImageStore
from maestro.registry.located import located
from maestro.registry.registry import Registry
from maestro.rollout.manifest import Manifest, RecordedSplit, manifest_path, read_manifest
from maestro.rollout.pool import DEPTH, Progress, RecordedPool
from maestro.rollout.tables import read_tables, write_tables
from maestro.skills.ensemble import Ensemble


class _FillOrVerify(click.Group):
    """`maestro record TASKS …` fills; `maestro record verify STORE …` verifies."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take anything but a subcommand or a call for help as TASKS."""
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = ["fill", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_FillOrVerify)
def command() -> None:
    """Make every allowed call on every task once, and keep the replies.

    `maestro record TASKS --store S` fills a store; `maestro record verify S` makes a sample of its calls again.
    """


command.add_command(tell)


@command.command("fill")
@click.argument("tasks")
@click.option("--registry", "-r", default=DEFAULT_REGISTRY, show_default=True, help="Registered name or folder.")
@click.option("--store", "-s", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The SQLite file to fill.")
@click.option(
    "--split",
    "splits",
    multiple=True,
    help="May be repeated; train, val and test by default, or every split where these are not all there.",
)
@click.option("--limit", type=click.IntRange(min=1), help="First tasks of each split; all of them by default.")
@click.option("--depth", type=click.IntRange(1, 5), default=DEPTH, show_default=True, help="Calls in a row.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes for in-process experts; one a core by default.")
@click.option("--resume", is_flag=True, help="Go on with an existing store; what is recorded is not called again.")
@json_option
def fill(
    tasks: str,
    registry: str,
    store: Path,
    splits: tuple[str, ...],
    limit: int | None,
    depth: int,
    workers: int | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Record every allowed call on the tasks of TASKS: a source, or a file or folder of tasks.

    Failed calls are counted apart, not kept, and tried again by --resume. Exit code 1 when there were any.
    """
    if store.exists() and not resume:
        raise ConfigError(f"{store} exists. Go on with it by --resume, or give another --store.")
    manifest = _manifest(store, registry, depth)
    source = task_source(tasks)
    # Stores made by earlier versions know a path as it was given then.
    kept = tasks if any(known.source == tasks for known in manifest.splits) else located("task_sources", tasks)
    reports: dict[str, Progress] = {}
    for split in several_splits(source, splits, ("train", "val", "test")):
        images = ImageStore(capacity=1_000_000)
        chosen = load_tasks(source, split, limit, images)
        with progress(f"recording {tasks}/{split}", len(chosen)) as done:
            pool, reports[split] = run_async(_fill(chosen, tasks, registry, images, store, depth, workers, done))
        known = RecordedSplit(source=kept, split=split, tasks=len(chosen))
        manifest = manifest.with_split(known)
        manifest.write(store)
        if not reports[split].failures:
            keep_table(store, manifest, known, pool)
    if as_json:
        print_json({"store": str(store), "splits": {split: _plain(report) for split, report in reports.items()}})
    else:
        _show(store, reports)
    return 1 if any(report.failures for report in reports.values()) else 0


async def _fill(
    chosen: Any, source: str, registry: str, images: ImageStore, path: Path, depth: int, workers: int | None, done: Any
) -> tuple[RecordedPool, Progress]:
    with CallStore(path, StoreMode.CACHE) as store:
        async with open_ensemble(registry, source, images, store, workers=workers) as ensemble:
            in_flight = 2 * (workers or os.cpu_count() or 1)
            return await RecordedPool.gather(chosen, ensemble, depth=depth, concurrency=in_flight, progress=lambda state: done(state.tasks))


def _manifest(store: Path, registry: str, depth: int) -> Manifest:
    """The store's manifest, or a new one. Raises ConfigError when the store was made on another registry."""
    place = located("registries", registry)
    if not manifest_path(store).exists():
        return Manifest(registry=place, depth=depth)
    known = read_manifest(store) if store.exists() else Manifest(registry=place, depth=depth)
    if known.registry not in {place, registry}:
        raise ConfigError(f"{store} was recorded on the registry {known.registry!r}, not {registry!r}. Give another --store.")
    return known.model_copy(update={"depth": depth})


def _plain(report: Progress) -> dict[str, Any]:
    return {
        "tasks": report.tasks,
        "calls": report.calls,
        "replayed": report.replayed,
        "refused": report.refused,
        "failures": dict(report.failures),
        "examples": report.examples,
    }


def _show(store: Path, reports: dict[str, Progress]) -> None:
    columns = ("split", "tasks", "calls", "already there", "refused by the skill", "failed")
    rows = [(split, r.tasks, r.calls, r.replayed, r.refused, sum(r.failures.values())) for split, r in reports.items()]
    print_table(str(store), columns, rows, right=columns[1:])
    for split, report in reports.items():
        for name, count in report.failures.most_common(5):
            console(stderr=True).print(
                f"{split}: {name} failed {count} times, for example {report.examples[name]}", style="red", markup=False
            )


@command.command("pack")
@click.argument("store", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def pack(store: Path, folder: Path) -> None:
    """Write the outcomes recorded in STORE as compressed tables to the new FOLDER, which every --store takes as well."""
    manifest = read_manifest(store)
    registry = Registry.load(manifest.registry)
    pools = {known.split: replay(store, manifest, known.split) for known in manifest.splits}
    code = code_digest(registry.skills.values(), task_source(manifest.splits[0].source)) if manifest.splits else ""
    write_tables(folder, manifest, pools, code)
    size = sum(path.stat().st_size for path in folder.iterdir())
    console().print(f"{folder}: {sum(len(pool.tasks) for pool in pools.values())} tasks, {size / 1e6:.1f} MB", markup=False)


@command.command()
@click.argument("store", type=click.Path(path_type=Path))
@click.option("--sample", "-n", type=click.IntRange(min=1), default=100, show_default=True, help="Calls to make again.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which calls.")
@click.option("--tolerance", type=Finite(min=0), default=TOLERANCE, show_default=True, help="Of stated confidences.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes for in-process experts; one a core by default.")
@json_option
def verify(store: Path, sample: int, seed: int, tolerance: float, workers: int | None, as_json: bool) -> int:
    """Make a random sample of the calls recorded in STORE again, live, and compare; no call twice.

    A scripted expert that replies in turn says something else every time, so its record cannot be verified.
    Exit code 1 when any outcome differs, is missing, or could not be had.
    """
    manifest = read_manifest(store)
    if not manifest.splits:
        raise StoreError(f"{store} records no split yet; fill it with: maestro record TASKS --store {store} --resume")
    tables = read_tables(store, Registry.load(manifest.registry).menu()) if store.is_dir() else None
    images = ImageStore(capacity=1_000_000)
    chosen = [task for known in manifest.splits for task in load_tasks(task_source(known.source), known.split, known.tasks, images)]
    registry = Registry.load(manifest.registry)
    most = len(chosen) * len(registry.menu().pairs)
    with progress("verifying", sample if sample < most else None) as done:
        found = run_async(_verify(chosen, manifest.registry, images, store, tables, sample, seed, tolerance, workers, done))
    if as_json:
        print_json({**{name: getattr(found, name) for name in ("checked", "agreed", "same_text", "agreement", "unrecorded", "passed")},
                    "broken": found.broken, "disagreements": found.disagreements})  # fmt: skip
    else:
        show_verification(found)
        _show_turns(found, registry)
    return 0 if found.passed else 1


async def _verify(
    chosen: Any,
    registry: str,
    images: ImageStore,
    path: Path,
    tables: RecordedPool | None,
    sample: int,
    seed: int,
    tolerance: float,
    workers: int | None,
    done: Any,
) -> Verification:
    if tables is not None:
        async with Ensemble.load(registry, images, workers=workers) as live:
            return await verify_calls(chosen, tables, live, sample, seed=seed, tolerance=tolerance, progress=done)
    with CallStore(path, StoreMode.REPLAY) as store:
        async with Ensemble.load(registry, images, store) as recorded, Ensemble.load(registry, images, workers=workers) as live:
            return await verify_calls(chosen, recorded, live, sample, seed=seed, tolerance=tolerance, progress=done)


def show_verification(found: Verification) -> None:
    """Print what a verification found."""
    console().print(
        f"{found.agreed} of {found.checked} recorded calls agree with live ones ({found.same_text} to the letter)", markup=False
    )
    if found.unrecorded:
        console(stderr=True).print(f"{found.unrecorded} calls are not in the store", style="red")
    for message in found.broken[:5]:
        console(stderr=True).print(f"failed: {message}", style="red", markup=False)
    for one in found.disagreements[:10]:
        console(stderr=True).print(
            f"{one.task_id} {one.call.expert}@{one.call.skill} {one.call.query}\n  recorded: {one.recorded!r}\n  live:     {one.live!r}",
            markup=False,
        )


def _show_turns(found: Verification, registry: Registry) -> None:
    """Say which disagreements are no wonder."""
    differing = {one.call.expert for one in found.disagreements}
    turning = sorted(
        name
        for name in differing
        if registry.experts[name].kind == "scripted" and len(registry.experts[name].options.get("replies", ())) > 1
    )
    if turning:
        told = (
            f"{', '.join(turning)}: scripted replies come in turn, so a call made again gets another one; such a record cannot be verified"
        )
        console(stderr=True).print(told, markup=False)
