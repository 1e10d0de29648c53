"""Everything that is wrong with the rows of a file, told at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maestro.document import Problem
from maestro.errors import TaskError

MOST = 50
"""Broken rows after which reading ends."""
_SHOWN = 20
"""Problems that a message repeats; all of those found are in `problems`."""


class BrokenRows(TaskError):
    """Rows of a task file cannot be used: every problem of every row that was read."""

    def __init__(self, path: Path, unit: str, problems: list[Problem], *, complete: bool) -> None:
        """`unit` is what the file counts in, `line` or `row`; without `complete`, rows after the last problem were not looked at."""
        self.problems = problems
        rows = len({problem.line for problem in problems})
        lines = [f"  {unit} {problem.line}, {problem.message}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            lines.append(f"  and {len(problems) - _SHOWN} more problems")
        after = "" if complete else f" (the rest, from {unit} {problems[-1].line + 1} on, was not looked at)"
        noun = f"1 {unit}" if rows == 1 else f"{rows} {unit}s"
        super().__init__(f"{path}: {noun} cannot be used{after}:\n" + "\n".join(lines) + "\nNo row is skipped: mend them or take them out.")


class ProblemList:
    """Collects the problems of one file."""

    def __init__(self, path: Path, unit: str) -> None:
        self.path = path
        self.unit = unit
        self.found: list[Problem] = []

    def add(self, number: int, messages: Iterable[str]) -> None:
        """Note the problems of a row; raises BrokenRows when there are `MOST` broken rows."""
        self.found += [Problem(str(self.path), number, message) for message in messages]
        if len({problem.line for problem in self.found}) >= MOST:
            raise BrokenRows(self.path, self.unit, self.found, complete=False)

    def check(self) -> None:
        """Raise BrokenRows when anything was wrong."""
        if self.found:
            raise BrokenRows(self.path, self.unit, self.found, complete=True)
