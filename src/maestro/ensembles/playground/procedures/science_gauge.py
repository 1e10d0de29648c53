"""Read a gauge: the value its needle points at."""

from __future__ import annotations

import numpy as np

from maestro.ensembles.playground.procedures.dial import Dial, find_dial, needle_angle
from maestro.ensembles.playground.procedures.numerals import numeric_words, plain
from maestro.ensembles.playground.procedures.words import first_image, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The reading; None when fewer than three scale numbers agree on a circle or no needle stands out."""
    page = await read_page(request, caller)
    numbers = numeric_words(page.words)
    dial = find_dial(numbers, (page.width, page.height))
    if dial is None:
        return SkillResult(None, 0.1 if numbers else 0.0, f"{len(numbers)} numbers, no round scale")
    needle = needle_angle(np.asarray(caller.pixels(first_image(request))), dial)
    if needle is None:
        return SkillResult(None, 0.2, "scale read, no needle seen")
    angle, clear = needle
    values = sorted(value for _, value in dial.labels)
    step = float(np.median(np.diff(values)))
    reading = dial.value(angle)
    outside = max(values[0] - reading, reading - values[-1], 0.0) / step
    fit = (1.0 if len(values) >= 4 else 0.8) * (1.0 if outside < 0.3 else 0.7 if outside < 1.2 else 0.2) * clear
    return SkillResult(
        _shown(reading, dial, step), round(_scale_confidence(dial) * fit, 2), f"{len(values)} scale numbers, needle {angle % 360:.0f} deg"
    )


def _shown(reading: float, dial: Dial, step: float) -> str:
    """The reading to a hundredth of the scale or so."""
    whole = all(value == int(value) for _, value in dial.labels)
    return plain(reading, 0 if whole and step >= 10 else 1 if step >= 0.5 else 2)


def _scale_confidence(dial: Dial) -> float:
    """Numbers that agree on one linear scale were read right, so a weak engine confidence counts little."""
    mean = sum(word.confidence for word, _ in dial.labels) / len(dial.labels)
    return 0.6 + 0.4 * mean


__all__ = ["run"]
