"""Name the colour of a shape."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.perceiving import perceived
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Colour of the shape of the named kind: the largest of several, or the smallest if the question says so.

    The two perception skills share their reading of the question, so that one picked for the other still answers it.
    """
    return await perceived(request, caller)


__all__ = ["run"]
