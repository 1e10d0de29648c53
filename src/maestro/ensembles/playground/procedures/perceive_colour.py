"""Name the colour of a shape."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.drawn_shapes import Drawn, drawing
from maestro.ensembles.playground.procedures.scene_words import shapes_in, written_colour
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_SMALLEST = re.compile(r"\b(smallest|tiniest|littlest)\b", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Colour of the shape of the named kind: the largest of several, or the smallest if the question says so."""
    kinds = shapes_in(request.text)
    found = await drawing(request, caller)
    candidates = [shape for shape in found.shapes if shape.is_a(None, kinds[0] if kinds else None)]
    if not candidates:
        return SkillResult(None, evidence=f"no {kinds[0] if kinds else 'shape'} found")

    def size(shape: Drawn) -> float:
        return -shape.area if _SMALLEST.search(request.text) else shape.area

    chosen = max(candidates, key=size)
    rivals = len(candidates) - 1 if kinds else 0
    confidence = found.sureness([chosen]) / (1 + 0.5 * rivals)
    return SkillResult(written_colour(chosen.colour, request.text), confidence, f"{chosen.kind} at {chosen.x:.0f},{chosen.y:.0f}")


__all__ = ["run"]
