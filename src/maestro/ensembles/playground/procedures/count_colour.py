"""Count the shapes of a colour, of any kind or of one."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import drawing
from maestro.ensembles.playground.procedures.scene_words import colours_in, objects_in, shapes_in, without_frame
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """How many shapes there are of the colour (and kind) that the question names; of the named kind when it names no colour."""
    asked = without_frame(request.text)
    colours, kinds = colours_in(asked), shapes_in(asked)
    colour, kind = next(
        ((colour, kind) for colour, kind in objects_in(asked) if colour is not None),
        (colours[0] if colours else None, kinds[0] if kinds else None),
    )
    found = await drawing(request, caller)
    if not found.shapes:
        return SkillResult(None, evidence="no shapes found")
    count = sum(1 for shape in found.shapes if shape.is_a(colour, kind))
    confidence = found.sureness() * (1.0 if count else 0.3)
    return SkillResult(str(count), confidence, f"{count} of {len(found.shapes)} shapes fit")


__all__ = ["run"]
