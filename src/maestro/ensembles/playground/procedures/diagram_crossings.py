"""How often two lines cross."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.ensembles.playground.procedures.scene_words import colours_in
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """How often the two lines of the named colours cross, or the two clearest lines when it names none; None without two lines."""
    reply = await caller.ask("crossings", images=(first_image(request),), colours=colours_in(request.text)[:2])
    if reply["count"] is None:
        return SkillResult(None, evidence="two lines were not found")
    return SkillResult(str(reply["count"]), float(reply["confidence"]), f"{reply['count']} crossings")


__all__ = ["run"]
