"""Find the frame that the question speaks of."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.ensembles.playground.procedures.scene_words import colours_in, frame_colour
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Inside of the frame of the named colour, or of the clearest frame, as `left,top,right,bottom` in pixels; None without one."""
    colours = colours_in(request.text)
    wanted = frame_colour(request.text) or (colours[0] if len(colours) == 1 else None)
    reply = await caller.ask("frame", images=(first_image(request),), colour=wanted)
    if reply["box"] is None:
        return SkillResult(None, evidence="no frame found", gives="region")
    left, top, right, bottom = (int(value) for value in reply["box"])
    named = wanted is None or reply.get("colour") == wanted
    confidence = float(reply["confidence"]) * (1.0 if named else 0.4)
    return SkillResult(f"{left},{top},{right},{bottom}", confidence, f"{reply.get('colour') or 'coloured'} frame", gives="region")


__all__ = ["run"]
