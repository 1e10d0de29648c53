"""Which way an arrow or robot points."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

COMPASS = ("east", "southeast", "south", "southwest", "west", "northwest", "north", "northeast")
"""Clockwise from the right; north is up."""
SIDES = ("right", "down-right", "down", "down-left", "left", "up-left", "up", "up-right")
_COMPASS_ASKED = re.compile(r"\b(compass|north|south|east|west)", re.IGNORECASE)
_DEGREES_ASKED = re.compile(r"\bdegrees?\b|\bbearing\b", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """One of eight directions, as compass points when the question speaks of them; a bearing (0 is up, clockwise) for degrees."""
    reply = await caller.ask("heading", images=(first_image(request),))
    if reply["degrees"] is None:
        return SkillResult(None, evidence="no arrow found")
    degrees, confidence = float(reply["degrees"]), float(reply["confidence"])
    if _DEGREES_ASKED.search(request.text):
        return SkillResult(str(round(degrees + 90) % 360), confidence, f"turned {degrees:.0f} from right")
    sector = round(degrees / 45) % 8
    off = abs((degrees - 45 * round(degrees / 45) + 22.5) % 45 - 22.5)
    names = COMPASS if _COMPASS_ASKED.search(request.text) else SIDES
    return SkillResult(names[sector], confidence * min(1.0, 1.6 - off / 18.0), f"{off:.0f} degrees off {names[sector]}")


__all__ = ["run"]
