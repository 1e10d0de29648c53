"""One row of a task file, checked column by column before anything is made of it.

A format's `parse` takes the row's columns from `Columns`, which notes everything that is wrong with them, and makes a `Row`
of them: a task whose pictures are still to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from maestro.errors import TaskError, not_found
from maestro.types import Task

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


class RowFault(TaskError):
    """What is wrong with one row; each problem names its column."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True)
class Picture:
    """An image as a row gives it: the bytes of a file, a path, or both."""

    column: str
    """Where it stands, for messages."""
    data: bytes | None = None
    path: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a row stands, and what is known of it from there."""

    stem: str
    """Name of the file without its ending: the source of rows that name none."""
    number: int
    """Of the row in its file, from 1."""
    split: str | None = None
    """The split that the row is in whatever it says itself."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """What the file says of its rows outside their columns (see `maestro.tasks.original`)."""


@dataclass(frozen=True)
class Row:
    """A task whose `images` are still empty, and the pictures they will be read from."""

    task: Task
    pictures: tuple[Picture, ...] = ()


class Columns:
    """The columns of one row, or of a struct in it, as the types a task needs; `problems` are what was wrong with them."""

    def __init__(self, values: Mapping[str, Any], prefix: str = "", problems: list[str] | None = None) -> None:
        self.values = values
        self.prefix = prefix
        self.problems: list[str] = [] if problems is None else problems

    def fail(self, column: str, message: str) -> None:
        """Note a problem of a column."""
        self.problems.append(f"{self.prefix}{column}: {message}")

    def check(self) -> None:
        """Raise RowFault when anything was wrong."""
        if self.problems:
            raise RowFault(self.problems)

    def has(self, column: str) -> bool:
        """Whether the column is there with a value."""
        return self.values.get(column) is not None

    def only(self, known: Iterable[str]) -> None:
        """Note every column that is not one of these."""
        allowed = list(known)
        for column in self.values:
            if column not in allowed:
                self.problems.append(not_found("column", column, allowed))

    def text(self, column: str, *, required: bool = False) -> str:
        """Text without surrounding blanks; empty when there is none and none is required."""
        value = self.values.get(column)
        if value is None:
            if required:
                self.fail(column, "is missing")
            return ""
        if not isinstance(value, str):
            self.fail(column, f"must be text, not {_kind(value)} ({_short(value)})")
            return ""
        if required and not value.strip():
            self.fail(column, "is empty")
        return value.strip()

    def texts(self, column: str) -> tuple[str, ...]:
        """A list of texts; empty when there is none."""
        value = self.values.get(column)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            self.fail(column, f"must be a list of texts, not {_kind(value)} ({_short(value)})")
            return ()
        return tuple(value)

    def answers(self, column: str) -> tuple[str, ...]:
        """Accepted answers: one text or number, or a list of them; empty when nobody knows."""
        value = self.values.get(column)
        items = list(value) if isinstance(value, list | tuple) else [] if value is None else [value]
        found = [str(item) if _is_number(item) else item for item in items]
        if not all(isinstance(item, str) for item in found):
            self.fail(column, f"must be text, a number or a list of them, not {_kind(value)} ({_short(value)})")
            return ()
        if not all(item.strip() for item in found):
            self.fail(column, "has an empty answer; leave the column out where nobody knows the answer")
        return tuple(found)

    def mapping(self, column: str) -> dict[str, Any]:
        """A mapping with text keys; empty when there is none."""
        value = self.values.get(column)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(column, f"must be a mapping, not {_kind(value)} ({_short(value)})")
            return {}
        return value

    def inside(self, column: str, *, required: bool = False) -> Columns:
        """The columns of a struct."""
        if required and not self.has(column):
            self.fail(column, "is missing")
        return Columns(self.mapping(column), f"{self.prefix}{column}.", self.problems)

    def pictures(self, column: str) -> tuple[Picture, ...]:
        """Images: one or a list of a path, the bytes of a file, or a struct of `bytes` and `path`."""
        value = self.values.get(column)
        if value is None:
            return ()
        many = isinstance(value, list | tuple)
        found = []
        for index, item in enumerate(value if many else [value]):
            name = f"{self.prefix}{column}[{index}]" if many else f"{self.prefix}{column}"
            data = item.get("bytes") if isinstance(item, dict) else item if isinstance(item, bytes) else None
            path = item.get("path") if isinstance(item, dict) else item if isinstance(item, str) else None
            if not isinstance(data, bytes | None) or not isinstance(path, str | None) or not (data or path):
                self.problems.append(f"{name}: must be a path, or a struct with bytes or path, not {_kind(item)} ({_short(item)})")
                continue
            found.append(Picture(name, data or None, path or None))
        return tuple(found)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: object) -> str:
    """What a value is, in the words of somebody who writes JSON."""
    names: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (bytes, "bytes"),
        (dict, "a mapping"),
        (list, "such a list"),
        (tuple, "such a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "nothing" if value is None else type(value).__name__)


def _short(value: object) -> str:
    text = f"{len(value)} bytes" if isinstance(value, bytes) else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
