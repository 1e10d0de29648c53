"""Where shapes lie to each other: the neighbour on one side of a shape, or how two shapes lie to each other."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.perceiving import perceived
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Colour (or kind) of the neighbour on the side that the question names; yes, no or a side when it names two shapes.

    The two perception skills share their reading of the question, so that one picked for the other still answers it.
    """
    return await perceived(request, caller)


__all__ = ["run"]
