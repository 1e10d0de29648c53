"""`maestro eval`: run a policy over tasks, score it, and write a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml
from click.core import ParameterSource

from maestro.cli.ensembles import as_recorded, open_ensemble
from maestro.cli.loading import direct_categories, load_tasks, one_split, run_async, task_source
from maestro.cli.output import Finite, console, json_option, print_json, print_table, printable, progress, warn
from maestro.cli.replay import replay
from maestro.errors import CheckpointError, ConfigError
from maestro.evaluate.attribution import Restricted, Row, attribute, attribution_dict, attribution_table
from maestro.evaluate.compose import Comparison, categories_figure, comparison_report
from maestro.evaluate.headroom import Baselines
from maestro.evaluate.mistakes import mistakes
from maestro.evaluate.plots import require_matplotlib, scorecard_plots
from maestro.evaluate.provenance import provenance, tasks_digest
from maestro.evaluate.report import Figure, Table
from maestro.evaluate.results import scenes_of
from maestro.evaluate.run import Evaluation, EvaluationFolder, evaluate
from maestro.evaluate.scorecard import Scorecard, scorecard
from maestro.evaluate.sections import as_latex, as_markdown, scorecard_tables
from maestro.evaluate.sweep import Sweep, SweptPoint
from maestro.evaluate.sweep_settings import SweepPlan, cheaper, read_sweep
from maestro.evaluate.table import doubt
from maestro.experts.store import CallStore, StoreMode
from maestro.facade import DEFAULT_POLICY, DEFAULT_REGISTRY
from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.loading import load_policy
from maestro.policy.protocol import Policy, close_policy
from maestro.registry.located import located
from maestro.registry.registry import Registry, shown_path
from maestro.reward import RewardRule
from maestro.rollout.episode import Performs
from maestro.rollout.limits import Limits
from maestro.rollout.manifest import read_manifest
from maestro.rollout.pool import PooledEnsemble, RecordedPool
from maestro.rollout.tables import read_tables
from maestro.scoring.scorable import require_scorable
from maestro.types import Task

FITTED = ("best single", "lookup", "cascade", "skilled oracle", "oracle")
"""Policies that are fitted on, or read from, a recorded store."""


@dataclass(frozen=True)
class _Options:
    policy: str
    tasks: str
    split: str
    limit: int | None
    registry: str
    prices: str | None
    store: Path | None
    replay: bool
    samples: int
    sampled: bool
    seed: int
    cost_weight: float
    turns: int
    baselines: bool


@click.command()
@click.option(
    "--policy",
    "-p",
    help=f"Name, checkpoint folder, random, fixed:ROUTE, or with --store a baseline; by default the registry's own, else {DEFAULT_POLICY}.",
)
@click.option("--tasks", "-t", default="playground", show_default=True, help="A task source, or a file or folder of tasks.")
@click.option("--split", help="Which of its splits; test, or the only one, by default.")
@click.option("--limit", type=click.IntRange(min=1), help="First tasks of the split; all of them by default.")
@click.option("--registry", "-r", default=DEFAULT_REGISTRY, show_default=True, help="Registered name or folder.")
@click.option("--prices", type=click.Path(dir_okay=False), help="YAML with dollars a call of the folder's recorded systems.")
@click.option("--store", "-s", type=click.Path(path_type=Path), help="A call store or a folder of tables.")
@click.option("--replay", is_flag=True, help="Only recorded calls; needs no expert alive.")
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Episodes on each task.")
@click.option("--sampled", is_flag=True, help="Draw decisions at temperature 1 instead of taking the likeliest.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of drawn decisions.")
@click.option("--cost-weight", type=Finite(min=0), default=20.0, show_default=True, help="Utility lost per dollar.")
@click.option("--turns", type=click.IntRange(min=1), default=5, show_default=True, help="Decisions an episode, the answer included.")
@click.option("--baselines", is_flag=True, help="Also run every baseline; needs --store with recorded train and val splits.")
@click.option("--attribution", is_flag=True, help="Also run the policy without experts, with each alone, and without each.")
@click.option("--sweep", metavar="KIND=V,V…", help="Also run it at several turns, budget, cost-weight or without-dearest.")
@click.option("--workers", type=click.IntRange(min=1), default=32, show_default=True, help="Episodes at a time; changes no result.")
@click.option("--figures", is_flag=True, help="Also draw figures as PDF and PNG into the run folder (matplotlib).")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Run folder; runs/eval/… by default.")
@click.option("--resume", type=click.Path(path_type=Path, file_okay=False), help="Go on with this run folder.")
@json_option
def command(
    out: Path | None, resume: Path | None, attribution: bool, sweep: str | None, workers: int, figures: bool, as_json: bool, **given: Any
) -> int:
    """Run a policy over tasks, score every answer, and report accuracy, cost and utility with 95 % intervals.

    Without --registry, a folder of tasks with recorded outcomes is run on its own systems, a skill `ask` for each.

    Episodes that infrastructure broke count 0 and are listed; --resume runs them again, with the options that the run began with, and
    whatever was not finished when the run was interrupted. Exit code 1 when there are any.
    """
    given = _as_begun(resume, given) if resume is not None else _located(given, frozenset(given))
    source = task_source(given["tasks"])
    given = as_recorded(source, given)
    given["policy"] = given["policy"] or Registry.load(given["registry"]).policy or DEFAULT_POLICY
    given = {**given, "split": one_split(source, given["split"], "test")}
    options = _Options(**given)
    if (options.replay or options.baselines) and options.store is None:
        raise ConfigError("--replay and --baselines read recorded calls: give the store with --store.")
    plan = read_sweep(sweep, _limits(options)) if sweep is not None else None
    if figures:
        require_matplotlib()
    images = ImageStore(capacity=1_000_000)
    chosen = load_tasks(source, options.split, options.limit, images)
    require_scorable(chosen)
    config = {**given, "store": str(options.store) if options.store else None, "tasks_digest": tasks_digest(chosen)}
    run = _Run(options, chosen, images, resume or out or Path("runs/eval") / _slug(options), config, workers, resume is not None)
    evaluation, folder, rows, curve = run_async(_run(run, plan, attribution=attribution))
    found = {options.policy: evaluation}
    if options.store is not None and options.baselines:
        baselines, pool = fitted(options.store, options.split, options.cost_weight)
        found |= run_async(_run_baselines(options, chosen, baselines, pool))
    comparison = Comparison(
        f"{Path(options.tasks).name}/{options.split}: {len(chosen)} question{'' if len(chosen) == 1 else 's'}",
        {task.id: task for task in chosen},
        found,
        options.cost_weight,
        stressed=options.policy,
    )
    card = scorecard(_shown(options.policy), evaluation.results)
    tables = [*scorecard_tables(card), *([attribution_table(evaluation, rows)] if rows else []), *(curve.tables() if curve else [])]
    numbers = {
        **provenance(options.tasks, options.split, chosen, evaluation.episodes),
        **card.as_dict(),
        "rows": {name: summary.as_dict() for name, summary in comparison.summaries.items()},
        "attribution": attribution_dict(rows),
        "sweep": curve.as_dict() if curve else None,
    }
    _write(run, comparison, card, [*([curve.figure()] if curve else []), *tables])
    if figures:
        scorecard_plots(run.path / "figures", card, evaluation.results)
    folder.finish(numbers, evaluation.episodes, evaluation.results)
    _tell(comparison, tables, run.path, numbers, as_json=as_json)
    return 1 if any(summary.errors for summary in comparison.summaries.values()) else 0


@dataclass(frozen=True)
class _Run:
    """What is run and where it goes."""

    options: _Options
    tasks: list[Task]
    images: ImageStore
    path: Path
    config: dict[str, Any]
    workers: int
    resumed: bool

    def folder(self) -> EvaluationFolder:
        """The run's own folder, made or taken up."""
        return EvaluationFolder(self.path, self.config, resume=self.resumed)

    def part(self, name: str, kind: str = "attribution") -> EvaluationFolder:
        """The folder of one row of the attribution, or of one point of the sweep, inside it, made or taken up."""
        path = self.path / kind / re.sub(r"[^A-Za-z0-9._-]+", "-", name)
        return EvaluationFolder(path, {**self.config, "part": name}, resume=(path / "config.yaml").is_file())


