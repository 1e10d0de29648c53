"""Bars and line points of a chart, measured in its pixels at a category."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.procedures.chart_axes import Chart
from maestro.ensembles.playground.procedures.numerals import number
from maestro.ensembles.playground.procedures.words import Line
from maestro.experts.protocol import Pixels

_LEAST_CONTRAST = 18.0
"""Colour distance below which a bar or line cannot be told from the background."""


@dataclass(frozen=True)
class Mark:
    """A value read at a category."""

    value: float
    confidence: float
    evidence: str


def read_mark(chart: Chart, label: Line, kind: str) -> Mark | None:
    """The value at a category as a `bar` or a `line` shows it, or the other kind when this one is not there; None if neither."""
    x = chart.x(label)
    measures = (_bar_top, _line_height) if kind == "bar" else (_line_height, _bar_top)
    for rank, measure in enumerate(measures):
        found = measure(chart, x)
        if found is None:
            continue
        y, clear = found
        value = chart.axis.value(y)
        printed = _printed_value(chart, x, y)
        if printed is not None and abs(printed - value) < 0.06 * _span(chart):
            return Mark(printed, 1.0, "printed value")
        return Mark(_rounded(value, chart), (0.95 if rank == 0 else 0.7) * clear, f"{kind} at {label.text}"[:40])
    return None


def _span(chart: Chart) -> float:
    return max(chart.axis.values) - min(chart.axis.values)


def _rounded(value: float, chart: Chart) -> float:
    """The value to as many places as a pixel is worth, and never so coarse that rounding alone costs more than a hundredth of it."""
    worth = abs(chart.axis.gain)
    places = 0 if worth > 0.2 and abs(value) >= 50 else 1 if worth > 0.02 else 2
    return round(value, places)


def _plot_rows(chart: Chart) -> tuple[int, int]:
    """First and last image row of the plot: from above the highest tick to the foot of the bars."""
    ys = [word.y for word in chart.axis.ticks]
    height = chart.pixels.shape[0]
    # The highest tick may not have been read, so a bar may reach a step and more above the highest that was.
    top = min(ys) - 1.6 * abs(chart.axis.step / chart.axis.gain)
    # The foot is where the scale says 0 is, whether that tick was read or not, unless the scale starts above 0: then it is just
    # over the labels.
    tops = [label.box[1] for label in chart.categories]
    floor = float(np.median(tops)) if tops else height - 1.0
    zero = chart.axis.y(0.0)
    foot = zero if max(ys) - 2 <= zero <= floor + 4 else max(*ys, floor - 5)
    return max(0, int(top)), min(height - 1, round(foot))


def _background(chart: Chart, rows: slice) -> NDArray[np.float64]:
    """Background colour of each row (n, 3): the median over the gaps between categories, smoothed along y."""
    start, end = chart.columns.start, chart.columns.stop
    centres = sorted((label.box[0] + label.box[2]) / 2 for label in chart.categories)
    half = chart.spacing / 2
    gaps = sorted({*(centre - half for centre in centres), *(centre + half for centre in centres)})
    columns = [int(gap) + shift for gap in gaps for shift in (-1, 0, 1) if start < int(gap) + shift < end - 1]
    if len(columns) < 3:
        columns = list(range(start, end))
    return np.asarray(np.median(chart.pixels[rows][:, columns].astype(float), axis=1))


def _bar_top(chart: Chart, x: float) -> tuple[float, float] | None:
    """Row of the bar's upper edge over x and how clearly it stands out (0 to 1); None when no bar stands there."""
    top, foot = _plot_rows(chart)
    half = max(2, int(0.13 * chart.spacing))
    columns = slice(max(0, int(x) - half), int(x) + half + 1)
    if foot - top < 16:
        return None
    rows = slice(top, foot + 1)
    strip = np.median(chart.pixels[rows, columns].astype(float), axis=1)
    ground = _background(chart, rows)
    # The bar's colour: just above its foot, clear of the axis line drawn there and of a degree of tilt nobody noticed.
    sample = slice(len(strip) - 12, len(strip) - 6)
    bar = np.median(strip[sample], axis=0)
    paper = np.median(ground, axis=0)
    contrast = float(np.linalg.norm(bar - np.median(ground[sample], axis=0)))
    if contrast < _LEAST_CONTRAST:
        return None
    # 0 is background, 1 is bar, along the line between the two colours; the background's own shading is taken out.
    share = ((strip - ground) @ (bar - paper)) / float((bar - paper) @ (bar - paper) + 1e-9)
    share = np.convolve(share, np.ones(3) / 3, mode="same")
    low = next((row for row in range(len(share) - 4, max(0, len(share) - 13), -1) if share[row] >= 0.5), None)
    if low is None:
        return None
    while low > 0 and not (share[low] < 0.5 and share[max(0, low - 2) : low].max(initial=0.0) < 0.55):
        low -= 1
    if low <= 0:
        return None
    inside, outside = share[low + 1], share[low]
    part = min(1.0, max(0.0, (inside - 0.5) / max(1e-6, inside - outside)))
    return float(top + low + 1 - part), min(1.0, contrast / 45)


