"""Count rings that may be linked."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """How many rings there are; None when none was found."""
    reply = await caller.ask("rings", images=(first_image(request),))
    if not reply["count"]:
        return SkillResult(None, evidence="no ring found")
    return SkillResult(str(reply["count"]), float(reply["confidence"]), f"{reply['count']} circles explain the lines")


__all__ = ["run"]
