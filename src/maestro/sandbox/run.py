"""Runs one program: monty first, bubblewrap when monty lacks something, otherwise not at all."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from typing import TypeVar

from maestro.sandbox import bubblewrap, monty
from maestro.sandbox.contained import Stop
from maestro.sandbox.inside.plain import NotPlain, dumps
from maestro.sandbox.lacking import lacks, slow
from maestro.sandbox.limits import MAX_SOURCE_BYTES, MAX_STDIN_BYTES, Limits
from maestro.sandbox.outcome import Outcome, Refused, Status

FIRST_SECONDS = 0.25
"""Monty's share where CPython stands behind it: what takes longer is quicker in CPython."""
_DEFAULT = Limits()
_Result = TypeVar("_Result")


async def run_python(source: str, *, stdin: str = "", limits: Limits = _DEFAULT) -> Outcome:
    """Run a program nobody trusts and say how it ended; cancelling it ends the program.

    Never raises for what the program does. Nothing that could run it here, or text of an insane size: status `refused`, with the reason.
    """
    stop = Stop()
    return await in_thread(partial(_run, source, stdin, limits, stop), stop)


def run_python_sync(source: str, *, stdin: str = "", limits: Limits = _DEFAULT) -> Outcome:
    """The same for code that does not run in an event loop."""
    return _run(source, stdin, limits, None)


async def in_thread(work: Callable[[], _Result], stop: Stop) -> _Result:
    """Run blocking work in one of as many threads as there are cores; when this is cancelled, what runs in it is killed."""
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads(os.getpid()), work)
    except asyncio.CancelledError:
        stop.stop()
        raise


def too_large(**texts: tuple[str, int]) -> str:
    """Which text is larger than is run, in words; empty when none is. Each is given with its limit in bytes."""
    for name, (text, limit) in texts.items():
        size = len(text.encode("utf-8", "replace"))
        if size > limit:
            return f"{name} has {size} bytes; at most {limit} are taken"
    return ""


def _run(source: str, stdin: str, limits: Limits, stop: Stop | None) -> Outcome:
    started = time.monotonic()
    if excess := too_large(source=(source, MAX_SOURCE_BYTES), stdin=(stdin, MAX_STDIN_BYTES)):
        return Outcome("refused", reason=excess, stderr=excess)
    outcome, lacking = _in_monty(source, limits)
    if outcome is None:
        outcome = _in_bubblewrap(source, stdin, limits, stop, lacking)
    return replace(outcome, seconds=time.monotonic() - started)


def _in_monty(source: str, limits: Limits) -> tuple[Outcome | None, str]:
    """What came of it in monty; None and what monty lacks when CPython has to have a look."""
    if reason := monty.missing():
        return None, reason
    behind = bubblewrap.find()[0] is not None
    printed = monty.Printed(limits.output_bytes)
    done = monty.interpret(source, replace(limits, seconds=min(limits.seconds, FIRST_SECONDS)) if behind else limits, printed)
    if done is None:
        return None, "pydantic-monty's worker died"
    raised = done.raised
    if raised is not None and (lacks(raised, source, limits) or (behind and slow(raised))):
        return None, f"pydantic-monty cannot run the program ({type(raised).__name__}: {str(raised)[:150]})"
    status: Status = "ok"
    reason = "" if raised is None else monty.told(raised, limits)
    if printed.truncated:
        status, reason = "output", f"OutputLimit: the program printed more than {limits.output_bytes} bytes"
    elif raised is not None:
        status = "error" if not slow(raised) else "timeout" if isinstance(raised, TimeoutError) else "memory"
    value = _plain(done.value) if status == "ok" else None
    return Outcome(status, printed.stdout, printed.stderr + done.traceback[-limits.output_bytes :], value, "monty", reason=reason), ""


def _in_bubblewrap(source: str, stdin: str, limits: Limits, stop: Stop | None, lacking: str) -> Outcome:
    engine, reason = bubblewrap.find()
    if engine is not None:
        try:
            return engine.run(source, stdin, limits, stop=stop)
        except Refused as error:
            reason = str(error)
    refusal = f"{lacking}, and bubblewrap cannot: {reason}. See: maestro doctor"
    return Outcome("refused", reason=refusal, stderr=refusal)


def _plain(value: object) -> object:
    """The value if it is plain data, else None."""
    try:
        text = dumps(value)
    except (NotPlain, RecursionError):
        return None
    return None if any(mark in text for mark in monty.CODE) else value


@cache
def _threads(_process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0)), thread_name_prefix="sandbox")
