"""Geometry families: the missing angle, the hypotenuse, the perimeter of labelled figures.

Regimes: `plain`, `rough` (pattern, grain or tint), `small` (small labels), `crossed` (helping lines run through the figure).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from maestro.ensembles.playground.tasks.drawing import Canvas, Point, along, picture_size, polar, text_size
from maestro.ensembles.playground.tasks.palette import VIVID, mix
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, Surface, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase

_KINDS: dict[str, tuple[SurfaceKind, ...]] = {
    "plain": ("plain",),
    "rough": ("coarse", "textured", "noisy", "shaded"),
    "small": ("plain", "tinted"),
    "crossed": ("plain", "tilted"),
}
_LOOKS: dict[str, tuple[Look, ...]] = {"plain": ("plain",), "rough": ("noisy", "textured"), "small": ("tiny",), "crossed": ("cluttered",)}

ANGLE_QUESTIONS = (
    "What is the [missing|unknown] angle of the triangle in degrees?",
    "[Find|Work out|Calculate] the angle marked with a question mark.",
    "Two angles of the triangle are given. [How large|How big] is the third?",
    "How many degrees does the [unlabelled|unknown] angle have?",
    "What is the [value|size] in degrees of the angle without a [number|label]?",
    "[Determine|Give] the third angle of [the|this] triangle.",
)
RIGHT_QUESTIONS = (
    "How long is the [hypotenuse|longest side] of the right triangle? [Give one decimal.|]",
    "[Find|Work out|Calculate] the length of the hypotenuse [to one decimal|].",
    "The two short sides of the right triangle are labelled. How long is the [third|longest] side?",
    "What is the length of the side marked with a question mark [in the right triangle|]?",
    "[Determine|Give] the hypotenuse from the two [labelled|given] legs.",
)
PERIMETER_QUESTIONS = (
    "What is the perimeter of the [figure|shape|polygon]?",
    "[Find|Work out|Calculate] the perimeter [of the drawn figure|].",
    "How long is the [outline|border] of the [figure|shape]?",
    "[Add up|Sum] the side lengths of the [figure|polygon]. What is the total?",
    "If you walk once around the [shape|figure], how far do you go?",
)


def _surface(rng: random.Random, style: Style, regime: str) -> Surface:
    return style.surface(rng, picture_size(rng), rng.choice(_KINDS[regime]), most_tilt=5)


def _label_size(rng: random.Random, regime: str) -> float:
    return rng.uniform(11, 13) if regime == "small" else rng.uniform(17, 23)


def _cross(rng: random.Random, canvas: Canvas, surface: Surface) -> None:
    """Thin coloured lines that mean nothing."""
    colour = mix(surface.ink, surface.paper, rng.uniform(0.3, 0.6))
    for _ in range(rng.randint(3, 6)):
        start = (rng.uniform(0, canvas.width), rng.uniform(0, canvas.height))
        canvas.line([start, polar(start, rng.uniform(120, 300), rng.uniform(0, 360))], colour, 1.2)


def _triangle(rng: random.Random, size: tuple[int, int]) -> tuple[list[Point], list[int]]:
    """Corners of a triangle with whole angles that fills the picture, and those angles in degrees."""
    while True:
        first, second = rng.randint(32, 95), rng.randint(32, 95)
        third = 180 - first - second
        if third >= 30:
            break
    base = 1.0
    side = base * math.sin(math.radians(second)) / math.sin(math.radians(third))
    points = [(0.0, 0.0), (base, 0.0), polar((0.0, 0.0), side, -first)]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    zoom = min((size[0] - 70) / (max(xs) - min(xs)), (size[1] - 70) / (max(ys) - min(ys)))
    left, top = (size[0] - zoom * (max(xs) - min(xs))) / 2, (size[1] - zoom * (max(ys) - min(ys))) / 2
    return [(left + zoom * (x - min(xs)), top + zoom * (y - min(ys))) for x, y in points], [first, second, third]


def triangle_angle(rng: random.Random, style: Style) -> Scene:
    """The third angle of a triangle of which two are labelled."""
    regime = rng.choice(tuple(_KINDS))
    surface = _surface(rng, style, regime)
    canvas, font = surface.canvas(), style.fonts.choose(rng)
    points, angles = _triangle(rng, surface.ground.size)
    colour = style.colour(rng, rng.choice(VIVID)) if rng.random() < 0.5 else surface.ink
    if regime == "crossed":
        _cross(rng, canvas, surface)
    canvas.polygon(points, outline=colour if colour != surface.paper else surface.ink, width=rng.uniform(1.5, 2.5))
    unknown, size = rng.randrange(3), _label_size(rng, regime)
    middle = (sum(x for x, _ in points) / 3, sum(y for _, y in points) / 3)
    for index, (point, angle) in enumerate(zip(points, angles, strict=True)):
        label = "?" if index == unknown else f"{angle}°"
        # The label sits where the angle is wide enough for it.
        reach = (size * 0.62 + text_size(label, font, size)[0] * 0.32) / math.sin(math.radians(angle / 2))
        towards = _bisector(points, index)
        distance = min(reach, math.dist(point, middle) * 0.85)
        canvas.text((point[0] + towards[0] * distance, point[1] + towards[1] * distance), label, font, size, surface.ink, anchor="mm")
    image = finished(rng, canvas, surface)
    question = phrase(rng, ANGLE_QUESTIONS)
    return Scene(question, (str(angles[unknown]),), image, regime, _LOOKS[regime], profile="number", params={"absolute": 0.5})


def _bisector(points: Sequence[Point], index: int) -> Point:
    """Unit vector from a corner into the angle's middle."""
    point, others = points[index], [other for position, other in enumerate(points) if position != index]
    x = y = 0.0
    for other in others:
        length = math.dist(point, other)
        x, y = x + (other[0] - point[0]) / length, y + (other[1] - point[1]) / length
    norm = math.hypot(x, y)
    return x / norm, y / norm


