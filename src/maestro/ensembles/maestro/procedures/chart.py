"""Chart_Problem_Solver: settle the kind of the chart, then answer by the general rules and those of that kind. Two calls."""

from __future__ import annotations

import re

from maestro.skills.prompted import consult, gather, result_of
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_KINDS = ("pie", "line", "bar")
"""In this order: a reply that names several kinds is taken for the first of them here."""
_USUAL = "bar"


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The answer to a question about a bar, line or pie chart; without an image the words alone have to do."""
    assert caller.skill is not None
    evidence = await gather(request, caller)
    kind = chart_kind(await consult(caller, caller.section("classify"), request, evidence))
    rules = f"{caller.section('answer')}\n\n{caller.section(kind)}"
    return result_of(await consult(caller, rules, request, evidence), caller.skill)


def chart_kind(reply: str) -> str:
    """The kind a reply names: pie before line before bar, and bar when it names none."""
    words = set(re.findall(r"[a-z]+", reply.casefold()))
    return next((kind for kind in _KINDS if kind in words), _USUAL)
