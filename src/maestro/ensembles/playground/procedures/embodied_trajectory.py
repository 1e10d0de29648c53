"""Where the path of a robot ends."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.ensembles.playground.procedures.scene_words import colours_in, written_colour
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Colour of the marker where the path from the start dot ends (the dot's colour is black unless named); None when it was lost."""
    named = colours_in(request.text)
    reply = await caller.ask("path", images=(first_image(request),), start=named[0] if named else "black")
    if reply["end"] is None:
        return SkillResult(None, evidence="the path was lost")
    return SkillResult(written_colour(reply["end"], request.text), float(reply["confidence"]), f"ends at {reply['at'][0]},{reply['at'][1]}")


__all__ = ["run"]
