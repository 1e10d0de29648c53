"""A task source that is a file: rows in one of the known formats, checked all together and read only as far as asked for."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from maestro.errors import TaskError, not_found
from maestro.images import ImageStore
from maestro.tasks.formats import Format, format_of
from maestro.tasks.known_pixels import KnownPixels, index_path
from maestro.tasks.pictures import PictureReader
from maestro.tasks.plain import NO_SPLIT
from maestro.tasks.problems import ProblemList
from maestro.tasks.row import Columns, Place, Row, RowFault
from maestro.types import Task

_CHUNK = 1 << 20


class TaskWarning(UserWarning):
    """Tasks were loaded, but something about their file is not as its owner may think."""


class Rows(Protocol):
    """A file of rows, whatever they are written in; numbers count from 1."""

    path: Path
    unit: str
    """What the file counts in: `line` or `row`."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns. Raises TaskError when the file is none of this kind."""

    @property
    def kept(self) -> Mapping[str, Any]:
        """What the file says of its rows outside their columns."""

    def splits(self, column: str) -> list[tuple[int, object]]:
        """Number and split of every row, read without the images where that can be done."""

    def read(self, numbers: Sequence[int], columns: frozenset[str] | None = None) -> Iterator[tuple[int, Mapping[str, Any] | RowFault]]:
        """The rows with these numbers, which ascend."""


