"""`maestro headroom FOLDER`: what recorded systems came to, and what choosing between them could."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro.cli.chat_row import chat_policies
from maestro.cli.headroom_options import Asked
from maestro.cli.loading import load_tasks, run_async
from maestro.cli.output import console, print_table, progress, warn
from maestro.errors import ConfigError
from maestro.evaluate.clusters import cluster_of
from maestro.evaluate.headroom_page import headroom_report, headroom_tables, not_alone
from maestro.evaluate.report import Report, Table
from maestro.evaluate.sweep import Sweep, swept
from maestro.evaluate.system_table import Group, Share, SystemTable, shown
from maestro.evaluate.systems import SystemBaselines, SystemHeadroom, system_headroom
from maestro.evaluate.table import signed
from maestro.images import ImageStore
from maestro.policy.baselines import Pictures
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.registry.registry import Registry
from maestro.rollout.manifest import manifest_path
from maestro.rollout.prices import read_prices
from maestro.rollout.systems import DEFAULT_PRICE, own_systems
from maestro.scoring.scorable import require_scorable
from maestro.tasks.recorded_folder import OUTCOMES_FILE, TASKS_FILE, RecordedFolder
from maestro.types import Task

TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class FolderHeadroom:
    """The record of a folder's systems, and the baselines on the split they were not fitted on."""

    name: str
    table: SystemTable
    split: str
    fitted_on: str
    headroom: SystemHeadroom | None
    """None where the folder lacks the split to fit on, or that to play."""
    note: str
    sweep: Sweep | None = None

    @property
    def named(self) -> dict[str, Any]:
        """What was judged, for the top of JSON."""
        return {"folder": self.name}

    def gate(self, least: float) -> bool:
        """Whether there are baselines, and the gap is at least `least`."""
        return self.headroom is not None and self.headroom.gap.mean >= least

    @property
    def broken(self) -> dict[str, tuple[str, ...]]:
        """Errors of the rows that infrastructure broke."""
        rows = self.headroom.summaries if self.headroom is not None else {}
        return {name: one.errors for name, one in rows.items() if one.errors}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        played = None if self.headroom is None else {"split": self.split, "fitted_split": self.fitted_on, **self.headroom.as_dict()}
        sweep = self.sweep.as_dict() if self.sweep is not None else None
        return {"systems": self.table.as_dict(), "baselines": played, "sweep": sweep, "note": self.note}

    def tables(self) -> list[Table]:
        """The systems on all rows, by category and benchmark, the baselines and the sweep."""
        found = [_systems_table(self.name, self.table), _groups_table("by category", "category", self.table.categories)]
        found += [_groups_table("by benchmark", "benchmark", self.table.kinds)] if self.table.kinds else []
        if (played := self.headroom) is not None:
            questions = next(iter(played.summaries.values())).questions
            title = f"{self.split}: {questions} questions; fitted on {played.fitted} of {self.fitted_on}"
            lookup = "question kNN"
            differences = {name: played.difference(name, lookup) for name in played.summaries if name != lookup}
            note = f"oracle - question kNN in utility: {signed(played.gap)}"
            found += headroom_tables(title, played.summaries, differences, note)
        return [*found, *(self.sweep.tables() if self.sweep is not None else [])]

    def report(self) -> Report:
        """The page."""
        lead = (
            f"{self.table.questions} questions in {self.table.scenes} scenes, what {len(self.table.systems)} recorded systems came to on "
        )
        lead += "them, and what choosing between them could."
        found = {self.split: self.headroom.summaries} if self.headroom is not None else {}
        sweeps = {self.split: self.sweep} if self.sweep is not None else {}
        settings = self.headroom.settings if self.headroom is not None else {}
        page = headroom_report(Path(self.name).name, lead, self.tables(), found, sweeps, settings)
        page.notes += [self.note] if self.note else []
        return page

    def show(self) -> None:
        """Print the tables."""
        for table in self.tables():
            print_table(table.title, table.columns, table.rows, right=[name for name in table.columns[1:] if name != "best system here"])
            if table.note:
                console().print(table.note, markup=False)
        if self.headroom is not None:
            for name, setting in self.headroom.settings.items():
                console().print(f"{name}: {setting}", style="dim", markup=False)
            for name, reason in self.headroom.left_out.items():
                warn(f"{name} left out: {reason}")
        if self.note:
            console().print(self.note, style="dim", markup=False)


def recorded_folder(path: Path) -> RecordedFolder | None:
    """The folder of recorded systems at a path; None when it is something else. Raises TaskError when its tasks cannot be used."""
    if not (path.is_dir() and (path / TASKS_FILE).is_file()):
        return None
    folder = RecordedFolder(path, str(path))
    return folder if folder.format.name == "recorded" and folder.is_recorded else None


def refused(path: Path) -> ConfigError:
    """Why there is no headroom at a path that is neither a store with a manifest nor a folder of recorded systems, and what to do."""
    wanted = f"headroom needs a folder with {TASKS_FILE} and {OUTCOMES_FILE} (docs/recorded.md), or a store made by maestro record"
    if not path.exists():
        return ConfigError(f"there is nothing at {path}: {wanted} (maestro record playground --store {path}).")
    if not path.is_dir():
        return ConfigError(f"{path} is no recorded store, for it has no {manifest_path(path).name} beside it: {wanted}.")
    lacking = [name for name in (TASKS_FILE, OUTCOMES_FILE) if not (path / name).is_file()]
    why = (
        f"{path} lacks {' and '.join(lacking)}"
        if lacking
        else f"the rows of {path / TASKS_FILE} have no task_id, which outcomes are joined by"
    )
    hint = f" Its questions can be asked as they are: maestro eval --tasks {path}" if lacking == [OUTCOMES_FILE] else ""
    return ConfigError(f"{why}: {wanted}.{hint}")


