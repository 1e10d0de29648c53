"""Coded skills: one async function each, held to what a skill promises whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from numbers import Real
from typing import Any, get_args

from maestro.errors import InfrastructureFault, MaestroError, raised_in
from maestro.skills.protocol import Caller, SkillRequest, SkillResult, is_text
from maestro.types import Skill, Value

_NOT_ASYNC = object()
_ROUNDING = 1e-6
"""How far a confidence may lie outside 0 to 1 by rounding."""


async def run_coded(skill: Skill, procedure: Callable[..., Any], request: SkillRequest, caller: Caller) -> SkillResult:
    """Run a coded skill. Raises what it raises for the policy (ValueError, MaestroError), else InfrastructureFault.

    A skill author's bug must cost one episode, not the run; the episode keeps it. That holds for a wrong result and for `sys.exit`, too.
    """
    try:
        work = procedure(request, caller)
        result = await work if isinstance(work, Awaitable) else _NOT_ASYNC
    except (MaestroError, ValueError, TimeoutError):
        raise
    except (Exception, SystemExit) as bug:
        raise InfrastructureFault(f"skill {skill.id} broke: {type(bug).__name__}: {bug}{raised_in(bug, procedure.__module__)}") from bug
    if wrong := _wrong(result):
        raise InfrastructureFault(f"skill {skill.id}: {skill.target} {wrong}")
    assert isinstance(result, SkillResult)
    return result


def _wrong(result: object) -> str:
    """What a result breaks of the contract, with what to write instead; empty when it keeps it."""
    if result is _NOT_ASYNC:
        return "is no async function; write: async def run(request, caller)"
    if not isinstance(result, SkillResult):
        return f"returned {_described(result)}; return SkillResult(value, confidence=..., evidence=...)"
    if not (result.value is None or isinstance(result.value, str)):
        return f"gave the value {_described(result.value)}; a value is text, or None where nothing was found"
    if not isinstance(result.confidence, Real) or not -_ROUNDING <= result.confidence <= 1 + _ROUNDING or math.isnan(result.confidence):
        return f"gave the confidence {_described(result.confidence)}; it is a number from 0 to 1"
    if result.gives not in get_args(Value):
        return f"says that it gives {_described(result.gives)}; it is one of {', '.join(get_args(Value))}"
    if not isinstance(result.evidence, str) or not isinstance(result.message, str | None):
        return "gave an evidence or a message that is no text"
    if half := next((said for said in (result.value, result.evidence, result.message) if said and not is_text(said)), None):
        return f"gave {_described(half)}, which has half a surrogate pair in it; that is no character and cannot be written"
    return ""


def _described(value: object) -> str:
    """A value and its type, shortened."""
    if value is None:
        return "None"
    shown = repr(value)
    return f"{shown if len(shown) <= 60 else shown[:59] + '…'} ({type(value).__name__})"
