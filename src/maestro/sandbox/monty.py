"""pydantic-monty: an interpreter of a Python subset in a process of its own, with no way out to a file, a network or a process."""

from __future__ import annotations

import atexit
import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from maestro.sandbox.limits import Limits

CALLABLE = ("<function ", "<functools._lru_cache_wrapper ", "functools.partial(<function ")
CODE = (*CALLABLE, "<class ", "<module ", "<bound method ")
"""How monty hands out what is code rather than data: as text."""
_RECURSION = 900
_lock = threading.Lock()


@dataclass
class Printed:
    """What a program prints, each stream up to a limit; what no longer fits is dropped, the time limit ends who goes on."""

    limit: int
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    _bytes: dict[str, int] = field(default_factory=lambda: {"stdout": 0, "stderr": 0})

    def __call__(self, stream: str, text: str) -> None:
        """Keep what still fits."""
        data = text.encode("utf-8", "replace")
        room = max(0, self.limit - self._bytes[stream])
        self._bytes[stream] += min(len(data), room)
        self.truncated = self.truncated or len(data) > room
        kept = text if len(data) <= room else data[:room].decode("utf-8", "ignore")
        setattr(self, stream, getattr(self, stream) + kept)


@dataclass(frozen=True)
class Interpreted:
    """How a program ended in monty."""

    value: Any = None
    raised: BaseException | None = None
    """What it raised; a TimeoutError or MemoryError of monty's own when a limit was met."""
    traceback: str = ""


def missing() -> str:
    """Why monty is not to be had; empty when it is."""
    return "" if importlib.util.find_spec("pydantic_monty") else "pydantic-monty is not installed"


def interpret(source: str, limits: Limits, printed: Callable[[str, str], None]) -> Interpreted | None:
    """Run one program in a fresh session. None when monty itself gave up (its worker died), which says nothing about the program.

    `printed` is called with the stream's name and the text.
    """
    import pydantic_monty

    try:
        with session(limits) as one:
            return Interpreted(one.feed_run(source, print_callback=printed))
    except pydantic_monty.MontyCrashedError as error:
        return Interpreted(raised=TimeoutError("limit exceeded")) if error.timed_out else None
    except pydantic_monty.MontyError as error:
        trace = error.display() if isinstance(error, (pydantic_monty.MontyRuntimeError, pydantic_monty.MontySyntaxError)) else ""
        return Interpreted(raised=error.exception(), traceback=trace)


@contextmanager
def session(limits: Limits, calls: int = 100) -> Iterator[Any]:
    """A session of its own in the shared pool of monty's worker processes. `calls`: how often it may ask anything of us, at most."""
    bounds = {
        "max_feed_duration_secs": limits.seconds,
        "max_memory": limits.memory_mib << 20,
        "max_recursion_depth": _RECURSION,
        "max_suspensions": calls,
        "max_total_sleep_secs": limits.seconds,
    }
    with _pool().checkout(script_name="<program>", limits=bounds, os_policy={"random_start": {"seed": 0}}) as one:
        yield one


def told(raised: BaseException, limits: Limits) -> str:
    """An exception in one line, the same for the same program: without monty's measured microseconds and bytes."""
    name, message = type(raised).__name__, str(raised)
    if name == "TimeoutError" and "limit exceeded" in message:
        message = f"the program did not end within {limits.seconds:g} s"
    if name == "MemoryError" and "limit exceeded" in message:
        message = f"the program needs more than {limits.memory_mib} MB"
    return f"{name}: {message}"[:300]


def _pool() -> Any:
    """The pool of this process, started by its first use; twice as many workers as cores, because tests of a program take two."""
    with _lock:
        return _started(os.getpid())


@cache
def _started(process: int) -> Any:
    import pydantic_monty

    pool = pydantic_monty.Monty(max_processes=2 * (os.cpu_count() or 1), request_timeout=3700.0)
    pool.__enter__()

    def close() -> None:
        if os.getpid() == process:  # a fork inherits this function, but the workers are not its own
            pool.__exit__(None, None, None)

    atexit.register(close)
    return pool
