"""Algebra processes: started when first needed, kept warm, asked from any thread, replaced when they die."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import Any

import orjson

from maestro.errors import InfrastructureFault, MissingDependency
from maestro.scoring.blocking import about_to_block

SECONDS = 1.5
"""Processor time of one job. Processor time, so that a busy machine does not turn right answers into wrong ones."""
WALL_SECONDS = 3.5
"""One job by the clock."""
_START_SECONDS = 60.0
_REMEMBERED_CHARACTERS = 2000
"""Of the arguments of a job whose value is kept."""
_GRACE_SECONDS = 1.0
"""Beyond the clock's limit, which the kernel holds, before the whole process is given up."""
_NEEDED = {"sympy": "sympy", "math_verify": "math-verify", "latex2sympy2_extended": "math-verify", "pylatexenc": "pylatexenc"}
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
"""The hash seed is fixed because SymPy orders by hash in places, and a score may not depend on that."""


@dataclass(frozen=True)
class Reply:
    """What came of a job: its value, or why there is none."""

    value: Any = None
    error: str = ""
    """What went wrong, in one line; empty when nothing did."""


class _Process:
    """One outer process with its socket; used by one thread at a time."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", "maestro.scoring.algebra.worker", str(theirs.fileno()), str(SECONDS), str(WALL_SECONDS)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                start_new_session=True,  # Ctrl-C is the parent's to handle, and killing the group takes the inner process along
            )
        self._connection = Connection(ours.detach())
        self._number = 0
        if not self._connection.poll(_START_SECONDS):
            self.dispose()
            raise InfrastructureFault(f"no algebra process came up within {_START_SECONDS:g} s", retryable=True)
        try:
            self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            code = self._process.wait()
            self.dispose()
            raise InfrastructureFault(f"an algebra process ended before it was ready (exit code {code})", retryable=True) from error

    def ask(self, operation: str, arguments: dict[str, Any]) -> Reply:
        """Do one job. Raises EOFError or OSError when the outer process is gone, TimeoutError when it says nothing."""
        self._number += 1
        self._connection.send_bytes(orjson.dumps({"number": self._number, "operation": operation, "arguments": arguments}))
        while True:
            if not self._connection.poll(WALL_SECONDS + _GRACE_SECONDS):
                raise TimeoutError
            reply = orjson.loads(self._connection.recv_bytes())
            if "signal" in reply:
                return Reply(error=_ended(reply["signal"]))
            if reply["number"] == self._number:  # an older one was given up when its process died
                return Reply(reply.get("value"), reply.get("error", ""))

    def dispose(self) -> None:
        """Kill both stages and free the socket."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._connection.close()


class _Processes:
    """As many processes as cores; a thread that finds all of them busy waits."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(len(os.sched_getaffinity(0)))
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        weakref.finalize(self, _dispose_all, self._all, os.getpid())

    def ask(self, operation: str, arguments: dict[str, Any]) -> Reply:
        with self._places:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                process = _Process()
                with self._lock:
                    self._all.add(process)
            try:
                reply = process.ask(operation, arguments)
            except (EOFError, OSError) as error:  # TimeoutError is an OSError
                with self._lock:
                    self._all.discard(process)
                process.dispose()
                return Reply(error=f"the algebra process was lost ({type(error).__name__})")
            except BaseException:  # an interrupt in the middle of a job: the reply that is still to come is nobody's
                with self._lock:
                    self._all.discard(process)
                process.dispose()
                raise
            with self._lock:
                self._idle.append(process)
            return reply


class _Unfinished(Exception):
    """Why a job has no value; an exception, because those are not remembered."""


def compute(operation: str, **arguments: str | Sequence[str]) -> Reply:
    """One operation of `maestro.scoring.algebra.operations` on plain data, from any thread; at most `WALL_SECONDS` and a start.

    A job that runs too long, takes too much memory or crashes comes back as a Reply with an error. Values of short jobs are remembered,
    errors are not. Raises MissingDependency when the libraries are not installed and InfrastructureFault when no process can be started.
    """
    require_libraries()
    frozen = tuple((name, one if isinstance(one, str) else tuple(one)) for name, one in arguments.items())
    long = sum(len(one) if isinstance(one, str) else sum(map(len, one)) for one in arguments.values()) > _REMEMBERED_CHARACTERS
    try:
        return Reply((_value if long else _remembered)(operation, frozen))
    except _Unfinished as error:
        return Reply(error=str(error))


def _value(operation: str, arguments: tuple[tuple[str, Any], ...]) -> Any:
    """The value of one job. Raises _Unfinished, and WouldBlock on the event loop."""
    about_to_block()
    reply = _processes(os.getpid()).ask(operation, _encodable(dict(arguments)))
    if reply.error:
        raise _Unfinished(reply.error)
    return reply.value


_remembered = lru_cache(maxsize=4096)(_value)


@cache
def require_libraries() -> None:
    """Raises MissingDependency naming what is not installed."""
    if lacking := sorted({package for module, package in _NEEDED.items() if find_spec(module) is None}):
        raise MissingDependency(
            f"scoring mathematics needs {', '.join(lacking)}; install it with: pip install 'maestro-orchestrator[eval]'"
        )


@cache
def _processes(_pid: int) -> _Processes:
    """The processes of this process: a fork must not share its parent's sockets."""
    return _Processes()


def _encodable(value: Any) -> Any:
    """The same plain data without lone surrogates, which JSON cannot carry."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {name: _encodable(one) for name, one in value.items()}
    return [_encodable(one) for one in value] if isinstance(value, list | tuple) else value


def _ended(number: int) -> str:
    if number == signal.SIGPROF:
        return f"took more than {SECONDS:g} s of processor time"
    if number == signal.SIGALRM:
        return f"took more than {WALL_SECONDS:g} s"
    return f"the algebra process was ended by {signal.Signals(number).name}"


def _dispose_all(processes: set[_Process], pid: int) -> None:
    if os.getpid() == pid:
        for process in processes:
            process.dispose()