def judge_folder(folder: RecordedFolder, asked: Asked) -> FolderHeadroom:
    """The table of all its rows, and the baselines fitted on one split and played on another. Raises ConfigError, TaskError."""
    if len(asked.splits) > 1:
        raise ConfigError(f"of a folder one split is played; got {', '.join(asked.splits)}.")
    table = SystemTable.of(list(folder.questions.values()), folder.outcomes, folder.kinds)
    fitted_on, played = asked.train or TRAIN, asked.splits[0] if asked.splits else TEST
    note = "" if asked.prices else f"every call costs ${DEFAULT_PRICE.call_usd:g}, as no prices were given (--prices)"
    if lacking := [name for name in (fitted_on, played) if name not in folder.splits]:
        if asked.splits or asked.train:
            load_tasks(folder, lacking[0], None, ImageStore())  # says which splits there are
        there = f"no split {lacking[0]!r} (there is {', '.join(folder.splits)}): name others with --train and --split"
        return FolderHeadroom(folder.name, table, played, fitted_on, None, f"no baselines: {folder.name} has {there}")
    play = _Play(folder, asked, fitted_on, played)
    if seen := _seen(play.tasks[fitted_on], play.tasks[played]):
        told = (
            f"{seen} of {len(play.tasks[played])} questions of {played} share a scene with those of {fitted_on}. Baselines are fitted on "
            f"{fitted_on}, so what they come to there is no estimate"
        )
        warn(told)
        note = f"{told}. {note}".strip()
    rows = {f"{weight:g}": not_alone(dict(play.at(weight, alone=False).summaries)) for weight in asked.sweep or ()}
    sweep = swept("cost weight", rows) if rows else None
    return FolderHeadroom(folder.name, table, played, fitted_on, play.at(asked.cost_weight), note, sweep)


def _seen(fitted: Sequence[Task], played: Sequence[Task]) -> int:
    """How many of the questions played are on a scene that baselines were fitted on."""
    scenes = {cluster_of(task) for task in fitted}
    return sum(cluster_of(task) in scenes for task in played)


class _Play:
    """Fits and plays a folder's baselines; its pictures are looked at once."""

    def __init__(self, folder: RecordedFolder, asked: Asked, fitted_on: str, played: str) -> None:
        self.folder = folder
        self.asked = asked
        self.fitted_on, self.played = fitted_on, played
        self.systems = own_systems(folder, read_prices(asked.prices, folder.outcomes.systems) if asked.prices else None)
        self.images = ImageStore(capacity=4096)
        self.pictures = None if asked.no_pictures else Pictures(self.images)
        self.tasks = {name: load_tasks(folder, name, None, self.images) for name in dict.fromkeys((fitted_on, played))}
        for tasks in self.tasks.values():
            require_scorable(tasks)

    def at(self, cost_weight: float, *, alone: bool = True) -> SystemHeadroom:
        """Everything at one weight of cost; `alone` with every system alone and the chat models."""
        pools = {name: self.systems.pool(tasks, cost_weight) for name, tasks in self.tasks.items()}
        baselines = SystemBaselines(pools[self.fitted_on], self.pictures, MaestroDialect())
        pool = pools[self.played]
        registry = Registry.load(self.asked.registry) if self.asked.registry else None
        prompted = chat_policies(self.asked.chats, pool.menu, self.images, registry) if alone else []
        rows = len(baselines.policies(pool, alone=alone)) + len(prompted)
        with progress(f"playing {self.folder.name}/{self.played}", len(pool.tasks) * rows) as done:
            return run_async(system_headroom(baselines, pool, alone=alone, prompted=prompted, progress=done))


def _systems_table(name: str, table: SystemTable) -> Table:
    columns = ("system", "over questions", "mean of categories")
    rows = [(system, *_both(share)) for system, share in table.systems.items()]
    single = table.best_single
    rows += [
        ("best single system", f"{shown(single.over_questions)} ({single.system_over_questions})",
         f"{shown(single.mean_of_categories)} ({single.system_mean_of_categories})"),
        ("best system per category, chosen on these same rows", *_both(table.best_per_category)),
        ("any system right (oracle)", *_both(table.any_right)),
        ("a system drawn at random", *_both(table.random_system)),
    ]  # fmt: skip
    return Table(f"{name}: {table.questions} questions, {table.scenes} scenes, accuracy in %", columns, rows)


def _groups_table(title: str, noun: str, groups: Mapping[str, Group]) -> Table:
    """A column for every system while they fit, else the best one."""
    systems = list(next(iter(groups.values())).accuracy)
    if len(systems) <= 6:
        columns: tuple[str, ...] = (noun, "questions", *systems, "any right")
        rows = [(name, str(one.questions), *map(shown, one.accuracy.values()), shown(one.any_right)) for name, one in groups.items()]
    else:
        columns = (noun, "questions", "best system here", "its accuracy", "any right")
        rows = [(name, str(one.questions), one.best, shown(one.best_accuracy), shown(one.any_right)) for name, one in groups.items()]
    return Table(title, columns, rows)


def _both(share: Share) -> tuple[str, str]:
    return shown(share.over_questions), shown(share.mean_of_categories)
