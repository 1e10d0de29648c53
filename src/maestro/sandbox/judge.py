"""Did a program pass its tests? Program and tests never share an interpreter.

A program that runs beside its tests can make them pass without doing its task: leave with exit code 0, print the word that stands for
success, replace what `assert` compares with, return an object that equals everything, read the expected answers from the frame above.
Here it lives in one sandbox and the tests in another; calls and answers are plain data on a pipe. The verdict is reported by the
interpreter of the tests, in which no line of the program ever runs, so there is nothing to guess and nothing to forge.
"""

from __future__ import annotations

import ast
import time
from dataclasses import replace
from functools import partial

from maestro.sandbox import bubblewrap, judge_monty, monty
from maestro.sandbox.bubblewrap import Bubblewrap, Inside
from maestro.sandbox.contained import MAX_FILES, Contained, Ending, Stop, watch
from maestro.sandbox.inside.plain import NotPlain, loads
from maestro.sandbox.limits import MAX_SOURCE_BYTES, Limits
from maestro.sandbox.outcome import Refused, UnusableTests, Verdict
from maestro.sandbox.run import FIRST_SECONDS, in_thread, too_large

_DEFAULT = Limits()


async def run_tests(program: str, tests: str, limits: Limits = _DEFAULT) -> Verdict:
    """Run tests, a Python text that fails by raising, against what a program defines.

    The tests see the program's functions and plain values by name. Arguments and results are plain data (numbers, text, bytes, None,
    lists, tuples, sets and dicts of them) and are passed by value; imports are not shared. `limits` hold for each of the two, the time
    for both together. Raises Refused when no engine is there (nothing is known about the program then) and UnusableTests.
    """
    stop = Stop()
    return await in_thread(partial(_judge, program, tests, limits, stop), stop)


def run_tests_sync(program: str, tests: str, limits: Limits = _DEFAULT) -> Verdict:
    """The same for code that does not run in an event loop."""
    return _judge(program, tests, limits, None)


def _judge(program: str, tests: str, limits: Limits, stop: Stop | None) -> Verdict:
    started = time.monotonic()
    _check(tests)
    engine, reason = bubblewrap.find()
    lacking = monty.missing()
    verdict = None
    if excess := too_large(program=(program, MAX_SOURCE_BYTES)):
        verdict = Verdict(passed=False, reason=excess, engine="bubblewrap" if engine else "monty")
    elif not lacking:
        share = replace(limits, seconds=min(limits.seconds, FIRST_SECONDS)) if engine else limits
        verdict, lacking = judge_monty.judge(program, tests, share, alone=engine is None)
    if verdict is None and engine is None:
        raise Refused(f"{lacking}, and bubblewrap cannot: {reason}. Nothing was run; see: maestro doctor")
    if verdict is None:
        assert engine is not None
        verdict = in_bubblewrap(engine, program, tests, limits, stop)
    return replace(verdict, seconds=time.monotonic() - started)


def _check(tests: str) -> None:
    """Raises UnusableTests for what is no Python or tests nothing."""
    if excess := too_large(tests=(tests, MAX_SOURCE_BYTES)):
        raise UnusableTests(excess)
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnusableTests(f"the tests are no Python: {type(error).__name__}: {error}") from error
    if not any(isinstance(node, (ast.Call, ast.Name)) for node in ast.walk(tree)):
        raise UnusableTests("the tests name nothing that they could test")


def in_bubblewrap(engine: Bubblewrap, program: str, tests: str, limits: Limits, stop: Stop | None = None) -> Verdict:
    """The verdict of CPython in two sandboxes. Raises Refused when they do not come up, and UnusableTests."""
    with Inside(engine, limits) as inside:
        source, script, nothing = (inside.file(text.encode("utf-8", "replace")) for text in (program, tests, ""))
        calls, asking = inside.pipe()
        told, answers = inside.pipe()
        tested = inside.start("serve", source, calls, answers, stdin=nothing, keep=(source, calls, answers))
        testing = inside.start("check", script, asking, told, stdin=nothing, keep=(script, asking, told))
        inside.release()
        ending = watch(testing, (tested,), limits.seconds, stop)
    if ending == "start" or not tested.ready:
        said = (testing.text("stderr") or tested.text("stderr")).strip()
        raise Refused(f"the sandbox did not start: {said[-300:] or 'it did not come up in time'}")
    passed, reason = _reported(testing, tested, ending, limits)
    return Verdict(passed=passed, reason=reason, engine="bubblewrap")


def _reported(testing: Contained, tested: Contained, ending: Ending, limits: Limits) -> tuple[bool, str]:
    """(passed, why not). Only the tests' own report that they came to their end counts as passed."""
    if ending == "files":
        return False, f"the program or the tests made more than {MAX_FILES} files"
    if ending == "stopped":
        return False, "cancelled: nobody waits for the verdict any more"
    if ending == "timeout":
        return False, f"the tests did not end within {limits.seconds:g} s"
    if ending == "output":
        who = "the program" if tested.overflowed else "the tests"
        return False, f"{who} printed more than {limits.output_bytes} bytes"
    try:
        report = loads(testing.reported.decode())
    except (NotPlain, UnicodeDecodeError):
        said = testing.text("stderr").strip()
        return False, f"the tests ended without a verdict: {said[-300:] or 'no word from them'}"
    if "unusable" in report:
        raise UnusableTests(str(report["unusable"]))
    return report["passed"] is True, str(report.get("reason", ""))
