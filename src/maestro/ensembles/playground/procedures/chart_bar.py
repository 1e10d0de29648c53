"""Read the value of a bar in a bar chart."""

from __future__ import annotations

from maestro.ensembles.playground.procedures.chart_reading import one_value
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The value of the bar that the question names; None when the scale, the label or the bar was not found."""
    return await one_value(request, caller, "bar")


__all__ = ["run"]
