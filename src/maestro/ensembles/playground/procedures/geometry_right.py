"""Write the unknown side of a right triangle as an expression."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from maestro.ensembles.playground.procedures.geometry_labels import lengths, unknown_mark
from maestro.ensembles.playground.procedures.words import Word, least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_HYPOTENUSE_GIVEN = re.compile(r"\b(?:hypotenuse|longest side)\b[^?.]*\b(?:is|are|given|known|labelled)\b[^?.]*\bleg\b", re.IGNORECASE)
_LEG_ASKED = re.compile(
    r"\b(?:missing|other|unknown|second|remaining|which|the)\s+(?:leg|cathetus|short(?:er)? side)\b(?!s)", re.IGNORECASE
)
_HYPOTENUSE_ASKED = re.compile(
    r"\bhypotenuse\b|\blongest\b|\bslant|\bdiagonal\b|\btwo\b[^.?]*\b(?:legs|short(?:er)? sides)\b", re.IGNORECASE
)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An expression such as `sqrt(6**2+8**2)`; None unless exactly two side lengths were read."""
    page = await read_page(request, caller)
    found = lengths(page)
    if len(found) > 2:
        found = sorted(found, key=lambda item: -item[0].confidence)[:2]
        spare = 0.5
    else:
        spare = 1.0
    if len(found) != 2:
        return SkillResult(None, 0.0 if not found else 0.1, f"{len(found)} of 2 sides read", "expression")
    words = [word for word, _ in found]
    (_, first), (_, second) = found
    leg, fit = _leg_asked(request.text, words, unknown_mark(page, words))
    if leg and float(first) != float(second):
        longer, shorter = sorted((first, second), key=float, reverse=True)
        expression = f"sqrt({longer}**2-{shorter}**2)"
    else:
        expression = f"sqrt({first}**2+{second}**2)"
    kind = "a leg" if leg else "the hypotenuse"
    return SkillResult(expression, round(least_confidence(words) * fit * spare, 2), f"sides {first}, {second}; {kind}"[:40], "expression")


def _leg_asked(question: str, known: Sequence[Word], mark: Word | None) -> tuple[bool, float]:
    """Whether a leg is asked for rather than the hypotenuse, and how sure that is."""
    if _LEG_ASKED.search(question) or _HYPOTENUSE_GIVEN.search(question):
        return True, 1.0
    if _HYPOTENUSE_ASKED.search(question):
        return False, 1.0
    if mark is None:
        return False, 0.85
    # The labels stand at the middles of the sides; seen from the hypotenuse's the other two lie at a right angle.
    places = [(mark.x, mark.y), *((word.x, word.y) for word in known)]
    squareness = [abs(_corner(places, index) - 90) for index in range(3)]
    return squareness[0] > min(squareness) + 15, 0.9


def _corner(places: Sequence[tuple[float, float]], index: int) -> float:
    """Angle in degrees at one of three points."""
    here, *others = places[index], *(place for position, place in enumerate(places) if position != index)
    turns = [math.degrees(math.atan2(y - here[1], x - here[0])) for x, y in others]
    return abs((turns[0] - turns[1] + 180) % 360 - 180)


__all__ = ["run"]
