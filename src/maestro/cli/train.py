"""`maestro train`: warm start, expert iteration and policy gradients, as one config says."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maestro.cli.output import console, json_option, print_json, warn, warnings_told
from maestro.cli.train_ending import taken_up_later
from maestro.cli.train_plan import describe
from maestro.config import load_config
from maestro.errors import ConfigError, MissingDependency
from maestro.facade import DEFAULT_REGISTRY
from maestro.registry.registry import argument
from maestro.train.config.run import TrainConfig
from maestro.train.folder.checkpoint import Checkpoints
from maestro.train.folder.claim import check_free
from maestro.train.folder.layout import check_place
from maestro.train.readers import check_read

if TYPE_CHECKING:
    from maestro.train.alarms.watch import Alarm
    from maestro.train.processes.start import Processes


@click.command()
@click.argument("config", metavar="CONFIG", required=False, type=click.Path(path_type=Path))
@click.option("--resume", metavar="DIR", type=click.Path(path_type=Path), help="Take up the run in DIR; CONFIG may be left out.")
@click.option("--run", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Run folder; by default runs/NAME.")
@click.option("--set", "overrides", metavar="NAME=VALUE", multiple=True, help="Change a setting, for example stages.0.steps=200.")
@click.option("--dry-run", is_flag=True, help="Check the config; print it resolved, who reads each setting, and the memory it takes.")
@click.option("--processes", type=click.IntRange(min=1), default=8, show_default=True, help="With --dry-run: plan memory for so many.")
@json_option
def command(
    config: Path | None,
    resume: Path | None,
    folder: Path | None,
    overrides: tuple[str, ...],
    dry_run: bool,
    processes: int,
    as_json: bool,
) -> None:
    """Train a policy as CONFIG says; the result is the folder `policy` in the run folder."""
    if config is None and resume is None:
        raise click.UsageError("give a CONFIG, or --resume DIR to take up a run.")
    if resume is not None:  # before its config is looked for: a folder without one holds no run
        check_place(resume, resume=True)
    source = config if config is not None else (resume or Path()) / "config.yaml"
    settings = load_config(TrainConfig, source, overrides)
    if config is not None:  # what a run folder holds is absolute already, or was written before that was so
        _check_paths(settings, config)
        settings = settings.located()
    target = resume or folder or Path("runs") / settings.name
    if settings.engine == "verl":  # what the engine cannot do, before each setting that it would therefore not read
        from maestro.train.verl.overrides import only_stage

        only_stage(settings)
    check_read(settings)
    if dry_run:
        describe(settings, target, processes, as_json=as_json)
        return
    check_place(target, resume=resume is not None)
    check_free(target)
    policy = _run(settings, target, resume=resume is not None, as_json=as_json)
    if policy is None:
        return
    report, ended = target / "report.html", _ended_by(target)
    result = {"policy": str(policy), "run": str(target), "report": str(report) if report.exists() else None, "config": settings.digest}
    if as_json:
        print_json({**result, "ended_by": ended})
    else:
        if ended is not None:
            warn(f"the alarm {ended} ended the run early; README.md of the policy says which checkpoint was handed over")
        console().print(f"policy in {policy}; ask it with: {_asking(settings, target)}", markup=False)
        if report.exists():
            console().print(f"report in {report}", markup=False)


def _ended_by(target: Path) -> str | None:
    """The alarm that ended a run, None when it came to its end."""
    latest = Checkpoints(target / "checkpoints", writes=False).latest()
    return latest.position.stopped if latest is not None else None


def _asking(settings: TrainConfig, target: Path) -> str:
    """The command that asks the trained policy, over the registry that it knows."""
    own = settings.ensemble.registry
    place = shlex.quote(argument(Path(own)) if own.startswith("/") else own)
    registry = "" if own == DEFAULT_REGISTRY else f" --registry {place}"
    return f"maestro ask QUESTION --policy {shlex.quote(str(target))}{registry}"


def _check_paths(settings: TrainConfig, config: Path) -> None:
    """Raise ConfigError for a path that is not here but lies beside the config, or beside its folder: paths count from where one stands."""
    named = {"ensemble.registry": settings.ensemble.registry, "tasks.source": settings.tasks.source, "policy.load": settings.policy.load}
    for key, value in named.items():
        path = Path((value or "").partition("?")[0])
        if not value or path.is_absolute() or path.exists() or "/" not in value:
            continue
        folder = config.absolute().parent
        base = next((base for base in (folder, folder.parent) if (base / path).exists()), None)
        if base is not None:
            raise ConfigError(
                f"{key}: there is no {value} here. Paths in a config count from where maestro is started, not from the config; there is "
                f"one in {base}: start maestro there, or give --set {key}={shlex.quote(str(base / path))}"
            )


def _run(settings: TrainConfig, target: Path, *, resume: bool, as_json: bool) -> Path | None:
    """The policy's folder; None in a process beside the first of those that train together."""
    if settings.engine == "verl":
        return _run_on_verl(settings, target, resume=resume, as_json=as_json)
    try:
        import maestro.train.run  # noqa: F401 (asked for before anything is made)
    except ModuleNotFoundError as error:
        raise MissingDependency(f"training needs {error.name}; install it with: pip install 'maestro-orchestrator[train]'") from error
    from maestro.train.processes.start import Processes

    processes = Processes.joined(settings.compute)
    # Several are ended by what launched them, which waits for none that hangs on the others.
    with taken_up_later(target) if processes.count == 1 else nullcontext():
        return _train(settings, target, processes, resume=resume, as_json=as_json)


