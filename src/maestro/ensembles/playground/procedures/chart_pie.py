"""Shares of a pie chart's slices, named by colour."""

from __future__ import annotations

import re
from typing import Any

from maestro.ensembles.playground.experts.colours import ANCHORS, hue_distance
from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.ensembles.playground.procedures.scene_words import colours_in, written_colour
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_LARGEST = re.compile(r"\b(largest|biggest|greatest|widest|most)\b", re.IGNORECASE)
_SMALLEST = re.compile(r"\b(smallest|least|tiniest|narrowest)\b", re.IGNORECASE)
_COUNT = re.compile(r"\bhow many (?:slices|sectors|parts|pieces|segments)\b", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Percentage of the slice of the named colour, colour of the largest or smallest slice, or the number of slices."""
    reply = await caller.ask("pie", images=(first_image(request),))
    slices, confidence = reply["slices"], float(reply["confidence"])
    if not slices:
        return SkillResult(None, evidence="no pie found")
    if _COUNT.search(request.text):
        return SkillResult(str(len(slices)), confidence, f"{len(slices)} colours")
    wanted = colours_in(request.text)
    if wanted:
        return _share(slices, wanted[0], confidence)
    if not (_LARGEST.search(request.text) or _SMALLEST.search(request.text)):
        raise ValueError("the question names no slice; say its colour, or ask for the largest or smallest one.")
    ranked = sorted(slices, key=lambda part: float(part["share"]), reverse=not _SMALLEST.search(request.text))
    chosen = ranked[0]
    margin = 1.0 if len(ranked) == 1 else min(1.0, abs(float(chosen["share"]) - float(ranked[1]["share"])) / 0.03)
    return SkillResult(
        written_colour(chosen["colour"], request.text), confidence * margin, f"{100 * float(chosen['share']):.0f}% of the pie"
    )


def _share(slices: list[dict[str, Any]], colour: str, confidence: float) -> SkillResult:
    """Percentage of a colour; when no slice bears the name, of the slice whose shade is nearest to it."""
    shares = [float(part["share"]) for part in slices if part["colour"] == colour]
    if not shares:
        free = [part for part in slices if "rgb" in part]
        if not free or colour not in ANCHORS:
            return SkillResult(None, evidence=f"no {colour} slice")
        nearest = min(free, key=lambda part: hue_distance(part["rgb"], ANCHORS[colour]))
        return SkillResult(str(round(100 * float(nearest["share"]))), 0.4 * confidence, f"nearest shade: {nearest['colour']}")
    return SkillResult(str(round(100 * sum(shares))), confidence / len(shares), f"{len(slices)} slices")


__all__ = ["run"]
