"""Read two values of a chart, as a difference to be solved."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.chart_marks import read_mark
from maestro.ensembles.playground.procedures.chart_reading import asked_labels, see_chart, sureness
from maestro.ensembles.playground.procedures.numerals import plain
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_SUM = re.compile(r"\b(?:sum|together|combined|altogether|in total|total of|plus|add)\b", re.IGNORECASE)
_REVERSED = re.compile(
    r"\b(?:below|less|lower|smaller|fewer|behind|short of|shorter)\b|\bfrom\b.*\bto\b|\bsubtract\b.*\bfrom\b", re.IGNORECASE
)
_SIGNED = re.compile(r"\bminus\b|\bhigher\b|\blarger\b|\bbigger\b|\bexceeds?\b|\bmore\b|\babove\b|\bbeats?\b|\btops?\b", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An expression such as `45-30`, the second value taken from the first; None when one of the two was not found."""
    chart = await see_chart(request, caller)
    if chart is None:
        return SkillResult(None, 0.0, "no value axis read", "expression")
    labels = asked_labels(request.text, chart)[:2]
    if len(labels) < 2:
        return SkillResult(None, 0.1, f"{len(labels)} of 2 labels found", "expression")
    marks = [read_mark(chart.with_label(label), label, "bar") for label, _ in labels]
    values, sure = [], 1.0
    for (label, fit), mark in zip(labels, marks, strict=True):
        if mark is None:
            return SkillResult(None, 0.1, f"nothing over {label.text}"[:40], "expression")
        values.append(mark.value)
        sure = min(sure, sureness(chart, label, fit, mark))
    evidence = ", ".join(f"{label.text} {plain(value)}" for (label, _), value in zip(labels, values, strict=True))[:40]
    if _SUM.search(request.text):
        return SkillResult(f"{plain(values[0])}+{plain(values[1])}", round(sure, 2), evidence, "expression")
    first, second = values
    if _REVERSED.search(request.text) or (first < second and not _SIGNED.search(request.text)):
        # "How far is A below B" and an unsigned difference are asked for as positive numbers.
        first, second = second, first
    return SkillResult(f"{plain(first)}-{plain(second)}", round(sure, 2), evidence, "expression")


__all__ = ["run"]
