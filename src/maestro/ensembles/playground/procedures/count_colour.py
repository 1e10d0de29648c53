"""Count the shapes of a colour, of any kind or of one."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import counted
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
    return await counted(request, caller, colour, kind)


__all__ = ["run"]