class FileSource:
    """The tasks of one file. Its splits are those its rows name (`all` for rows that name none), in the order they appear in."""

    def __init__(
        self,
        rows: Rows,
        name: str,
        split: str | None = None,
        *,
        form: Callable[[Path, Iterable[str]], Format] = format_of,
        folder: Path | None = None,
    ) -> None:
        """`name` is what the user called it. With `split`, every row is in that split whatever it says itself.

        `form` tells the format from the path and the columns; paths of images are relative to `folder`, by default that of the file.
        """
        self.rows = rows
        self.name = name
        self.path = rows.path
        self.index = index_path()
        """Where hashes of known images are looked up and kept; None for nowhere."""
        self._split = split
        self._form = form
        self._folder = folder or self.path.parent

    @cached_property
    def format(self) -> Format:
        """The format of the rows. Raises TaskError."""
        return self._form(self.path, self.rows.columns)

    @cached_property
    def numbers(self) -> dict[str, list[int]]:
        """Row numbers by split. A row whose split cannot be read is in every one of them, so that whoever loads any is told."""
        found: dict[str, list[int]] = {}
        unclear: list[int] = []
        for number, split in self.rows.splits(self.format.split):
            name = self._split or (split.strip() if isinstance(split, str) else "") or NO_SPLIT
            broken = self._split is None and not isinstance(split, str | None)
            (unclear if broken else found.setdefault(name, [])).append(number)
        found = found or ({NO_SPLIT: []} if unclear else {})
        return {name: sorted([*numbers, *unclear]) for name, numbers in found.items()}

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits. Raises TaskError when there are no rows."""
        if not self.numbers:
            raise TaskError(f"{self.path} has no rows.")
        return tuple(self.numbers)

    @cached_property
    def content_digest(self) -> str:
        """SHA-256 of the file. Images beside it are not part of it: their hashes are part of the tasks."""
        found = hashlib.sha256()
        with self.path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                found.update(chunk)
        return found.hexdigest()

    def count(self, split: str, limit: int | None) -> int:
        """How many tasks `load` gives."""
        return len(self._chosen(split, limit))

    def load(self, split: str, limit: int | None, images: ImageStore, progress: Callable[[int], None] | None = None) -> list[Task]:
        """The first `limit` tasks of a split in the order of the file; `progress` is told how many are done.

        Only their rows and images are read. Raises TaskError for an unknown split, and BrokenRows with every problem of every
        broken row. Warns (TaskWarning) of image files that differ from the bytes in their rows.
        """
        return self._load(self._chosen(split, limit), images, progress)

    def of_category(self, split: str, category: str, limit: int, images: ImageStore) -> list[Task]:
        """The first `limit` tasks of a category; every row is read, but only their images. Raises TaskError as `load` does."""
        problems = ProblemList(self.path, self.rows.unit)
        numbers: dict[str, list[int]] = {}
        for number, row in self._rows(self._chosen(split, None), problems):
            if row is not None:
                numbers.setdefault(row.task.category, []).append(number)
        problems.check()
        if category not in numbers:
            raise TaskError(not_found(f"category in {self.name}/{split}", category, filter(None, numbers)))
        return self._load(numbers[category][:limit], images)

    def _load(self, chosen: list[int], images: ImageStore, progress: Callable[[int], None] | None = None) -> list[Task]:
        known = KnownPixels(self.index)
        pictures = PictureReader(self._folder, images, known)
        problems = ProblemList(self.path, self.rows.unit)
        tasks: dict[str, Task] = {}
        rows: dict[str, int] = {}
        try:
            for done, (number, row) in enumerate(self._rows(chosen, problems), start=1):
                if row is not None:
                    self._add(number, row, pictures, problems, tasks, rows)
                if progress is not None:
                    progress(done)
        finally:
            known.close()
        problems.check()
        self._warn(pictures.differing, known.problem)
        return list(tasks.values())

    def find(self, task_id: str, images: ImageStore) -> Task | None:
        """The task with this id; no other row's image is decoded. None when no row has it and none is broken, else BrokenRows."""
        problems = ProblemList(self.path, self.rows.unit)
        for number, row in self._rows(sorted({number for numbers in self.numbers.values() for number in numbers}), problems):
            if row is not None and row.task.id == task_id:
                return self._read_alone(number, row, images)
        problems.check()
        return None

    def _read_alone(self, number: int, row: Row, images: ImageStore) -> Task:
        tasks: dict[str, Task] = {}
        problems = ProblemList(self.path, self.rows.unit)
        self._add(number, row, PictureReader(self._folder, images, KnownPixels(None)), problems, tasks, {})
        problems.check()
        return tasks[row.task.id]

    def _chosen(self, split: str, limit: int | None) -> list[int]:
        if split not in self.splits:
            raise TaskError(f"{self.name}: " + not_found("split", split, self.splits))
        if limit is not None and limit < 0:
            raise TaskError(f"limit must be 0 or more, got {limit}.")
        return self.numbers[split][:limit]

    def _rows(self, numbers: Sequence[int], problems: ProblemList) -> Iterator[tuple[int, Row | None]]:
        """Parsed rows; None for a broken one, whose problems are noted."""
        stem, kept, parse = self.path.stem, self.rows.kept, self.format.parse
        if stem == "tasks":
            stem = self.path.resolve().parent.name
        for number, values in self.rows.read(numbers, self.format.reads):
            try:
                if isinstance(values, RowFault):
                    raise values
                yield number, parse(Columns(values), Place(stem, number, self._split, kept))
            except RowFault as fault:
                problems.add(number, fault.problems)
                yield number, None

    @staticmethod
    def _add(number: int, row: Row, pictures: PictureReader, problems: ProblemList, tasks: dict[str, Task], rows: dict[str, int]) -> None:
        """Read a row's pictures and take its task in, or note why not."""
        task_id = row.task.id
        if task_id in tasks:
            problems.add(number, [f"the id {task_id!r} is that of {problems.unit} {rows[task_id]} already; ids are unique"])
            return
        try:
            tasks[task_id] = row.task.model_copy(update={"images": pictures.read(row.pictures)})
            rows[task_id] = number
        except RowFault as fault:
            problems.add(number, fault.problems)

    def _warn(self, differing: list[Path], problem: str | None) -> None:
        if differing:
            some = ", ".join(str(path) for path in differing[:3]) + (", …" if len(differing) > 3 else "")
            noun = "1 image file differs" if len(differing) == 1 else f"{len(differing)} image files differ"
            message = f"{self.name}: {noun} from the bytes in the rows that name them ({some}); everybody sees the bytes."
            warnings.warn(message, TaskWarning, stacklevel=4)
        if problem is not None:
            warnings.warn(problem, TaskWarning, stacklevel=4)
