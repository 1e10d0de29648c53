"""The formats a task file may have, told apart by the columns of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from maestro.errors import TaskError
from maestro.tasks import original, plain, recorded, trl
from maestro.tasks.row import Columns, Place, Row


@dataclass(frozen=True)
class Format:
    """How the rows of a file are recognised and read."""

    name: str
    needs: frozenset[str]
    """Columns that tell it; the first format whose columns are all there is taken."""
    split: str
    """Dotted name of the column with a row's split."""
    parse: Callable[[Columns, Place], Row]
    reads: frozenset[str] | None = None
    """Columns that are read at all; None for every one."""


FORMATS = (
    Format("original", frozenset({"prompt", "reward_model"}), "extra_info.split", original.parse, frozenset(original.COLUMNS)),
    Format("trl", frozenset({"prompt"}), "split", trl.parse, frozenset(trl.COLUMNS)),
    Format("recorded", frozenset({"task_id", "question"}), "split", recorded.parse),
    Format("plain", frozenset({"question"}), "split", plain.parse),
)


def format_of(path: Path, columns: Iterable[str]) -> Format:
    """The format of rows with these columns. Raises TaskError saying which columns each format needs."""
    there = set(columns)
    for known in FORMATS:
        if known.needs <= there:
            return known
    forms = "; ".join(f"{known.name}: {', '.join(sorted(known.needs))}" for known in FORMATS)
    shown = ", ".join(sorted(there)[:20]) or "none"
    raise TaskError(f"{path} has the columns {shown}, which is no form of tasks. What each form needs: {forms}. See docs/tasks.md.")
