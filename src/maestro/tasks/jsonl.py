"""Task files of one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from maestro.errors import TaskError
from maestro.tasks.row import RowFault

_BOM = b"\xef\xbb\xbf"


class JsonlRows:
    """The rows of a file, by line number. Blank lines are no rows, but count as lines."""

    unit = "line"

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of the first line that is an object. Raises TaskError when there is none."""
        first: str | None = None
        for number, line in self._lines():
            row = _object(line)
            if isinstance(row, dict):
                return tuple(row)
            first = first or f"line {number} {row.problems[0]}"
        raise TaskError(f"{self.path} has no task in it: {first or 'it is empty'}. Write one JSON object a line; see docs/tasks.md.")

    @property
    def kept(self) -> Mapping[str, Any]:
        """What the file says of its rows outside their columns: nothing, in this kind of file."""
        return {}

    def splits(self, column: str) -> list[tuple[int, object]]:
        """Line number and value of the split column of every row, None where it is not to be had."""
        return [(number, _inside(_object(line), column)) for number, line in self._lines()]

    def read(self, numbers: Sequence[int], columns: frozenset[str] | None = None) -> Iterator[tuple[int, Mapping[str, Any] | RowFault]]:
        """The rows with these line numbers (ascending), or what is wrong with them; of the columns all, or those in `columns`."""
        wanted = set(numbers)
        last = numbers[-1] if numbers else 0
        for number, line in self._lines():
            if number > last:
                return
            if number in wanted:
                row = _object(line)
                if columns is not None and isinstance(row, dict):
                    row = {name: value for name, value in row.items() if name in columns}
                yield number, row

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                text = (line.removeprefix(_BOM) if number == 1 else line).strip()
                if text:
                    yield number, text


def _object(line: bytes) -> dict[str, Any] | RowFault:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return RowFault([f"is not UTF-8: {error.reason} at byte {error.start}; save the file as UTF-8"])
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return RowFault([f"is no JSON: {error}"])
    return value if isinstance(value, dict) else RowFault([f"is no JSON object but {line[:40].decode(errors='replace')}"])


def _inside(row: dict[str, Any] | RowFault, column: str) -> object:
    value: object = row
    for name in column.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value
