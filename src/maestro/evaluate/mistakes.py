"""The first wrong answers of a run, side by side with what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro.evaluate.report import Table
from maestro.evaluate.results import Result
from maestro.types import StopReason, Task

SHOWN = 5
_CHARACTERS = 70


def mistakes(tasks: Mapping[str, Task], results: Sequence[Result], shown: int = SHOWN) -> Table | None:
    """The first samples that scored nothing, in the order of the tasks; None when there are none.

    Samples that infrastructure broke are no mistakes; they are told apart.
    """
    wrong = [one for one in results if one.score <= 0 and one.stop is not StopReason.INFRASTRUCTURE]
    if not wrong:
        return None
    rows = [_row(tasks[one.task_id], one) for one in wrong[:shown]]
    more = f", the first {shown} of {len(wrong)}" if len(wrong) > shown else ""
    return Table(f"Answered wrong{more}", ("task", "question", "answered", "expected"), rows, "All of them are in samples.jsonl.")


def _row(task: Task, one: Result) -> tuple[str, ...]:
    answered = one.answer if one.answer is not None else f"({one.stop.value.replace('_', ' ')})"
    return (task.id, _short(task.question), _short(answered), _short(" or ".join(task.references)))


def _short(text: str) -> str:
    """One line of it."""
    line = " ".join(text.split())
    return line if len(line) <= _CHARACTERS else line[: _CHARACTERS - 1].rstrip() + "…"
