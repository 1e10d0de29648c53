"""Science families: a gauge with a needle, a circuit of resistors.

Regimes: `plain`, `dark` (light on dark), `rough` (pattern, grain or tint), `small` (small labels).
"""

from __future__ import annotations

import random

from maestro.ensembles.playground.tasks.drawing import Canvas, picture_size, polar
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, Surface, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase

_KINDS: dict[str, tuple[SurfaceKind, ...]] = {
    "plain": ("plain",),
    "dark": ("dark",),
    "rough": ("coarse", "textured", "noisy", "shaded"),
    "small": ("plain", "tinted"),
}
_LOOKS: dict[str, tuple[Look, ...]] = {"plain": ("plain",), "dark": ("dark",), "rough": ("noisy", "textured"), "small": ("tiny",)}

GAUGE_QUESTIONS = (
    "What [value|number] does the [gauge|dial|meter] show [, to within {tolerance}|]?",
    "[Read|Estimate] the [gauge|dial|meter] [to within {tolerance}|].",
    "Where does the needle [point|stand] on the [dial|gauge]?",
    "Which value does the [needle|pointer] [point at|indicate|show]?",
    "What is the reading of the [gauge|meter|instrument]?",
    "[Give|Tell me] the [value|reading] on the [dial|gauge] (within {tolerance}).",
)
CIRCUIT_QUESTIONS = (
    "What is the total resistance [of the circuit|between A and B] [in ohms|]?",
    "[Find|Work out|Calculate] the [total|combined|equivalent] resistance [between A and B|].",
    "The resistors are labelled in ohms. What is their [combined|total] resistance?",
    "How many ohms [are there|lie] between A and B [in total|altogether]?",
    "Which single resistor [equals|could replace] the [drawn|shown] ones?",
)


def _label_size(rng: random.Random, regime: str) -> float:
    return rng.uniform(11, 12.5) if regime == "small" else rng.uniform(15, 20)


def gauge(rng: random.Random, style: Style) -> Scene:
    """The value a needle points at, within 3 % of the scale."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]), most_tilt=5)
    canvas, font, text = surface.canvas(), style.fonts.choose(rng), _label_size(rng, regime)
    step = rng.choice((1, 2, 5, 10, 20, 25, 50, 100))
    count = rng.randint(4, 6)
    top = step * count
    sweep = rng.choice((180.0, 240.0, 270.0))
    start = 270.0 - sweep / 2
    radius = size[1] * (0.56 if sweep == 180 else 0.42) - 4
    centre = (size[0] / 2, size[1] * (0.78 if sweep == 180 else 0.5))
    canvas.arc(centre, radius, start, start + sweep, surface.ink, 2.5)
    for index in range(count * 5 + 1):
        angle, major = start + sweep * index / (count * 5), index % 5 == 0
        canvas.line([polar(centre, radius, angle), polar(centre, radius - (11 if major else 6), angle)], surface.ink, 2 if major else 1)
        if major:
            canvas.text(polar(centre, radius - 15 - text * 0.75, angle), str(step * index // 5), font, text, surface.ink, anchor="mm")
    value = round(top * rng.uniform(0.03, 0.97), 1 if top < 20 else 0)
    angle = start + sweep * value / top
    needle = (
        style.colour(rng, rng.choice(style.visible(surface, ("red", "blue", "green", "orange", "purple"), 120)))
        if rng.random() < 0.7
        else surface.ink
    )
    canvas.line([polar(centre, -radius * 0.1, angle), polar(centre, radius * rng.uniform(0.62, 0.8), angle)], needle, rng.uniform(2.5, 4))
    canvas.circle(centre, 6, fill=surface.ink)
    tolerance = 0.03 * top
    question = phrase(rng, GAUGE_QUESTIONS, tolerance=f"{tolerance:g}").replace(" ,", ",")
    image = finished(rng, canvas, surface)
    return Scene(question, (f"{value:g}",), image, regime, _LOOKS[regime], profile="number", params={"absolute": tolerance})


def _resistor(canvas: Canvas, surface: Surface, centre: tuple[float, float], label: str, font: str, text: float) -> None:
    """A box on a horizontal wire with its label above."""
    x, y = centre
    canvas.rectangle((x - 22, y - 8, x + 22, y + 8), fill=surface.paper, outline=surface.ink, width=2)
    canvas.text((x, y - 13 - text / 2), label, font, text, surface.ink, anchor="mm")


def circuit(rng: random.Random, style: Style) -> Scene:
    """The resistance of resistors in series or in parallel."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]), most_tilt=4)
    canvas, font, text = surface.canvas(), style.fonts.choose(rng), _label_size(rng, regime)
    parallel = rng.random() < 0.4
    values = [rng.randint(2, 98) for _ in range(rng.randint(2, 3))]
    middle, left, right = size[1] / 2, 40.0, size[0] - 40.0
    for name, x in (("A", 22.0), ("B", size[0] - 22.0)):
        canvas.circle((left if name == "A" else right, middle), 4, fill=surface.ink)
        canvas.text((x, middle), name, font, text, surface.ink, anchor="mm")
    if parallel:
        gap = min(78.0, (size[1] - 70) / (len(values) - 0.4))
        ys = [middle + gap * (index - (len(values) - 1) / 2) for index in range(len(values))]
        rails = (left + 40, right - 40)
        canvas.line([(left, middle), (rails[0], middle)], surface.ink, 2)
        canvas.line([(rails[1], middle), (right, middle)], surface.ink, 2)
        for rail in rails:
            canvas.line([(rail, ys[0]), (rail, ys[-1])], surface.ink, 2)
        for value, y in zip(values, ys, strict=True):
            canvas.line([(rails[0], y), (rails[1], y)], surface.ink, 2)
            _resistor(canvas, surface, (size[0] / 2 + rng.uniform(-25, 25), y), str(value), font, text)
        answer = 1 / sum(1 / value for value in values)
    else:
        canvas.line([(left, middle), (right, middle)], surface.ink, 2)
        for index, value in enumerate(values):
            _resistor(canvas, surface, (left + (right - left) * (index + 0.5) / len(values), middle), str(value), font, text)
        answer = float(sum(values))
    image = finished(rng, canvas, surface)
    reference = f"{answer:.2f}".rstrip("0").rstrip(".")
    return Scene(phrase(rng, CIRCUIT_QUESTIONS), (reference,), image, regime, _LOOKS[regime], profile="number", params={"absolute": 0.06})
