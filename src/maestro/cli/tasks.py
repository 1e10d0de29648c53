"""`maestro tasks`: look at task sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from maestro.cli import task_download
from maestro.cli.loading import load_tasks, task_source
from maestro.cli.output import console, json_option, print_json, print_table, progress, warn
from maestro.cli.tasks_overlap import show_overlap
from maestro.errors import TaskError, not_found
from maestro.images import ImageStore
from maestro.registry.plugins import registered
from maestro.tasks.benchmarks.benchmark import Benchmark
from maestro.tasks.benchmarks.catalogue import BENCHMARKS
from maestro.tasks.benchmarks.naming import usual_place
from maestro.tasks.benchmarks.revision import UNPINNED, read_record, told_pinning
from maestro.tasks.benchmarks.source import BenchmarkSource
from maestro.tasks.file import FileSource
from maestro.tasks.opening import PATHS_WORK
from maestro.tasks.original import Wrapping
from maestro.tasks.source import ContentSource, MeasuredSource, SearchableSource, TaskSource, WholeSource
from maestro.tasks.wrapping import wrapping_of
from maestro.tasks.writing import SUFFIX, FormatName, check_target, write_tasks
from maestro.types import Task

_DRAWN = 120
"""Tasks drawn to begin with when looking for something in a split; doubled until it is found."""
_MOST = 8000
"""Where looking ends; a source may be endless."""


_COLUMNS = ("name", "splits", "scored by", "on the Hub", "commit", "licence")
_DIGITS = 8
"""Of a commit, in the table."""
_LEGEND = f"""(hidden): the answers are not published. No licence: we do not know it, see the data set's card.
commit: what maestro tasks download fetches, unless --revision says otherwise. {UNPINNED[0].upper()}{UNPINNED[1:]}."""


@click.group()
def command() -> None:
    """Look at task sources: where questions, pictures and reference answers come from."""


command.add_command(task_download.command)
command.add_command(show_overlap)


@command.command("list")
@json_option
def list_sources(as_json: bool) -> None:
    """List the registered task sources and the public benchmarks. Files and folders of tasks work wherever these names do."""
    rows = [{"name": name, "splits": list(task_source(name).splits)} for name in sorted(registered().task_sources)]
    broken = [str(plugin) for plugin in registered().broken]
    if as_json:
        print_json({"sources": rows, "benchmarks": [_about(known) for known in BENCHMARKS.values()], "broken_plugins": broken})
        return
    print_table("task sources", ("name", "splits"), [(row["name"], ", ".join(row["splits"])) for row in rows])
    print_table("public benchmarks, read as NAME:FOLDER", _COLUMNS, [_benchmark_cells(known) for known in BENCHMARKS.values()])
    click.echo(_LEGEND)
    here = [known.name for known in BENCHMARKS.values() if usual_place(known).is_dir()]
    click.echo(f"On this machine, so that the name alone works: {', '.join(here) or 'none yet; maestro tasks download NAME fetches one'}.")
    click.echo(PATHS_WORK)
    for message in broken:
        warn(message)


@command.command()
@click.argument("source")
@click.argument("task", metavar="[TASK]", required=False)
@click.option("--split", help="One split; the first one by default.")
@click.option("--limit", type=click.IntRange(min=1), default=12, show_default=True, help="Tasks to show.")
@click.option("--category", help="Only tasks of this category.")
@click.option("--image", "folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False), help="Write the pictures there.")
@json_option
def show(source: str, task: str | None, split: str | None, limit: int, category: str | None, folder: Path | None, as_json: bool) -> None:
    """Show tasks of SOURCE (a name, a file or a folder) with their answers, or the one with the id TASK."""
    chosen = task_source(source)
    images = ImageStore()
    asked = split or chosen.splits[0]
    found = [_one(chosen, task, images)] if task else _some(chosen, asked, limit, category, images)
    written = _export(found, images, folder) if folder is not None else {}
    if as_json:
        print_json({"tasks": [{**one.model_dump(mode="json"), "files": [str(path) for path in written.get(one.id, [])]} for one in found]})
    elif task:
        _show_one(found[0], images)
    else:
        rows = [(one.id, one.question, " | ".join(one.references)) for one in found]
        others = ", ".join(name for name in chosen.splits if name != asked)
        print_table(f"{source}/{asked}: {len(found)} task{'' if len(found) == 1 else 's'}", ("id", "question", "answer"), rows)
        if others:
            click.echo(f"other splits: {others}")
        if isinstance(chosen, BenchmarkSource):
            click.echo(_provenance(chosen))
    if folder is not None and not as_json:
        click.echo(f"{sum(map(len, written.values()))} pictures in {folder}")


@command.command()
@click.argument("source")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The new file.")
@click.option("--format", "form", type=click.Choice(list(SUFFIX)), help="By default original for .parquet, jsonl for .jsonl.")
@click.option(
    "--split", "splits", multiple=True, help="May be repeated; every split of a file or folder by default, of a benchmark the measured one."
)
@click.option("--limit", type=click.IntRange(min=1), help="First tasks of each split; all of them by default.")
@click.option(
    "--system", type=click.Path(path_type=Path, dir_okay=False), help="Rows of the original, for the prompt around each question."
)
@json_option
def build(
    source: str, out: Path, form: FormatName | None, splits: tuple[str, ...], limit: int | None, system: Path | None, as_json: bool
) -> None:
    """Write tasks of SOURCE (a name, a file or a folder) with their images to one file.

    original: Parquet in the schema of the original system. trl: Parquet as TRL's trainers read it. jsonl: our own rows, the
    images in a folder beside them. Each is a task source again, of the same tasks and pixels.
    """
    form = form or next((name for name, suffix in SUFFIX.items() if suffix == out.suffix), None)
    if form is None:
        raise click.UsageError(f"give --format, or a file that ends in {' or '.join(dict.fromkeys(SUFFIX.values()))}.")
    if system is not None and form != "original":
        raise click.UsageError("--system is for the prompts of --format original.")
    images = ImageStore(capacity=1_000_000)
    chosen = task_source(source)
    check_target(out, form)
    names = _all_splits(chosen, splits)
    tasks = [task for name in names for task in load_tasks(chosen, name, limit, images)]
    with progress(f"writing {out}", len(tasks)) as done:
        write_tasks(out, form, tasks, images, _wrapping(chosen, system) if form == "original" else None, done)
    if as_json:
        print_json({"file": str(out), "format": form, "splits": list(names), "tasks": len(tasks)})
    else:
        click.echo(
            f"{out}: {len(tasks)} task{'' if len(tasks) == 1 else 's'} of {', '.join(names)}; look at them with: maestro tasks show {out}"
        )


def _about(known: Benchmark) -> dict[str, Any]:
    """A benchmark for machines."""
    place = usual_place(known)
    return {
        "name": known.name,
        "title": known.title,
        "splits": list(known.offered),
        "measured": known.measured,
        "hidden": list(known.hidden),
        "profiles": list(known.profiles),
        "dataset": known.hub.dataset,
        "revision": known.hub.revision,
        "mirrors": dict(known.hub.mirrors),
        "licence": known.licence,
        "note": known.note,
        "folder": str(place) if place.is_dir() else None,
    }


def _provenance(source: BenchmarkSource) -> str:
    """Which benchmark a source is, where its files are from as far as they say, and what one has to know about it."""
    known, record = source.benchmark, read_record(source.path if source.path.is_dir() else source.path.parent)
    origin = "the files do not say which revision they are"
    if record is not None:
        origin = f"{record.dataset} at {record.commit} ({told_pinning(known, record.dataset, record.commit)})"
    licence = f"licence {known.licence}" if known.licence else "licence not known here"
    return f"{known.title}: {origin}; {licence}. {known.note}".rstrip()


def _benchmark_cells(known: Benchmark) -> tuple[str, ...]:
    """A benchmark's line in the table."""
    splits = ", ".join(f"{split} (hidden)" if split in known.hidden else split for split in known.offered)
    pinned = known.hub.revision[:_DIGITS] if known.hub.revision else "unpinned"
    return (known.name, splits, ", ".join(known.profiles), known.hub.dataset, pinned, known.licence)