def _line_height(chart: Chart, x: float) -> tuple[float, float] | None:
    """Row of the line or marker over x and how clearly it stands out (0 to 1); None when nothing does."""
    top, foot = _plot_rows(chart)
    height, start = chart.pixels.shape[0], chart.columns.start
    rows = slice(top, min(height, foot))
    area = _without_words(chart)[rows, chart.columns].astype(float)
    column = int(x) - start
    if area.shape[0] < 8 or not 2 <= column < area.shape[1] - 2:
        return None
    # Grid lines are the same colour along a whole row or column; the curve is not.
    from_row = np.linalg.norm(area - np.median(area, axis=1, keepdims=True), axis=2)
    from_column = np.linalg.norm(area - np.median(area, axis=0, keepdims=True), axis=2)
    distance = np.minimum(from_row, from_column)
    strip = distance[:, column - 2 : column + 3].mean(axis=1)
    strip = np.convolve(strip, np.ones(5) / 5, mode="same")
    peak = int(np.argmax(strip[: max(1, len(strip) - 2)]))
    noise = float(np.median(strip))
    contrast = float(strip[peak] - noise)
    if contrast < _LEAST_CONTRAST:
        return None
    # On a patterned ground many places differ; the curve is certain only if nothing else over x stands out as much.
    far = np.abs(np.arange(len(strip)) - peak) > 10
    rival = float(strip[far].max(initial=noise)) - noise
    clear = min(1.0, contrast / 45) * min(1.0, max(0.1, 2.0 * (1 - rival / contrast)))
    marker = _marker_height(distance > noise + 0.5 * contrast, column, 0.3 * chart.spacing)
    if marker is not None:
        return top + marker, clear
    low = high = peak
    floor = noise + 0.5 * contrast
    while low > 0 and strip[low - 1] > floor:
        low -= 1
    while high < len(strip) - 1 and strip[high + 1] > floor:
        high += 1
    weights = strip[low : high + 1] - noise
    centre = float((np.arange(low, high + 1) * weights).sum() / weights.sum())
    return top + centre, clear


def _without_words(chart: Chart) -> Pixels:
    """The picture with words inside the plot (titles, legends, printed values) painted over by what is beside them."""
    pixels = chart.pixels.copy()
    for word in chart.others:
        left, top, right, bottom = (max(0, int(edge)) for edge in (word.left - 2, word.top - 1, word.right + 3, word.bottom + 2))
        column = min(right, pixels.shape[1] - 1)
        pixels[top:bottom, left:right] = pixels[top:bottom, column : column + 1]
    return pixels


def _marker_height(curve: NDArray[np.bool_], column: int, reach: float) -> float | None:
    """Row of the centre of a marker near a column: the middle of the largest disc that fits into the curve; None without one."""
    import cv2

    start = max(0, int(column - reach))
    # A small closing first: noise must not tear a marker apart.
    part = cv2.morphologyEx(curve[:, start : int(column + reach) + 1].astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    depth = cv2.distanceTransform(part, cv2.DIST_L2, 5)
    across = np.abs(np.arange(depth.shape[1]) + start - column)
    depth = np.where(across < max(4.0, 0.4 * reach), depth, 0.0)
    deepest = float(depth.max())
    if not 2.6 <= deepest < 0.1 * curve.shape[0]:
        return None
    rows, columns = np.nonzero(depth > deepest - 0.7)
    # Rows far apart are a steep thick line, not one disc.
    return float(rows.mean()) if np.ptp(rows) < 2 * deepest and np.ptp(columns) < 2 * deepest else None


def _printed_value(chart: Chart, x: float, y: float) -> float | None:
    """A number printed just above the mark, or just inside its top."""
    near: list[tuple[float, float]] = []
    for word in chart.others:
        value = number(word.text)
        if (
            value is not None
            and abs(word.x - x) < max(0.3 * chart.spacing, word.width)
            and -1.2 * word.height < y - word.y < 2.2 * word.height
        ):
            near.append((abs(y - word.y), value))
    return min(near)[1] if near else None


__all__ = ["Mark", "read_mark"]