def _as_begun(folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    """The options of the run in a folder, but for those that were written on the command line."""
    if not (folder / "config.yaml").is_file():
        raise CheckpointError(f"{folder} holds no evaluation to resume (no config.yaml).")
    context = click.get_current_context()
    kept = {
        name: value
        for name, value in yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8")).items()
        if name in given and context.get_parameter_source(name) is ParameterSource.DEFAULT
    }
    kept |= {"store": Path(kept["store"])} if kept.get("store") else {}
    return {**_located(given, given.keys() - kept.keys()), **kept}


def _located(given: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The options with these as they mean the same from any directory: a run is resumed from wherever its user is."""
    found = dict(given)
    kinds: tuple[tuple[str, Any], ...] = (("policy", "policies"), ("tasks", "task_sources"), ("registry", "registries"))
    for option, kind in kinds:
        if option in names and found[option] is not None and (option != "policy" or found[option] not in {*FITTED, "random"}):
            found[option] = located(kind, found[option])
    if "store" in names and found["store"] is not None:
        found["store"] = found["store"].expanduser().absolute()
    return found


async def _run(run: _Run, plan: SweepPlan | None, *, attribution: bool) -> tuple[Evaluation, EvaluationFolder, list[Row], Sweep | None]:
    """Run the policy, then with fewer experts and by sweep if asked; the folder is made once registry and policy are known to be usable."""
    options = run.options
    mode = StoreMode.REPLAY if options.replay else StoreMode.CACHE
    tables = options.store is not None and options.store.is_dir()
    store = CallStore(options.store, mode) if options.store is not None and not tables else None
    try:
        async with open_ensemble(options.registry, options.tasks, run.images, store, options.prices) as live:
            ensemble = performing(live, options.store if tables else None, replay=options.replay)
            found, folder = await _evaluated(run, options.policy, ensemble, run.folder)
            rows = await _attributed(run, found, ensemble) if attribution else []
            return found, folder, rows, await _swept(run, plan, ensemble) if plan is not None else None
    finally:
        if store is not None:
            store.close()


async def _evaluated(
    run: _Run,
    title: str,
    ensemble: Performs,
    begin: Callable[[], EvaluationFolder],
    *,
    limits: Limits | None = None,
    told_cost_weight: float | None = None,
) -> tuple[Evaluation, EvaluationFolder]:
    """One evaluation of the policy on an ensemble, in the folder that `begin` opens."""
    options = run.options
    policy = _policy(options, ensemble, run.images)
    folder = begin()
    try:
        with progress(f"evaluating {title}", len(run.tasks) * options.samples) as done:
            found = await evaluate(
                policy,
                run.tasks,
                ensemble,
                limits or _limits(options),
                RewardRule(cost_weight=options.cost_weight),
                samples=options.samples,
                concurrency=run.workers,
                told_cost_weight=told_cost_weight,
                folder=folder,
                progress=done,
            )
    except BaseException:
        folder.close()
        raise
    finally:
        await close_policy(policy)
    return found, folder


async def _attributed(run: _Run, whole: Evaluation, ensemble: Performs) -> list[Row]:
    """The policy with fewer experts on offer, a folder each."""

    async def part(name: str, offered: Performs, may_call: bool) -> Evaluation:
        limits = _limits(run.options).model_copy(update={"cost_usd": None if may_call else 0})
        found, folder = await _evaluated(run, name, offered, lambda: run.part(name), limits=limits)
        folder.finish(scorecard(name, found.results).as_dict(), found.episodes, found.results)
        return found

    return await attribute(whole, ensemble, part)


async def _swept(run: _Run, plan: SweepPlan, ensemble: Performs) -> Sweep:
    """The policy at every setting of a sweep, a folder each. A setting at which it cannot work is told and left out."""
    system, points = _shown(run.options.policy), []
    for setting in plan.settings:
        title = f"{plan.what} {setting.name}"
        offered = Restricted(ensemble, cheaper(ensemble.menu, setting.dearest_left_out)) if setting.dearest_left_out else ensemble
        begin = partial(run.part, title, "sweep")
        try:
            found, folder = await _evaluated(run, title, offered, begin, limits=setting.limits, told_cost_weight=setting.told_cost_weight)
        except ConfigError as error:
            warn(f"{title}: left out of the sweep: {error}")
            continue
        folder.finish(scorecard(title, found.results).as_dict(), found.episodes, found.results)
        points.append(SweptPoint.of(system, setting.name, found.summary()))
    if not points:
        raise ConfigError(f"the policy {system} could be run at no setting of the sweep over {plan.what}.")
    return Sweep(plan.what, tuple(points))


def _limits(options: _Options) -> Limits:
    return Limits(turns=options.turns, seconds=600)


def performing(live: Performs, tables: Path | None, *, replay: bool = False) -> Performs:
    """The live ensemble, or recorded tables before it, or with `replay` the tables alone."""
    if tables is None:
        return live
    pool = read_tables(tables, live.menu)
    return pool if replay else PooledEnsemble(pool, live)


def _policy(options: _Options, ensemble: Performs, images: ImageStore) -> Policy:
    if options.policy not in FITTED:
        return load_policy(options.policy, ensemble.menu, images, greedy=not options.sampled, seed=options.seed)
    if options.store is None:
        raise ConfigError(f"{options.policy} is fitted on recorded calls: give the store with --store.")
    raise ConfigError(f"{options.policy} is one of the baselines: run them all beside a policy with --baselines, or see maestro headroom.")


async def _run_baselines(options: _Options, tasks: list[Task], baselines: Baselines, pool: RecordedPool) -> dict[str, Evaluation]:
    """Every baseline on the recorded calls of these tasks."""
    found: dict[str, Evaluation] = {}
    recorded = pool.select(tasks)
    for policy in baselines.policies(recorded):
        found[policy.name] = await evaluate(
            policy, tasks, recorded, Limits(turns=options.turns), RewardRule(cost_weight=options.cost_weight)
        )
    return found


def fitted(store: Path, split: str, cost_weight: float) -> tuple[Baselines, RecordedPool]:
    """The baselines fitted on a store's train and val splits, and its pool of one split. Raises StoreError."""
    manifest = read_manifest(store)
    train = replay(store, manifest, "train", cost_weight)
    validation = replay(store, manifest, "val", cost_weight) if manifest.find("val") else None
    direct = frozenset(name for known in manifest.splits for name in direct_categories(task_source(known.source)))
    return Baselines(train, validation, MaestroDialect(), direct=direct), replay(store, manifest, split, cost_weight)


def _write(run: _Run, comparison: Comparison, card: Scorecard, sections: list[Table | Figure]) -> None:
    """The report and the tables, each whole."""
    options = run.options
    lead = f"The policy {_shown(options.policy)} on {Path(options.tasks).name}/{options.split}, registry {_shown(options.registry)}."
    report = comparison_report(comparison, f"Evaluation of {_shown(options.policy)}", lead)
    report.sections[1:1] = [categories_figure(card)]
    report.sections += sections
    tables = [section for section in sections if isinstance(section, Table)]
    report.write(run.path / "report.html", run.images)
    (run.path / "tables.md").write_text(as_markdown(tables), encoding="utf-8")
    (run.path / "tables.tex").write_text(as_latex(tables), encoding="utf-8")


def _tell(comparison: Comparison, tables: list[Table], path: Path, numbers: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"run": str(path), **numbers})
        return
    columns, cells = comparison.cells()
    print_table(comparison.title, columns, cells, right=columns[1:])
    for table in tables:
        print_table(table.title, table.columns, table.rows, right=table.columns[1:])
    results = comparison.evaluations[comparison.shown].results
    if note := doubt(len(set(scenes_of(results).values()))):
        console().print(note, style="dim", markup=False)
    if (wrong := mistakes(comparison.tasks, results)) is not None:
        print_table(wrong.title, wrong.columns, [[printable(cell) for cell in row] for row in wrong.rows])
    for name, summary in comparison.summaries.items():
        for error in summary.errors[:5]:
            console(stderr=True).print(f"{name}: broken episode counted as 0: {error}", style="red", markup=False)
    click.echo(f"report: {path / 'report.html'}")


def _shown(name: str) -> str:
    """A path as messages have it, anything else as it is."""
    return shown_path(Path(name)) if name.startswith("/") else name


def _slug(options: _Options) -> str:
    """A folder name from what is run."""
    name = f"{Path(options.policy).name or options.policy}-{Path(options.tasks).name}-{options.split}"
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")
