"""Read the value of a line chart at a named place."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.chart_reading import one_value
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The line's value over the label that the question names; None when the scale, the label or the line was not found."""
    return await one_value(request, caller, "line")


__all__ = ["run"]
