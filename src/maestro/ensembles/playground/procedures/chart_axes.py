"""Axes of a drawn chart: the scale of values and where the categories stand, from the words around it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
from PIL import Image

from maestro.ensembles.playground.procedures.numerals import numeric_words
from maestro.ensembles.playground.procedures.words import Line, Page, Word, least_confidence
from maestro.experts.protocol import Pixels


@dataclass(frozen=True)
class ValueAxis:
    """A linear scale along the image's y: value = gain * y + offset."""

    gain: float
    offset: float
    ticks: tuple[Word, ...]
    values: tuple[float, ...]

    def value(self, y: float) -> float:
        """The value at a height in pixels."""
        return self.gain * y + self.offset

    def y(self, value: float) -> float:
        """The height in pixels of a value."""
        return (value - self.offset) / self.gain

    @property
    def step(self) -> float:
        """The usual distance between neighbouring ticks, in values."""
        ordered = sorted(self.values)
        return float(np.median(np.diff(ordered))) if len(ordered) > 1 else 1.0

    @property
    def confidence(self) -> float:
        """0 to 1: two ticks always lie on a line, so only the third proves the scale."""
        proof = {0: 0.0, 1: 0.0, 2: 0.5, 3: 0.9}.get(len(self.ticks), 1.0)
        weak = sorted(word.confidence for word in self.ticks)
        return proof * (0.5 + 0.5 * weak[len(weak) // 2]) if weak else 0.0


@dataclass(frozen=True)
class Chart:
    """A levelled chart with upright values: pixels, scale and category labels."""

    pixels: Pixels
    axis: ValueAxis
    readings: tuple[tuple[Line, ...], ...]
    """The row of category labels, left to right, cut in the possible ways, most probable first; empty without labels."""
    others: tuple[Word, ...]
    """Words that are neither ticks nor categories: printed values, titles."""

    @property
    def categories(self) -> tuple[Line, ...]:
        """Labels along x, left to right, cut in the most probable way."""
        return self.readings[0] if self.readings else ()

    def with_label(self, label: Line) -> Chart:
        """The chart with the row cut in the most probable way that has this label."""
        first = next(reading for reading in self.readings if label in reading)
        return replace(self, readings=(first, *(reading for reading in self.readings if reading != first)))

    def x(self, label: Line) -> float:
        """Centre of a category; where the labels stand at even distances, their common grid is truer than one box."""
        own = (label.box[0] + label.box[2]) / 2
        centres = sorted((other.box[0] + other.box[2]) / 2 for other in self.categories)
        if len(centres) < 3:
            return own
        # A label that was not read leaves a gap in the grid.
        places = [round((centre - centres[0]) / self.spacing) for centre in centres]
        pitch, start = np.polyfit(places, centres, 1)
        off = [abs(start + pitch * place - centre) for place, centre in zip(places, centres, strict=True)]
        on_grid = float(start + pitch * round((own - centres[0]) / self.spacing))
        return on_grid if max(off) < 0.12 * self.spacing and len(set(places)) == len(places) else own

    @property
    def columns(self) -> slice:
        """Image columns of the plot: on the side of the tick labels where the categories are."""
        left, right = min(word.left for word in self.axis.ticks), max(word.right for word in self.axis.ticks)
        centres = [(label.box[0] + label.box[2]) / 2 for label in self.categories]
        if centres and float(np.median(centres)) < left:
            return slice(0, max(1, int(left) - 8))
        return slice(min(int(right) + 8, self.pixels.shape[1] - 1), self.pixels.shape[1])

    @property
    def spacing(self) -> float:
        """Distance between neighbouring categories in pixels."""
        centres = sorted((label.box[0] + label.box[2]) / 2 for label in self.categories)
        gaps = [after - before for before, after in pairwise(centres) if after - before > 4]
        return float(np.median(gaps)) if gaps else self.pixels.shape[1] / 2


def chart_of(page: Page, image: Image.Image) -> Chart | None:
    """The chart on a page, turned so that lines of text are level and values grow upward; None without a value axis."""
    if not page.slope:
        page = replace(page, slope=_label_slope(_upright(page, np.asarray(image))))
    level, turned = levelled(page, image)
    upright = _upright(level, np.asarray(turned))
    lying = _upright(_on_its_side(level), np.ascontiguousarray(np.rot90(np.asarray(turned))))
    found = [chart for chart in (upright, lying) if chart is not None]
    # Categories that are numbers (years) look like a second scale; the true scale is the one whose chart has named categories.
    return max(found, key=lambda chart: (bool(chart.categories), len(chart.axis.ticks), chart is upright), default=None)


def _label_slope(chart: Chart | None) -> float:
    """The tilt of the row of categories as rise over run; 0 when it is level, has few labels or they do not lie on a line.

    One degree goes unnoticed among words, but moves the foot of the last bar by several pixels.
    """
    if chart is None or len(chart.categories) < 3:
        return 0.0
    boxes = [label.box for label in chart.categories]
    x, y = [(box[0] + box[2]) / 2 for box in boxes], [(box[1] + box[3]) / 2 for box in boxes]
    slope, start = np.polyfit(x, y, 1)
    off = float(np.abs(np.array(y) - slope * np.array(x) - start).max())
    return float(slope) if 0.01 < abs(slope) < 0.2 and off < 0.1 * chart.categories[0].height else 0.0


def levelled(page: Page, image: Image.Image) -> tuple[Page, Image.Image]:
    """Page and picture turned about the centre so that text lines are level; unchanged when they are."""
    if not page.slope:
        return page, image
    angle = math.atan(page.slope)
    cos, sin = math.cos(-angle), math.sin(-angle)
    middle_x, middle_y = page.width / 2, page.height / 2

    def moved(word: Word) -> Word:
        dx, dy = word.x - middle_x, word.y - middle_y
        x, y = middle_x + cos * dx - sin * dy, middle_y + sin * dx + cos * dy
        # The box of a tilted word is taller than its letters; the excess grows with its width.
        wide, tall = word.width / 2, max(3.0, (word.height - abs(page.slope) * word.width) / 2)
        return replace(word, left=x - wide, right=x + wide, top=y - tall, bottom=y + tall)

    turned = image.rotate(math.degrees(angle), Image.Resampling.BICUBIC, fillcolor=_border_colour(image))
    return replace(page, words=tuple(moved(word) for word in page.words), slope=0.0), turned


def _border_colour(image: Image.Image) -> tuple[int, int, int]:
    pixels = np.asarray(image)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = (int(value) for value in np.median(border, axis=0))
    return red, green, blue


def _on_its_side(page: Page) -> Page:
    """The page turned a quarter to the left, so that what grew to the right grows upward."""

    def turned(word: Word) -> Word:
        return replace(word, left=word.top, right=word.bottom, top=page.width - word.right, bottom=page.width - word.left)

    return Page(tuple(turned(word) for word in page.words), page.height, page.width)


def _upright(page: Page, pixels: Pixels) -> Chart | None:
    axis = value_axis(page.words)
    if axis is None:
        return None
    ticks = set(axis.ticks)
    left, right = min(word.left for word in axis.ticks), max(word.right for word in axis.ticks)
    bottom = max(word.y for word in axis.ticks)
    height = float(np.median([word.height for word in axis.ticks]))
    below = [
        word
        for word in page.words
        if word not in ticks and word.y > bottom + 0.3 * height and not left <= word.x <= right and not word.stray
    ]
    readings = _category_row(page.where(below), pixels.shape[1])
    taken = {word for line in readings[0] for word in line.words} if readings else set()
    others = tuple(word for word in page.words if word not in ticks and word not in taken)
    return Chart(pixels, axis, readings, others)


def _category_row(below: Page, width: int) -> tuple[tuple[Line, ...], ...]:
    """The labels on the first well-filled row under the plot; an axis title further down is not one."""
    if not below.words:
        return ()
    fullest = max(len(line.words) for line in below.lines)
    row = next(line for line in below.lines if len(line.words) >= max(1, 0.6 * fullest))
    level = float(np.median([word.y for word in row.words]))
    # Boxes cut a little differently belong to the same row, an axis title close under it does not.
    near = sorted((word for word in below.words if abs(word.y - level) < 0.6 * row.height), key=lambda word: word.left)
    if not near:  # the row is so uneven that no word lies at its own middle
        return ()
    splits = [Line(tuple(near)).segments(gap) for gap in (-9.0, 1.0, 1.8, 3.0)]
    # Names may be of two words and neighbours may nearly touch; what is certain is that bars stand at even distances.
    splits.sort(key=lambda split: (round(_unevenness(split) / 0.2), -len(split)))
    readings = [tuple(segment for segment in split if segment.box[2] - segment.box[0] < 0.7 * width) for split in splits]
    return tuple(dict.fromkeys(reading for reading in readings if reading))


def _unevenness(labels: Sequence[Line]) -> float:
    """Spread of the distances between neighbours' centres relative to their mean; whole multiples (a lost label) count little."""
    centres = [(label.box[0] + label.box[2]) / 2 for label in labels]
    gaps = np.diff(centres)
    if len(gaps) < 2:
        return 0.25
    pitch = float(np.median(gaps))
    parts = gaps / max(pitch, 1.0)
    off = np.abs(parts - np.maximum(1, np.round(parts))) + 0.05 * (np.round(parts) > 1)
    return round(float(off.mean()), 2)


def value_axis(words: Sequence[Word]) -> ValueAxis | None:
    """The scale that most numbers above each other agree on (RANSAC over pairs); None when no two do.

    The scale must grow upward.
    """
    numbers = numeric_words(list(words))
    best: list[tuple[Word, float]] = []
    best_error = math.inf
    for (one, low), (two, high) in combinations(numbers, 2):
        if low == high or abs(one.y - two.y) < max(one.height, two.height) or not _aligned(one, two):
            continue
        gain = (high - low) / (two.y - one.y)
        if gain >= 0:
            continue
        reach = max(2.5, 0.16 * one.height)
        inliers: list[tuple[Word, float]] = []
        error = 0.0
        for word, value in numbers:
            off = abs((value - low) / gain + one.y - word.y)
            if off <= reach and _aligned(one, word) and all(value != seen for _, seen in inliers):
                inliers.append((word, value))
                error += off
        if (len(inliers), -error) > (len(best), -best_error):
            best, best_error = inliers, error
    best = _on_steps(best)
    if len(best) < 2:
        return None
    gain, offset = np.polyfit([word.y for word, _ in best], [value for _, value in best], 1)
    return ValueAxis(float(gain), float(offset), tuple(word for word, _ in best), tuple(value for _, value in best))


def _on_steps(ticks: list[tuple[Word, float]]) -> list[tuple[Word, float]]:
    """The ticks without those that are no whole number of steps from most others: 1 for 10, or 3 for 30."""
    if len(ticks) < 4:
        return ticks
    values = sorted(value for _, value in ticks)
    step = float(np.median(np.diff(values)))
    origin = max(values, key=lambda start: (sum(_whole((value - start) / step) for value in values), -start))
    return [(word, value) for word, value in ticks if _whole((value - origin) / step)]


def _whole(value: float) -> bool:
    return abs(value - round(value)) < 0.02


def _aligned(one: Word, two: Word) -> bool:
    """Whether two words stand in one column: by their right edges, left edges or centres."""
    slack = 0.8 * max(one.height, two.height)
    return min(abs(one.right - two.right), abs(one.left - two.left), abs(one.x - two.x)) < slack


def label_confidence(label: Line) -> float:
    """How sure the label was read right."""
    return least_confidence(label.words)


__all__ = ["Chart", "ValueAxis", "chart_of", "label_confidence", "levelled", "value_axis"]
