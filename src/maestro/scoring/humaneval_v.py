"""HumanEval-V: a reply's program against the task's test script, in the sandbox."""

from __future__ import annotations

import ast
import re
from enum import StrEnum

from maestro.errors import TaskError
from maestro.sandbox import Limits, UnusableTests, run_tests_sync
from maestro.scoring.blocking import about_to_block
from maestro.scoring.boxed import tail
from maestro.scoring.score import Score

_RULE = "humaneval_v"
_FENCE = "```"
_PYTHON = re.compile(r"[ ]{0,3}(?:python3?|py)(?![A-Za-z0-9])", re.IGNORECASE)
_SOLUTION = "def solution"
_KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_SECONDS = 2.0
_OUT_OF_TIME = re.compile(r"did not end within|time ?limit|TimeoutError|timed out", re.IGNORECASE)


class Result(StrEnum):
    """What became of a program."""

    PASSED = "passed"
    FAILED = "failed"
    """A test failed, or the program ended before its tests did."""
    TIMEOUT = "timeout"
    SYNTAX = "syntax"
    """The program is no Python."""
    NO_CODE = "no_code"
    """The reply has no code block."""
    UNUSABLE = "unusable"
    """The task's own test script is at fault; scored 0 like all of them, and to be counted apart."""


def humaneval_v(prediction: str, references: tuple[str, ...], *, signature: str = "", seconds: float = _SECONDS) -> Score:
    """1 when the reply's program passes every test script among the references.

    `signature` is the task's function signature with its imports: a program that is only a body is put under it. Program and tests
    live in two sandboxes and the verdict comes from the tests' side, so that leaving with exit code 0 passes nothing. Raises TaskError
    for a signature that is no Python, and Refused when there is no sandbox.
    """
    imports = _imports(signature)
    code = extract_program(tail(prediction), signature)
    if code is None:
        return _told(Result.NO_CODE, "", "no code block in the reply")
    try:
        program = _with_signature(signature) + _definitions(code)
        ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return _told(Result.SYNTAX, code, f"{type(error).__name__}: {str(error)[:150]}")
    about_to_block()
    for script in references:
        try:
            verdict = run_tests_sync(program, imports + script, Limits(seconds=seconds))
        except UnusableTests as error:
            return _told(Result.UNUSABLE, code, f"the test script says nothing about any program: {error}")
        if not verdict.passed:
            late = _OUT_OF_TIME.search(verdict.reason) is not None
            return _told(Result.TIMEOUT if late else Result.FAILED, code, verdict.reason)
    return _told(Result.PASSED, code, "every test passed")


def extract_program(reply: str, signature: str = "") -> str | None:
    """The last Python block that defines `solution`, else the last Python block, else the first block of any kind; None without one.

    A block that begins indented is a body and goes under the signature.
    """
    blocks = reply.split(_FENCE)[1::2]
    python = [match.string[match.end() :] for block in blocks if (match := _PYTHON.match(block))]
    candidates = python or [block.partition("\n")[2] if re.match(r"\w", block) else block for block in blocks]
    if not candidates:
        return None
    solving = [block for block in candidates if _SOLUTION in block]
    code = solving[-1] if solving else python[-1] if python else candidates[0]
    if signature and re.match(r"\r?\n? {2,}\S", code):
        code = signature.rstrip("\n") + "\n" + code.lstrip("\r\n")
    return code


def _definitions(code: str) -> str:
    """What the official script keeps: imports, functions and classes, also those under an `if` or `try`. Raises SyntaxError."""
    kept: list[str] = []
    waiting: list[ast.AST] = [ast.parse(code)]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, _KEPT):
            kept.append(ast.unparse(node))
        else:
            waiting[:0] = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt | ast.excepthandler)]
    return "\n".join(kept) + "\n"


def _with_signature(signature: str) -> str:
    """The signature with an empty body, which the program then defines anew."""
    return f"{signature.rstrip()}\n    pass\n\n" if signature.strip() else ""


def _imports(signature: str) -> str:
    """The signature's imports, which the tests need on their side."""
    try:
        tree = ast.parse(_with_signature(signature))
    except SyntaxError as error:
        raise TaskError(f"the function signature is no Python: {error}") from error
    return "".join(ast.unparse(node) + "\n" for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))


def _told(result: Result, code: str, reason: str) -> Score:
    extracted = code.strip()[:500] or None
    return Score(score=float(result is Result.PASSED), extracted=extracted, rule=_RULE, reason=f"{result}: {reason}"[:400])
