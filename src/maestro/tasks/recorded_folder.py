"""A folder of recorded outcomes as a task source: every row, the halves of its scenes, and what systems made of the questions.

    FOLDER/tasks.jsonl         one question a line (see `maestro.tasks.recorded`)
    FOLDER/images/             their pictures
    FOLDER/outcomes.parquet    optional: what recorded systems came to (see `maestro.tasks.outcomes`)

Where systems were recorded but the gold answer of a multiple-choice question was not, a placeholder drawn from the options stands for it:
right is then what the record calls right, and nobody but a recorded system can be judged on such a question.
"""

from __future__ import annotations

import hashlib
import string
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from maestro.errors import TaskError
from maestro.images import ImageStore
from maestro.tasks.file import FileSource, TaskWarning
from maestro.tasks.halves import split_rows
from maestro.tasks.jsonl import JsonlRows
from maestro.tasks.outcomes import Outcomes, read_outcomes
from maestro.tasks.plain import NO_SPLIT
from maestro.tasks.problems import ProblemList
from maestro.tasks.row import Row
from maestro.types import Task

TASKS_FILE = "tasks.jsonl"
OUTCOMES_FILE = "outcomes.parquet"


class RecordedFolder(FileSource):
    """Its splits: `all` rows, the halves `train` and `test`, and those that the rows name themselves.

    Rows that name a split `train` or `test` keep it, and no halves are made.
    """

    whole = NO_SPLIT
    """The split of every row; the others are parts of it."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(JsonlRows(folder / TASKS_FILE), name)
        self.folder = folder
        self.outcomes_path = folder / OUTCOMES_FILE

    @property
    def is_recorded(self) -> bool:
        """Whether systems were recorded."""
        return self.outcomes_path.is_file()

    @cached_property
    def numbers(self) -> dict[str, list[int]]:
        """Row numbers by split."""
        own = super().numbers
        every = sorted({number for numbers in own.values() for number in numbers})
        parts = {} if own.keys() & {"train", "test"} else {name: list(rows) for name, rows in self._halves().items() if rows}
        return {self.whole: every, **parts, **{name: rows for name, rows in own.items() if name != self.whole}} if every else {}

    @cached_property
    def outcomes(self) -> Outcomes:
        """What the recorded systems came to. Raises TaskError when there are none or the file is broken, MissingDependency."""
        if not self.is_recorded:
            raise TaskError(f"{self.folder} has no {OUTCOMES_FILE}, so no system was recorded on its tasks. See docs/recorded.md.")
        return read_outcomes(self.outcomes_path, self.path, self.lines)

    @cached_property
    def questions(self) -> dict[str, Task]:
        """Every task by id, without its pictures, in the file's order. Raises BrokenRows."""
        problems = ProblemList(self.path, self.rows.unit)
        rows = [row for _, row in self._rows(self.numbers.get(self.whole, ()), problems)]
        problems.check()
        return {row.task.id: row.task for row in rows if row is not None}

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The `task` column by id: what a folder of several benchmarks calls each of them. Empty where rows have none."""
        pairs = zip(self._column("task_id"), self._column("task"), strict=True)
        return {task_id: kind for task_id, kind in pairs if isinstance(task_id, str) and isinstance(kind, str) and kind}

    def load(self, split: str, limit: int | None, images: ImageStore, progress: Callable[[int], None] | None = None) -> list[Task]:
        """As any file. Warns (TaskWarning) of questions whose answer is a placeholder."""
        tasks = super().load(split, limit, images, progress)
        blind = sum(task.id in self._placeholders for task in tasks)
        if blind:
            message = (
                f"{self.name}: the gold answer of {blind} of {len(tasks)} questions was not recorded. A placeholder drawn from the options "
                "stands for it, so that recorded systems can be played; what anybody else answers there cannot be judged."
            )
            warnings.warn(message, TaskWarning, stacklevel=2)
        return tasks

    def _rows(self, numbers: Sequence[int], problems: ProblemList) -> Iterator[tuple[int, Row | None]]:
        """As any file's, with placeholders where systems were recorded."""
        for number, row in super()._rows(numbers, problems):
            blind = row is not None and self.is_recorded and not row.task.references
            yield number, self._answered(number, row, problems) if row is not None and blind else row

    def _answered(self, number: int, row: Row, problems: ProblemList) -> Row | None:
        """The row with a placeholder for its answer; None, and a problem noted, where there is nothing to draw it from."""
        if not row.task.choices:
            problems.add(number, ["answer: is missing and there are no options, so what recorded systems answered cannot be played"])
            return None
        answer = placeholder(row.task)
        self._placeholders.add(row.task.id)
        return Row(row.task.model_copy(update={"references": (answer,)}), row.pictures)

    @cached_property
    def _placeholders(self) -> set[str]:
        """Ids of the tasks seen so far whose answer is a placeholder."""
        return set()

    def _halves(self) -> dict[str, Sequence[int]]:
        """Row numbers by half; a row without a scene is a scene of its own."""
        ids, categories, scenes = (self._column(name) for name in ("task_id", "category", "scene_id"))
        numbers = (number for number, _ in self.rows.splits("task_id"))
        known = zip(numbers, ids, categories, scenes, strict=True)
        return split_rows({number: (str(category or ""), str(scene or own)) for number, own, category, scene in known})

    @cached_property
    def lines(self) -> dict[str, int]:
        """Line by task id. Raises BrokenRows for ids that occur twice: what was recorded would be nobody's."""
        found: dict[str, int] = {}
        problems = ProblemList(self.path, self.rows.unit)
        for number, value in self.rows.splits("task_id"):
            if isinstance(value, str) and (first := found.setdefault(value, number)) != number:
                problems.add(number, [f"the id {value!r} is that of {self.rows.unit} {first} already; ids are unique"])
        problems.check()
        return found

    def _column(self, name: str) -> list[object]:
        return [value for _, value in self.rows.splits(name)]


def placeholder(task: Task) -> str:
    """The letter of the option that stands for an answer nobody recorded: drawn by the task's id, the same wherever it is asked."""
    letters = string.ascii_uppercase[: len(task.choices)]
    draw = int.from_bytes(hashlib.sha256(f"placeholder/{task.id}".encode()).digest()[:8], "big")
    return letters[draw % len(letters)]
