"""Code_Problem_Solver: read a test from the picture, write the function, run it on the test in the sandbox, repair it.

Two calls to five: one or two for the test, one to three for the code. Generated code is parsed here and run in the sandbox only.
"""

from __future__ import annotations

import ast
import importlib
from dataclasses import dataclass
from typing import Any

from maestro.skills.evidence import Evidence
from maestro.skills.message import fenced_blocks
from maestro.skills.prompted import consult
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_READINGS = 2
_ROUNDS = 3
_ERROR_CHARACTERS = 2000
_PASSED, _UNTRIED, _FAILED = 0.9, 0.5, 0.2
"""Confidence after a passed test, without one, and after the last failed one."""


@dataclass(frozen=True)
class _Trial:
    """What became of code on its test."""

    verdict: str
    """`passed`, `failed`, or `untried` when the sandbox would not run it."""
    error: str = ""


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The function that the picture specifies, as code."""
    test = await _read_test(request, caller)
    evidence = Evidence(request.images)
    section, earlier = "generate", [_beginning(request.text), _given(test)]
    code: str | None = None
    verdict = "untried"
    message = ""
    for _ in range(_ROUNDS):
        message = await consult(caller, caller.section(section), request, evidence, [part for part in earlier if part])
        block = python_block(message, "function")
        if block is None:
            section = "regenerate"
            continue
        code = block
        if test is None:
            break
        trial = await _try(code, test, caller)
        verdict = trial.verdict
        if verdict != "failed":
            break
        section, earlier = "repair", [f"```python\n{code}\n```", _given(test), f"The test ended with:\n{trial.error}"]
    return _result(code, verdict, message)


async def _read_test(request: SkillRequest, caller: Caller) -> str | None:
    """One assert statement that the expert reads from the picture, or None; it is asked twice at most."""
    if not request.images:
        return None
    for _ in range(_READINGS):
        reply = await consult(caller, caller.section("read-test"), request, Evidence(request.images), [_beginning(request.text)])
        if (found := python_block(reply, "test")) is not None:
            return found
    return None


def python_block(message: str, wanted: str) -> str | None:
    """The last block that Python can read and that is what is wanted, or None.

    `function`: some code with a function or class in it. `test`: exactly one assert statement. Code is parsed, never run here.
    """
    for block in reversed([*fenced_blocks(message, "python"), *fenced_blocks(message, "py")]):
        try:
            body = ast.parse(block).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        test = len(body) == 1 and isinstance(body[0], ast.Assert)
        function = any(isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for one in body)
        if test if wanted == "test" else function:
            return block.strip()
    return None


async def _try(code: str, test: str, caller: Caller) -> _Trial:
    """Run code and its test in the sandbox."""
    outcome: Any = await _sandbox().run_python(f"{code}\n\n{test}\n")
    if outcome.status == "ok":
        return _Trial("passed")
    if outcome.status == "refused":
        caller.lost.append(f"a test run of the code (the sandbox refused it: {outcome.reason})")
        return _Trial("untried")
    return _Trial("failed", f"{outcome.status}: {outcome.reason}\n{outcome.stderr[-_ERROR_CHARACTERS:]}".strip())


def _sandbox() -> Any:
    """The one way to run generated code; imported when code is first run."""
    return importlib.import_module("maestro.sandbox")


def _beginning(text: str) -> str:
    """The beginning of the function when the request holds one, completed so that Python can read it."""
    return f"The function begins:\n```python\n{text.rstrip()}\n    pass\n```" if "def " in text else ""


def _given(test: str | None) -> str:
    return f"It has to pass:\n```python\n{test}\n```" if test else ""


def _result(code: str | None, verdict: str, message: str) -> SkillResult:
    if code is None:
        return SkillResult(None, evidence="no reply held a function that Python can read", gives="code", message=message)
    confidence = {"passed": _PASSED, "untried": _UNTRIED, "failed": _FAILED}[verdict]
    evidence = {"passed": "passes the test read from the picture", "untried": "not run", "failed": "fails the test read from the picture"}
    warning = f"\n({evidence[verdict]})" if verdict == "failed" else ""
    return SkillResult(code, confidence, evidence[verdict], "code", message=f"```python\n{code}\n```{warning}")