def _side_labels(
    rng: random.Random, canvas: Canvas, surface: Surface, style: Style, points: Sequence[Point], labels: Sequence[str], size: float
) -> None:
    """A label outside the middle of every side."""
    font = style.fonts.choose(rng)
    middle = (sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points))
    for index, label in enumerate(labels):
        start, end = points[index], points[(index + 1) % len(points)]
        centre = along(start, end, 0.5)
        length = math.dist(start, end)
        normal = ((end[1] - start[1]) / length, -(end[0] - start[0]) / length)
        if (centre[0] + normal[0] - middle[0]) ** 2 + (centre[1] + normal[1] - middle[1]) ** 2 < (centre[0] - middle[0]) ** 2 + (
            centre[1] - middle[1]
        ) ** 2:
            normal = (-normal[0], -normal[1])
        wide = text_size(label, font, size)[0]
        away = 5 + abs(normal[0]) * wide / 2 + abs(normal[1]) * size / 2
        canvas.text((centre[0] + normal[0] * away, centre[1] + normal[1] * away), label, font, size, surface.ink, anchor="mm")


def right_triangle(rng: random.Random, style: Style) -> Scene:
    """The hypotenuse of a right triangle with labelled legs."""
    regime = rng.choice(tuple(_KINDS))
    surface = _surface(rng, style, regime)
    canvas = surface.canvas()
    width, height = surface.ground.size
    first, second = rng.randint(3, 48), rng.randint(3, 48)
    flat, tall = rng.uniform(0.45, 0.68) * width, rng.uniform(0.45, 0.64) * height
    left, top = (width - flat) / 2, (height - tall) / 2
    corner = [(left, top + tall), (left + flat, top + tall), (left, top)]
    if rng.random() < 0.5:
        corner = [(width - x, y) for x, y in corner]
    if rng.random() < 0.3:
        corner = [(x, height - y) for x, y in corner]
    if regime == "crossed":
        _cross(rng, canvas, surface)
    right, along_x, along_y = corner
    canvas.polygon(corner, outline=surface.ink, width=rng.uniform(1.5, 2.5))
    inward = (math.copysign(12, along_x[0] - right[0]), math.copysign(12, along_y[1] - right[1]))
    canvas.line(
        [(right[0] + inward[0], right[1]), (right[0] + inward[0], right[1] + inward[1]), (right[0], right[1] + inward[1])], surface.ink, 1.2
    )
    _side_labels(rng, canvas, surface, style, [along_y, right, along_x], [str(second), str(first), "?"], _label_size(rng, regime))
    image = finished(rng, canvas, surface)
    answer = f"{math.hypot(first, second):.1f}".removesuffix(".0")
    return Scene(phrase(rng, RIGHT_QUESTIONS), (answer,), image, regime, _LOOKS[regime], profile="number", params={"absolute": 0.1})


def perimeter(rng: random.Random, style: Style) -> Scene:
    """The sum of the labelled sides of a polygon."""
    regime = rng.choice(tuple(_KINDS))
    surface = _surface(rng, style, regime)
    canvas = surface.canvas()
    width, height = surface.ground.size
    count, centre = rng.randint(3, 5), (width / 2, height / 2)
    first, radius = rng.uniform(0, 360), min(width, height) * 0.33
    points = [
        polar(centre, radius * rng.uniform(0.85, 1.05), first + 360 * (index + rng.uniform(-0.16, 0.16)) / count) for index in range(count)
    ]
    points = [(centre[0] + (x - centre[0]) * width / height, y) for x, y in points]
    labels = [str(rng.randint(3, 79)) for _ in range(count)]
    if regime == "crossed":
        _cross(rng, canvas, surface)
    fill = mix(style.colour(rng, rng.choice(VIVID)), surface.paper, 0.7) if rng.random() < 0.4 and regime != "crossed" else None
    canvas.polygon(points, fill=fill, outline=surface.ink, width=rng.uniform(1.5, 2.5))
    _side_labels(rng, canvas, surface, style, points, labels, _label_size(rng, regime))
    image = finished(rng, canvas, surface)
    answer = str(sum(map(int, labels)))
    return Scene(phrase(rng, PERIMETER_QUESTIONS), (answer,), image, regime, _LOOKS[regime], profile="number", params={"absolute": 0.005})
