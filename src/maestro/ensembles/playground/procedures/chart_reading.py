"""The common steps of the chart skills: which categories the question names, and what stands there."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.chart_axes import Chart, chart_of, label_confidence
from maestro.ensembles.playground.procedures.chart_marks import Mark, read_mark
from maestro.ensembles.playground.procedures.mentions import mentions
from maestro.ensembles.playground.procedures.numerals import plain
from maestro.ensembles.playground.procedures.words import Line, first_image, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_WHICH = re.compile(
    r"^\W*(?:which|what|name|who)\b(?!.*\b(?:value|how|number)\b).*\b(highest|largest|biggest|tallest|most|greatest|maximum|lowest|smallest|shortest|least|fewest|minimum)\b",
    re.IGNORECASE,
)
_EXTREME = re.compile(
    r"\b(highest|largest|biggest|tallest|most|greatest|maximum|peak|lowest|smallest|shortest|least|fewest|minimum)\b", re.IGNORECASE
)
_LOW = {"lowest", "smallest", "shortest", "least", "fewest", "minimum"}


async def see_chart(request: SkillRequest, caller: Caller) -> Chart | None:
    """The chart in the first image as the expert's words and the pixels show it."""
    page = await read_page(request, caller)
    return chart_of(page, caller.pixels(first_image(request)))


def asked_labels(question: str, chart: Chart) -> list[tuple[Line, float]]:
    """The categories that the question names with how well they fit, in the question's order."""
    candidates = list(dict.fromkeys(label for reading in chart.readings for label in reading))
    named = mentions(question, [label.text for label in candidates], 0.66)
    found = [(mention.position, candidates[mention.index], mention.score) for mention in named]
    return [(label, score) for _, label, score in sorted(found, key=lambda item: item[0])]


async def one_value(request: SkillRequest, caller: Caller, kind: str) -> SkillResult:
    """The value (or name) of the asked category; None when the scale, the category or its mark was not found."""
    chart = await see_chart(request, caller)
    if chart is None:
        return SkillResult(None, 0.0, "no value axis read")
    labels = asked_labels(request.text, chart)
    extreme = _EXTREME.search(request.text)
    if not labels and extreme is not None:
        return _extreme(request.text, chart, kind, low=extreme[1].lower() in _LOW)
    if not labels:
        return SkillResult(None, 0.1, f"asked label not among {len(chart.categories)} read"[:40])
    label, fit = max(labels, key=lambda item: item[1])
    mark = read_mark(chart.with_label(label), label, kind)
    if mark is None:
        return SkillResult(None, 0.1, f"no {kind} over {label.text}"[:40])
    return SkillResult(plain(mark.value), round(sureness(chart, label, fit, mark), 2), mark.evidence)


def sureness(chart: Chart, label: Line, fit: float, mark: Mark) -> float:
    """Confidence in a value: the scale's, the label's fit to the question and the mark's clearness."""
    # A label that fits the question word for word was read right whatever the engine says.
    read = 1.0 if fit >= 0.99 else fit * (0.5 + 0.5 * label_confidence(label))
    return chart.axis.confidence * read * mark.confidence


def _extreme(question: str, chart: Chart, kind: str, *, low: bool) -> SkillResult:
    marks = [(label, mark) for label in chart.categories if (mark := read_mark(chart, label, kind)) is not None]
    if len(marks) < 2:
        return SkillResult(None, 0.1, f"only {len(marks)} marks read")
    label, mark = (min if low else max)(marks, key=lambda item: item[1].value)
    value = label.text if _WHICH.search(question) else plain(mark.value)
    sure = chart.axis.confidence * mark.confidence * label_confidence(label) * 0.95
    return SkillResult(value, round(sure, 2), f"{'lowest' if low else 'highest'} of {len(marks)}")


__all__ = ["asked_labels", "one_value", "see_chart", "sureness"]
