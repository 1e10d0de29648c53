"""`maestro headroom FOLDER`: what recorded systems came to, and what choosing between them could."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maestro.cli.loading import load_tasks, run_async
from maestro.cli.output import console, print_table, progress, warn
from maestro.errors import ConfigError
from maestro.evaluate.system_table import Group, Share, SystemTable, shown
from maestro.evaluate.systems import SystemBaselines, SystemHeadroom, system_headroom
from maestro.evaluate.table import percent, signed
from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.rollout.manifest import manifest_path
from maestro.rollout.prices import read_prices
from maestro.rollout.systems import DEFAULT_PRICE, own_systems
from maestro.scoring.scorable import require_scorable
from maestro.tasks.recorded_folder import OUTCOMES_FILE, TASKS_FILE, RecordedFolder

TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class FolderHeadroom:
    """The record of a folder's systems, and the baselines on the split they were not fitted on."""

    table: SystemTable
    split: str
    fitted_on: str
    headroom: SystemHeadroom | None
    """None where the folder lacks the split to fit on, or that to play."""
    note: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        played = None if self.headroom is None else {"split": self.split, "fitted_split": self.fitted_on, **self.headroom.as_dict()}
        return {"systems": self.table.as_dict(), "baselines": played, "note": self.note}


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


def judge_folder(folder: RecordedFolder, split: str | None, train: str | None, prices: Path | None, cost_weight: float) -> FolderHeadroom:
    """The table of all its rows, and the baselines fitted on `train` and played on `split`."""
    table = SystemTable.of(list(folder.questions.values()), folder.outcomes, folder.kinds)
    fitted_on, played = train or TRAIN, split or TEST
    note = "" if prices else f"every call costs ${DEFAULT_PRICE.call_usd:g}, as no prices were given (--prices)"
    if lacking := [name for name in (fitted_on, played) if name not in folder.splits]:
        if split or train:
            load_tasks(folder, lacking[0], None, ImageStore())  # says which splits there are
        there = f"no split {lacking[0]!r} (there is {', '.join(folder.splits)}): name others with --train and --split"
        return FolderHeadroom(table, played, fitted_on, None, f"no baselines: {folder.name} has {there}")
    systems = own_systems(folder, read_prices(prices, folder.outcomes.systems) if prices else None)
    images = ImageStore(capacity=4096)
    pools = {}
    for name in dict.fromkeys((fitted_on, played)):
        tasks = load_tasks(folder, name, None, images)
        require_scorable(tasks)
        pools[name] = systems.pool(tasks, cost_weight)
    baselines = SystemBaselines(pools[fitted_on], images, MaestroDialect())
    pool = pools[played]
    with progress(f"playing {folder.name}/{played}", len(pool.tasks) * len(baselines.policies(pool))) as done:
        found = run_async(system_headroom(baselines, pool, progress=done))
    return FolderHeadroom(table, played, fitted_on, found, note)


def show_folder(name: str, found: FolderHeadroom) -> None:
    """Print the tables."""
    _show_systems(name, found.table)
    _show_groups("by category", "category", found.table.categories)
    if found.table.kinds:
        _show_groups("by benchmark", "benchmark", found.table.kinds)
    if found.headroom is not None:
        _show_baselines(found, found.headroom)
    if found.note:
        console().print(found.note, style="dim", markup=False)


def _show_systems(name: str, table: SystemTable) -> None:
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
    print_table(f"{name}: {table.questions} questions, {table.scenes} scenes, accuracy in %", columns, rows, right=columns[1:])


def _show_groups(title: str, noun: str, groups: Mapping[str, Group]) -> None:
    """A column for every system while they fit, else the best one."""
    systems = list(next(iter(groups.values())).accuracy)
    if len(systems) <= 6:
        columns: tuple[str, ...] = (noun, "questions", *systems, "any right")
        rows = [(name, one.questions, *map(shown, one.accuracy.values()), shown(one.any_right)) for name, one in groups.items()]
    else:
        columns = (noun, "questions", "best system here", "its accuracy", "any right")
        rows = [(name, one.questions, one.best, shown(one.best_accuracy), shown(one.any_right)) for name, one in groups.items()]
    print_table(title, columns, rows, right=[name for name in columns[1:] if name != "best system here"])


def _show_baselines(found: FolderHeadroom, headroom: SystemHeadroom) -> None:
    columns = ("policy", "accuracy", "mean of categories", "utility", "cost $/1000", "calls")
    rows = [
        (
            name,
            percent(summary.accuracy),
            shown(headroom.macro(name)),
            f"{summary.utility.mean:.3f}",
            f"{1000 * summary.cost_usd.mean:.2f}",
            f"{summary.calls.mean:.2f}",
        )
        for name, summary in headroom.summaries.items()
    ]
    questions = next(iter(headroom.summaries.values())).questions
    title = f"{found.split}: {questions} questions; fitted on {headroom.fitted} of {found.fitted_on}"
    print_table(title, columns, rows, right=columns[1:])
    for name, setting in headroom.settings.items():
        console().print(f"{name}: {setting}", style="dim", markup=False)
    for name, reason in headroom.left_out.items():
        warn(f"{name} left out: {reason}")
    console().print(f"oracle - question kNN in utility: {signed(headroom.gap)}", markup=False)


def _both(share: Share) -> tuple[str, str]:
    return shown(share.over_questions), shown(share.mean_of_categories)
