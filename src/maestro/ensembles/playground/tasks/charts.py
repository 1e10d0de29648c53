"""Chart families: bars, lines, pies, and the difference of two bars.

Bar and line regimes: `plain`, `dark` (light on dark), `rough` (pattern, grain or tilt), `small` (many bars, small labels).
Pie regimes: `plain`, `small`, `pale` (washed-out colours), `shaded` (uneven light on a tint), `noisy`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from PIL import Image

from maestro.ensembles.playground.tasks.drawing import Canvas, fitting_size, picture_size
from maestro.ensembles.playground.tasks.palette import VIVID, mix
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, Surface, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase

LABELS = ("Tea", "Milk", "Rice", "Corn", "Oats", "Figs", "Kiwi", "Plum", "Beef", "Salt", "Wool", "Coal", "Iron", "Gold", "Zinc", "Wood")
_REGIMES: dict[str, tuple[SurfaceKind, ...]] = {
    "plain": ("plain",),
    "dark": ("dark",),
    "rough": ("coarse", "coarse", "noisy", "tilted"),
    "small": ("plain", "tinted"),
}
_LOOKS: dict[str, tuple[Look, ...]] = {"plain": ("plain",), "dark": ("dark",), "rough": ("noisy", "textured"), "small": ("dense", "tiny")}

_DRAWS = ("plain", "dark", "rough", "rough", "small")
"""Regimes as they are drawn: the hard one twice as often."""

BAR_QUESTIONS = (
    "What is the [value|height] of [the bar|] {label} [in the chart|]?",
    "[Read|Estimate|Find] the [value|amount] for {label} [in the bar chart|from the chart].",
    "How [high|tall] is the {label} bar?",
    "Which [value|number] does the chart [show|give] for {label}?",
    "How much {label} [does the chart show|is shown]?",
    "[Give|Tell me] the [bar value|chart value] of {label}.",
)
LINE_QUESTIONS = (
    "What [value|height] does the line have at {label}?",
    "[Read|Estimate|Find] the [value|level] of the line at {label}.",
    "How high is the [curve|line] at {label}?",
    "Which [value|number] does the line chart [show|give] for {label}?",
    "At {label}, what is the [value|level] of the [line|curve]?",
)
DIFFERENCE_QUESTIONS = (
    "How much [higher|larger|bigger] is {first} than {second}?",
    "What is the difference between {first} and {second}?",
    "By how much does {first} [exceed|beat|top] {second}?",
    "[Work out|Calculate|Find] {first} minus {second} [in the chart|from the bars].",
    "How [much|far] is {second} below {first}?",
    "What is the gap [from {second} to|between {second} and] {first}?",
)
PIE_QUESTIONS = (
    "What [percentage|share in percent] of the pie is {colour}?",
    "How many percent [does the {colour} slice have|is the {colour} slice]?",
    "[Estimate|Find|Read] the {colour} [slice|sector] in percent.",
    "How [big|large] is the {colour} [part|slice|sector] in percent?",
    "Which percentage [belongs to|does one see for] the {colour} [sector|slice]?",
    "Of the whole pie, how many percent are {colour}?",
)


def _axis(rng: random.Random) -> tuple[int, int]:
    """Highest tick and step of an axis."""
    step = rng.choice((5, 10, 20, 25, 50, 100, 200))
    return step * rng.randint(4, 6), step


def _values(rng: random.Random, count: int, top: int) -> list[int]:
    return [max(1, round(top * rng.uniform(0.18, 0.97))) for _ in range(count)]


class _Plot:
    """Axes with tick labels on a canvas; maps values to y and categories to x."""

    def __init__(self, rng: random.Random, style: Style, regime: str, labels: Sequence[str], top: int, step: int) -> None:
        size = picture_size(rng)
        self.surface: Surface = style.surface(rng, size, rng.choice(_REGIMES[regime]), most_tilt=5)
        self.canvas: Canvas = self.surface.canvas()
        self.top, self.count = top, len(labels)
        self.left, self.right, self.bottom, self.high = 52.0, size[0] - 22.0, size[1] - 44.0, 30.0
        font = style.fonts.choose(rng, "regular")
        text = rng.uniform(11, 12.5) if regime == "small" else rng.uniform(14, 17)
        slot = (self.right - self.left) / self.count
        name_size = min(fitting_size(label, font, text, slot - 5) for label in labels)
        faint = mix(self.surface.ink, self.surface.paper, 0.75)
        grid = rng.random() < 0.5
        for tick in range(0, top + 1, step):
            y = self.y(tick)
            if grid and tick:
                self.canvas.line([(self.left, y), (self.right, y)], faint, 1)
            self.canvas.line([(self.left - 4, y), (self.left, y)], self.surface.ink, 1)
            self.canvas.text((self.left - 7, y), str(tick), font, text, self.surface.ink, anchor="rm")
        for index, label in enumerate(labels):
            self.canvas.text((self.x(index), self.bottom + 8 + name_size / 2), label, font, name_size, self.surface.ink, anchor="mm")

    def frame(self) -> None:
        """The axis lines, drawn last so that bars do not cover them."""
        self.canvas.line([(self.left, self.high - 6), (self.left, self.bottom), (self.right, self.bottom)], self.surface.ink, 1.5)

    def x(self, index: int) -> float:
        """Centre of a category."""
        return self.left + (self.right - self.left) * (index + 0.5) / self.count

    def y(self, value: float) -> float:
        """Height of a value."""
        return self.bottom - (self.bottom - self.high) * value / self.top


def _bars(
    rng: random.Random, style: Style, regime: str, labels: Sequence[str], values: Sequence[int], axis: tuple[int, int]
) -> Image.Image:
    plot = _Plot(rng, style, regime, labels, *axis)
    half = (plot.right - plot.left) / len(labels) * rng.uniform(0.24, 0.38)
    names = style.visible(plot.surface, VIVID)
    one = style.colour(rng, rng.choice(names)) if rng.random() < 0.5 else None
    for index, value in enumerate(values):
        fill = one or style.colour(rng, rng.choice(names))
        plot.canvas.rectangle((plot.x(index) - half, plot.y(value), plot.x(index) + half, plot.bottom), fill=fill)
    plot.frame()
    return finished(rng, plot.canvas, plot.surface)


def _bar_count(rng: random.Random, regime: str) -> int:
    return rng.randint(6, 8) if regime == "small" else rng.randint(3, 5)


def chart_bar(rng: random.Random, style: Style) -> Scene:
    """The value of a named bar, within 5 %."""
    regime = rng.choice(_DRAWS)
    labels = rng.sample(LABELS, _bar_count(rng, regime))
    axis = _axis(rng)
    values = _values(rng, len(labels), axis[0])
    asked = rng.randrange(len(labels))
    question = phrase(rng, BAR_QUESTIONS, label=labels[asked])
    image = _bars(rng, style, regime, labels, values, axis)
    return Scene(question, (str(values[asked]),), image, regime, _LOOKS[regime], profile="number", params={"relative": 0.05})


def chart_line(rng: random.Random, style: Style) -> Scene:
    """The value of a line at a named place, within 5 %."""
    regime = rng.choice(_DRAWS)
    labels = rng.sample(LABELS, _bar_count(rng, regime))
    axis = _axis(rng)
    values = _values(rng, len(labels), axis[0])
    asked = rng.randrange(len(labels))
    plot = _Plot(rng, style, regime, labels, *axis)
    plot.frame()
    colour = style.colour(rng, rng.choice(style.visible(plot.surface, VIVID)))
    points = [(plot.x(index), plot.y(value)) for index, value in enumerate(values)]
    plot.canvas.line(points, colour, rng.uniform(2, 3.5))
    for point in points:
        plot.canvas.circle(point, rng.uniform(4, 5.5), fill=colour)
    image = finished(rng, plot.canvas, plot.surface)
    question = phrase(rng, LINE_QUESTIONS, label=labels[asked])
    return Scene(question, (str(values[asked]),), image, regime, _LOOKS[regime], profile="number", params={"relative": 0.05})


def chart_difference(rng: random.Random, style: Style) -> Scene:
    """How much one bar exceeds another, within 5 % of the axis."""
    regime = rng.choice(_DRAWS)
    labels = rng.sample(LABELS, _bar_count(rng, regime))
    axis = _axis(rng)
    first, second = rng.sample(range(len(labels)), 2)
    values = _values(rng, len(labels), axis[0])
    values[first], values[second] = round(axis[0] * rng.uniform(0.6, 0.97)), round(axis[0] * rng.uniform(0.12, 0.42))
    question = phrase(rng, DIFFERENCE_QUESTIONS, first=labels[first], second=labels[second])
    image = _bars(rng, style, regime, labels, values, axis)
    params: dict[str, Any] = {"absolute": max(0.6, 0.035 * axis[0])}
    return Scene(question, (str(values[first] - values[second]),), image, regime, _LOOKS[regime], profile="number", params=params)


def _shares(rng: random.Random, count: int) -> list[float]:
    """Percentages that sum to 100, each at least 7."""
    cuts = [rng.random() + 0.05 for _ in range(count)]
    return [7 + (100 - 7 * count) * cut / sum(cuts) for cut in cuts]


def chart_pie(rng: random.Random, style: Style) -> Scene:
    """The share of a slice named by its colour, within 3 percentage points."""
    regime = rng.choice(("plain", "small", "pale", "shaded", "noisy"))
    kinds: dict[str, SurfaceKind] = {"plain": "plain", "small": "framed", "pale": "plain", "shaded": "shaded", "noisy": "noisy"}
    looks: dict[str, tuple[Look, ...]] = {
        "plain": ("plain",),
        "small": ("tiny",),
        "pale": ("faint",),
        "shaded": ("shaded",),
        "noisy": ("noisy",),
    }
    size = picture_size(rng)
    surface = style.surface(rng, size, kinds[regime])
    canvas, shown = surface.canvas(), style.visible(surface, VIVID)
    names = rng.sample(shown, min(len(shown), rng.randint(3, 6)))
    shares = _shares(rng, len(names))
    radius = size[1] * (rng.uniform(0.08, 0.12) if regime == "small" else rng.uniform(0.3, 0.42))
    centre = (rng.uniform(radius + 30, size[0] - radius - 30), size[1] / 2)
    edge = rng.choice((surface.paper, surface.ink, None))
    angle = start = rng.uniform(0, 360)
    for name, share in zip(names, shares, strict=True):
        fill = style.colour(rng, name)
        fill = mix(fill, surface.paper, rng.uniform(0.25, 0.42)) if regime == "pale" else fill
        end = min(start + 360, angle + share * 3.6)
        canvas.slice(centre, radius, angle, end, fill, edge, 1.5)
        angle = end
    asked = rng.randrange(len(shares))
    question = phrase(rng, PIE_QUESTIONS, colour=names[asked])
    image = finished(rng, canvas, surface)
    return Scene(question, (str(round(shares[asked])),), image, regime, looks[regime], profile="number", params={"absolute": 3.0})