def _all_splits(source: TaskSource, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The splits to write. Raises TaskError when they have to be named: a source that draws its tasks has as many as one likes."""
    if not asked and isinstance(source, MeasuredSource):
        return (source.measured,)
    if not asked and not isinstance(source, ContentSource) and len(source.splits) > 1:
        raise TaskError(f"{source.name} has the splits {', '.join(source.splits)}; name those to write with --split.")
    return asked or ((source.whole,) if isinstance(source, WholeSource) else source.splits)


def _wrapping(source: TaskSource, system: Path | None) -> Wrapping:
    """What the prompts put around a question: as in the rows that were named, else as in the source's own."""
    if system is not None:
        return wrapping_of(system)
    if isinstance(source, FileSource) and source.format.name == "original":
        return wrapping_of(source.path)
    warn("the prompts have no system message; take it from your copy of the original's rows with --system FILE.")
    return Wrapping()


def _some(source: TaskSource, split: str, limit: int, category: str | None, images: ImageStore) -> list[Task]:
    """The first tasks of a split, of one category if asked. Raises TaskError when the category is not there."""
    if category is None:
        return load_tasks(source, split, limit, images)
    if isinstance(source, SearchableSource):
        return source.of_category(split, category, limit, images)
    found: list[Task] = []
    for drawn in _growing(source, split, images):
        found = [task for task in drawn if task.category == category]
        if not found:  # families are mixed, so a category that exists appears early
            seen = sorted(Counter(task.category for task in drawn))
            raise TaskError(not_found(f"category in {source.name}/{split}", category, seen))
        if len(found) >= limit:
            break
    return found[:limit]


def _one(source: TaskSource, task_id: str, images: ImageStore) -> Task:
    """The task with this id. Raises TaskError when no split has it."""
    if isinstance(source, SearchableSource):
        if (task := source.find(task_id, images)) is None:
            raise TaskError(f"no row of {source.name} has the id {task_id!r}; list some with: maestro tasks show {source.name}")
        return task
    split = next((name for name in source.splits if task_id.startswith(f"{source.name}/{name}/")), None)
    if split is None:
        known = ", ".join(f"{source.name}/{name}/…" for name in source.splits)
        raise TaskError(f"{task_id!r} is no task of {source.name}; ids begin with {known}")
    drawn: list[Task] = []
    for drawn in _growing(source, split, images):
        if (found := next((task for task in drawn if task.id == task_id), None)) is not None:
            return found
    raise TaskError(
        f"no task {task_id!r} among the {len(drawn)} of {source.name}/{split}; list some with: maestro tasks show {source.name}"
    )


def _growing(source: TaskSource, split: str, images: ImageStore) -> Iterator[list[Task]]:
    """Longer and longer beginnings of a split, until it has no more (or is endless and long enough)."""
    limit = _DRAWN
    while limit <= _MOST:
        drawn = load_tasks(source, split, limit, images)
        yield drawn
        if len(drawn) < limit:
            return
        limit *= 2


def _export(tasks: list[Task], images: ImageStore, folder: Path) -> dict[str, list[Path]]:
    """Write every picture as `<task id with dashes>[-n].png`."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, list[Path]] = {}
    for task in tasks:
        for number, name in enumerate(task.images):
            path = folder / f"{task.id.replace('/', '-')}{f'-{number}' if number else ''}.png"
            path.write_bytes(images.png(name))
            written.setdefault(task.id, []).append(path)
    return written


def _show_one(task: Task, images: ImageStore) -> None:
    sizes = ", ".join("{}x{}".format(*images.pixels(name).size) for name in task.images) or "none"
    shown = [
        ("id", task.id),
        ("question", task.question),
        ("answer", " | ".join(task.references)),
        ("scored by", f"{task.profile} {task.params or ''}"),
        ("category", task.category),
        ("cluster", task.cluster),
        ("choices", " | ".join(task.choices)),
        ("pictures", sizes),
    ]
    for name, value in ((name, value) for name, value in shown if value):
        console().print(f"{name:10}", value, markup=False)
