"""Count the shapes of a kind, of any colour or of one."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import counted
from maestro.ensembles.playground.procedures.scene_words import objects_in, shapes_in, without_frame
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """How many shapes there are of the kind (and colour) that the question names; of every kind when it names none."""
    asked = without_frame(request.text)
    kinds = shapes_in(asked)
    colour, kind = next(((colour, kind) for colour, kind in objects_in(asked) if kind is not None), (None, kinds[0] if kinds else None))
    return await counted(request, caller, colour, kind)


__all__ = ["run"]
