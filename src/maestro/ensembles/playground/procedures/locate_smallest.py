"""Find the smallest thing in the picture, to be looked at enlarged."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Box around the smallest group of marks with a small margin, as `left,top,right,bottom` in pixels; None on an empty picture."""
    reply = await caller.ask("smallest", images=(first_image(request),))
    if reply["box"] is None:
        return SkillResult(None, evidence="nothing found", gives="region")
    left, top, right, bottom = (int(value) for value in reply["box"])
    return SkillResult(f"{left},{top},{right},{bottom}", float(reply["confidence"]), f"{right - left}x{bottom - top} px", gives="region")


__all__ = ["run"]
