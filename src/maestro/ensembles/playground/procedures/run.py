"""Run: what a Python program prints."""

from __future__ import annotations

import ast
import re
from typing import Any

from maestro.ensembles.playground.procedures.code_repair import repaired
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_MAX_CHARACTERS = 4000
_SHOWN_CHARACTERS = 200
_DAMAGE = ("SyntaxError", "IndentationError", "NameError", "AttributeError", "TypeError")
"""Failures that a misread character causes; others are what the program does."""


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """What the program in the query prints, on one line; None when it fails or prints nothing.

    Code that does not parse, or fails as misread code does, is tried once with its probable OCR errors put right, at lower
    confidence. Raises ValueError when there is no code or far too much.
    """
    code = program(request)
    reply, sure = None, 0.95
    if parses(code):
        reply = await caller.ask("run", code=code)
    if reply is None or _damaged(reply):
        mended = mend(code)
        if reply is None or (mended != code and parses(mended)):
            second = await caller.ask("run", code=mended)
            if reply is None or second["error"] is None:
                reply, sure = second, 0.7
    shown = " ".join(reply["output"].split())
    if reply["error"] is not None:
        return SkillResult(None, 0.05, str(reply["error"]).replace("\n", " ")[:40])
    if not shown:
        return SkillResult(None, 0.1, "the program prints nothing")
    if reply["truncated"] or len(shown) > _SHOWN_CHARACTERS:
        return SkillResult(shown[:_SHOWN_CHARACTERS], round(sure / 2, 2), "output cut short")
    return SkillResult(shown, sure, "ran as read" if sure > 0.9 else "ran after repair")


def program(request: SkillRequest) -> str:
    """The code of a request: the query, or what the question quotes in a code fence."""
    code = request.query
    if not code and (fenced := re.search(r"```(?:python|py)?\s*\n?(.*?)```", request.question, re.DOTALL)):
        code = fenced[1]
    code = code.strip("\n")
    if not code.strip():
        raise ValueError("run needs a program as its query; read it first")
    if len(code) > _MAX_CHARACTERS:
        raise ValueError(f"the program has {len(code)} characters; at most {_MAX_CHARACTERS} are run")
    if "\n" not in code and "\\n" in code and not parses(code):
        code = code.replace("\\n", "\n")  # a query on one line writes its line ends as \n
    return code


def mend(code: str) -> str:
    """The code with its probable OCR errors put right and common indentation removed."""
    lines = code.expandtabs(4).split("\n")
    common = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    code = "\n".join(line[common:] for line in lines)
    return repaired(code)[0]


def parses(code: str) -> bool:
    """Whether it is a Python program; it is only parsed, never run here."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _damaged(reply: dict[str, Any]) -> bool:
    return reply["error"] is not None and str(reply["error"]).startswith(_DAMAGE)


__all__ = ["mend", "parses", "program", "run"]
