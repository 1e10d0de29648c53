"""Tests of a program in monty: two sessions in two processes, and this process carries plain data from one to the other."""

from __future__ import annotations

import ast
import builtins
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from maestro.sandbox.inside.plain import NotPlain, dumps, loads
from maestro.sandbox.lacking import lacks, slow
from maestro.sandbox.limits import Limits
from maestro.sandbox.monty import CALLABLE, CODE, Printed, session, told
from maestro.sandbox.outcome import UnusableTests, Verdict

_CALLS = 10_000
"""Calls from the tests into the program, at most; with more, CPython has to have a look."""
_pairs = threading.BoundedSemaphore(os.cpu_count() or 1)
"""As many pairs of sessions as there are pairs of workers: nobody waits for a second one while holding a first."""


@dataclass
class Tested:
    """The session that holds the program, and what became clear about it while the tests ran."""

    source: str
    limits: Limits
    alone: bool
    session: Any
    printed: Printed
    deadline: float
    calls: int = 0
    failure: str = ""
    """What ended it for good, even where the tests catch everything."""
    lacking: str = ""
    unusable: str = ""

    def define(self) -> None:
        """Run the program. Raises what it raises."""
        self._feed(self.source)

    def reached(self, names: set[str]) -> dict[str, Any]:
        """What the tests get under these names: stand-ins for what can be called, plain values for the rest."""
        found: dict[str, Any] = {}
        for name in sorted(names):
            value = self._feed(name)
            if isinstance(value, str) and value.startswith(CALLABLE):
                found[name] = self._stand_in(name)
                continue
            try:
                found[name] = self._crossing(value)
            except NotPlain as error:
                self.lacking = str(error)
        return found

    def _stand_in(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if time.monotonic() > self.deadline or self.calls >= _CALLS:
                self.failure = f"the tests did not end within {self.limits.seconds:g} s"
                self.lacking = "" if self.alone else "time"
                raise TimeoutError(self.failure)
            try:
                given = self._crossing([args, kwargs])
            except NotPlain as error:
                self.unusable = f"the tests call {name} with what is no plain data: {error}"
                raise
            return self._crossing(self._feed(f"{name}(*_args, **_kwargs)", _args=given[0], _kwargs=given[1]))

        return call

    def _feed(self, code: str, **inputs: Any) -> Any:
        """Run something in the program's session. Raises what it raises, having noted what CPython should have a look at."""
        import pydantic_monty

        try:
            return self.session.feed_run(code, inputs=inputs or None, print_callback=self.printed)
        except pydantic_monty.MontyCrashedError as error:
            self.failure = self.lacking = f"pydantic-monty's worker died: {error}"
            raise TimeoutError(self.failure) from error
        except pydantic_monty.MontyError as error:
            raised = error.exception()
            if lacks(raised, self.source, self.limits) or (slow(raised) and not self.alone):
                self.lacking = told(raised, self.limits)
            elif slow(raised):
                self.failure = told(raised, self.limits)
            if isinstance(raised, (StopIteration, StopAsyncIteration)):  # would end a loop of the tests early, as if all were well
                raised = Exception(told(raised, self.limits))
            raise raised from error

    def _crossing(self, value: Any) -> Any:
        """The value as it arrives on the other side. Raises NotPlain; code, which monty hands out as text, CPython has to look at."""
        try:
            text = dumps(value)
        except RecursionError as error:
            raise NotPlain("what contains itself is not plain data") from error
        if any(mark in text for mark in CODE):
            self.lacking = "it hands out code as a value"
        return loads(text)


def judge(program: str, tests: str, limits: Limits, *, alone: bool) -> tuple[Verdict | None, str]:
    """(the verdict, ""), or (None, why CPython has to have a look). Raises UnusableTests.

    `alone`: nobody stands behind monty, so its slowness is held against the program.
    """
    if "__name__" in program:
        return None, "in monty every program is __main__"
    try:
        names = (set(_bound(ast.parse(program))) & _used(tests)) - set(dir(builtins))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return None, f"the program does not parse: {error}"
    with _pairs, session(limits) as defining, session(limits, _CALLS) as testing:
        tested = Tested(program, limits, alone, defining, Printed(limits.output_bytes), time.monotonic() + limits.seconds)
        try:
            tested.define()
            reached = tested.reached(names)
        except Exception as error:  # noqa: BLE001  a program may end in any way; monty hands it over as an exception of ours
            failure = f"the program does not load: {told(error, limits)}"
        else:
            failure = _tested(testing, tests, reached, tested)
    if tested.unusable:
        raise UnusableTests(tested.unusable)
    if tested.lacking:
        return None, tested.lacking
    if tested.printed.truncated:
        failure = f"the program printed more than {limits.output_bytes} bytes"
    failure = tested.failure or failure or ("" if tested.calls else "the tests called nothing that the program defines")
    return Verdict(passed=not failure, reason=failure, engine="monty"), ""


def _tested(testing: Any, tests: str, reached: dict[str, Any], tested: Tested) -> str:
    """Run the tests; why they failed, empty when they came to their end."""
    import pydantic_monty

    try:
        testing.feed_run(tests, external_lookup=reached, print_callback=Printed(tested.limits.output_bytes))
    except pydantic_monty.MontyCrashedError as error:
        tested.lacking = f"pydantic-monty's worker died: {error}"
    except pydantic_monty.MontyError as error:
        raised = error.exception()
        if isinstance(raised, NameError) or lacks(raised, tests, tested.limits) or (slow(raised) and not tested.alone):
            tested.lacking = tested.lacking or told(raised, tested.limits)
        return told(raised, tested.limits)
    return ""


def _bound(tree: ast.AST) -> Iterator[str]:
    """Names that a module's own statements bind; those inside of functions and classes are not the module's."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        yield from _bound(node)


def _used(tests: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)}
