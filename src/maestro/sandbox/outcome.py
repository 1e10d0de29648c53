"""What came of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from maestro.errors import MaestroError

Engine = Literal["monty", "bubblewrap"]
Status = Literal["ok", "error", "timeout", "memory", "output", "refused"]
"""`ok`: ended by itself with exit code 0. `error`: an exception, another exit code, a crash. `timeout`, `memory`, `output`: a limit
ended it. `refused`: it was not run, because no engine here can, or because it is no program text of a sane size."""


class Refused(MaestroError):
    """Nothing was run: no engine is there that could, and unprotected is not an option."""


class UnusableTests(MaestroError):
    """Tests that say nothing about any program: no Python, or arguments that are not plain data."""


@dataclass(frozen=True)
class Outcome:
    """How one program ended, as seen from outside of it; `stdout`, `stderr` and `value` are the program's own words."""

    status: Status
    stdout: str = ""
    stderr: str = ""
    """Standard error with the traceback."""
    value: Any = None
    """The last statement's value when that is an expression and the value plain data (numbers, text, bytes, collections of them)."""
    engine: Engine | None = None
    """What ran it; None when it was refused."""
    seconds: float = 0.0
    """Wall clock, starting the engine included."""
    reason: str = ""
    """Why it is not `ok`, in one line: `Type: message` of an exception, or the limit that was met."""


@dataclass(frozen=True)
class Verdict:
    """Whether a program passed its tests."""

    passed: bool
    reason: str
    """What failed, in one line."""
    engine: Engine
    seconds: float = 0.0
    """Wall clock, starting the engine included."""