def _train(settings: TrainConfig, target: Path, processes: Processes, *, resume: bool, as_json: bool) -> Path | None:
    """`_run` in this process."""
    from maestro.images import ImageStore
    from maestro.train.materials import load_materials
    from maestro.train.run import train

    if settings.policy.blank_images:
        warn("the policy trains on blank pictures (policy.blank_images)")
    with warnings_told():
        loaded = load_materials(settings, ImageStore(capacity=20_000))
    with asyncio.Runner() as runner:
        try:
            progress = Terminal() if processes.main and not as_json else None
            policy = train(settings, loaded.materials, target, resume=resume, progress=progress, runner=runner, processes=processes)
            return policy if processes.main else None
        finally:
            runner.run(loaded.close())
            if processes.main and (target / "metrics.jsonl").exists():  # of a run that was interrupted, too
                _report(target)


def _run_on_verl(settings: TrainConfig, target: Path, *, resume: bool, as_json: bool) -> Path:
    """The policy's folder, of a run in verl's own processes."""
    from maestro.train.verl.launch import launch

    terminal = Terminal()
    try:
        with taken_up_later(target):
            return launch(settings, target, resume=resume, progress=None if as_json else terminal)
    finally:
        terminal.close()
        if (metrics := target / "metrics.jsonl").exists() and metrics.stat().st_size:
            _report(target)


def _report(target: Path) -> None:
    """Write the run's report; where there is no room for it, what ended the run is what matters."""
    from maestro.evaluate.training_report import write_training_report

    try:
        write_training_report(target)
    except OSError as error:
        warn(f"the report was not written: {error.strerror}. Write it later with: maestro trace report {shlex.quote(str(target))}")


class Terminal:
    """Progress for people: a line per look, and a bar in between where stderr is a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def stage(self, index: int, kind: str, steps: int, done: int) -> None:
        """A new bar."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self.close()
        out = console(stderr=True)
        out.print(f"stage {index + 1}: {kind}, {steps} {'rounds' if kind == 'expert_iteration' else 'steps'}", markup=False)
        if out.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=out)
            self._task = self._bar.add_task(kind, total=steps, completed=done)
            self._bar.start()

    def step(self, record: Mapping[str, Any]) -> None:
        """Move the bar, or print a look."""
        kind, out = record["kind"], console(stderr=True)
        counts = "round" if record["name"] == "expert_iteration" else "step"
        if self._bar is not None and kind == counts:
            shown = " ".join(
                f"{name} {record[name]:.3f}" for name in ("loss", "reward", "accuracy", "calls") if record.get(name) is not None
            )
            self._bar.update(self._task, completed=record["step"], description=f"{record['name']} {shown}")
        if kind in {"validation", "probe", "round"}:
            out.print(f"  {kind} at {record['step']}: {_numbers(record)}", markup=False)
        if record["name"] != "warm_start" and kind == "step" and self._bar is None and record["step"] % 10 == 0:
            out.print(f"  step {record['step']}: {_numbers(record)}", markup=False)

    def alarm(self, alarm: Alarm) -> None:
        """Say it."""
        warn(f"step {alarm.step}: {alarm.name}: {alarm.message}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


_SHOWN = ("utility", "accuracy", "calls", "information", "grammar", "topic", "look", "copy", "reward", "wellformed", "loss")


def _numbers(record: Mapping[str, Any]) -> str:
    """The numbers of a record that fit a line."""
    plain = [f"{name} {record[name]:.3f}" for name in _SHOWN if isinstance(record.get(name), float)]
    nested = [
        f"{mode}: " + ", ".join(f"{name} {record[mode][name]:.3f}" for name in _SHOWN if isinstance(record[mode].get(name), float))
        for mode in ("greedy", "sampled")
        if isinstance(record.get(mode), Mapping)
    ]
    return "; ".join([", ".join(plain), *nested] if plain else nested)
