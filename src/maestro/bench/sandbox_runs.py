"""What running a small program in each engine costs beside a plain, unprotected Python process: milliseconds a call, in turns."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from maestro.bench.measurement import Bar, Measurement
from maestro.errors import MissingDependency
from maestro.sandbox import Limits, available, bubblewrap, judge, monty, run_tests_sync

_PROGRAM = "t = 0\nfor i in range(20):\n    t += i * i\nprint(t)"
_SOLUTION = "def solution(x):\n    return x * x"
_TESTS = "assert solution(3) == 9\nassert solution(-4) == 16"
_OUTPUT = "2470\n"
_LIMITS = Limits(seconds=10.0)
_BARS = {"monty, a program": Bar(0.2, of="ratio", least=False), "bubblewrap, a program": Bar(5, of="ratio", least=False)}


def measure(rounds: int = 15) -> list[Measurement]:
    """A program and a program with its tests, in each engine. Raises MissingDependency when one is not there."""
    lacking = [f"{one.engine}: {one.reason} ({one.remedy})" for one in available() if not one.usable]
    if lacking:
        raise MissingDependency(f"the benchmark sandbox_runs needs both engines; {'; '.join(lacking)}")
    runs = {
        "monty, a program": _in_monty,
        "bubblewrap, a program": _in_bubblewrap,
        "monty, a verdict": _judged_in_monty,
        "bubblewrap, a verdict": _judged_in_bubblewrap,
    }
    times: dict[str, list[float]] = {name: [] for name in (*runs, "plain")}
    for round_ in range(rounds + 1):
        for name, run in {**runs, "plain": _plain}.items():
            taken = _timed(run)
            if round_:  # the first one starts monty's workers
                times[name].append(taken)
    return [Measurement.of(name, "ms", times[name], "plain python process", times["plain"], _BARS.get(name)) for name in runs]


def _timed(run: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    started = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - started)


def _in_monty() -> None:
    printed = monty.Printed(1000)
    monty.interpret(_PROGRAM, _LIMITS, printed)
    assert printed.stdout == _OUTPUT, printed


def _in_bubblewrap() -> None:
    engine, reason = bubblewrap.find()
    assert engine is not None, reason
    outcome = engine.run(_PROGRAM, limits=_LIMITS)
    assert outcome.stdout == _OUTPUT, outcome


def _judged_in_monty() -> None:
    verdict = run_tests_sync(_SOLUTION, _TESTS, _LIMITS)
    assert (verdict.passed, verdict.engine) == (True, "monty"), verdict


def _judged_in_bubblewrap() -> None:
    engine, reason = bubblewrap.find()
    assert engine is not None, reason
    verdict = judge.in_bubblewrap(engine, _SOLUTION, _TESTS, _LIMITS)
    assert verdict.passed, verdict


def _plain() -> None:
    done = subprocess.run([sys.executable, "-S", "-c", _PROGRAM], capture_output=True, text=True, check=True)  # noqa: S603 (our own program)
    assert done.stdout == _OUTPUT, done
