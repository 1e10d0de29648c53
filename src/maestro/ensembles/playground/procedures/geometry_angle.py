"""Write the missing angle of a triangle as an expression."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.geometry_labels import angles, without_degree_digit
from maestro.ensembles.playground.procedures.words import least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An expression such as `180-35-72`; None unless exactly two angles were read."""
    page = await read_page(request, caller)
    found = angles(page)
    if len(found) > 2:
        # A stray number has no degree sign; drop unmarked ones as long as two marked ones stay.
        marked = [item for item in found if "°" in item[0].text]
        found = marked if len(marked) == 2 else sorted(found, key=lambda item: -item[0].confidence)[:2] if len(marked) < 2 else found
    if len(found) != 2:
        return SkillResult(None, 0.0 if not found else 0.1, f"{len(found)} of 2 angles read", "expression")
    words = [word for word, _ in found]
    first, second = without_degree_digit(found[0][1], found[1][1])
    third = 180 - float(first) - float(second)
    fit = 1.0 if all(word.text.rstrip(".").endswith("°") for word in words) else 0.8
    if third <= 0:
        return SkillResult(None, 0.1, f"{first} and {second} exceed 180", "expression")
    return SkillResult(f"180-{first}-{second}", round(least_confidence(words) * fit, 2), f"angles {first} and {second}", "expression")


__all__ = ["run"]
