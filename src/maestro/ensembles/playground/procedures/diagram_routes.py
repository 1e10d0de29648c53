"""How many coloured routes join two stations."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.ensembles.playground.procedures.scene_words import colours_in
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The number of routes between the stations of the two named colours; None when a station was not found.

    Raises ValueError when the question does not name two colours.
    """
    stations = colours_in(request.text)[:2]
    if len(stations) < 2:
        raise ValueError("the question must name two stations by colour, for example: how many routes join the red and the blue station?")
    reply = await caller.ask("routes", images=(first_image(request),), stations=stations)
    if reply["count"] is None:
        return SkillResult(None, evidence="a station was not found")
    return SkillResult(str(reply["count"]), float(reply["confidence"]), f"{reply['count']} of {reply['lines']} lines join them")


__all__ = ["run"]
