"""Drawing primitives in logical pixels on a supersampled canvas."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw

from maestro.ensembles.playground.tasks import fonts

RGB = tuple[int, int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]

SIZES = ((320, 240), (352, 264), (384, 288), (400, 300), (416, 312), (448, 336))
"""Picture sizes (width, height)."""


def picture_size(rng: random.Random) -> tuple[int, int]:
    """One of `SIZES`."""
    return rng.choice(SIZES)


class Canvas:
    """A picture drawn at `scale` times its size and reduced at the end, so that edges are smooth.

    All coordinates, widths and font sizes are in pixels of the final picture.
    """

    def __init__(self, ground: Image.Image, scale: int = 2) -> None:
        self.width, self.height = ground.size
        self.scale = scale
        self._image = ground.copy() if scale == 1 else ground.resize((self.width * scale, self.height * scale), Image.Resampling.NEAREST)
        self._draw = ImageDraw.Draw(self._image)

    def image(self) -> Image.Image:
        """The picture at its final size."""
        return self._image if self.scale == 1 else self._image.reduce(self.scale)

    def paste(self, picture: Image.Image, at: tuple[int, int]) -> None:
        """Lay another picture, given at its final size, with its left top corner at a pixel."""
        enlarged = picture if self.scale == 1 else picture.resize((picture.width * self.scale, picture.height * self.scale))
        self._image.paste(enlarged, (at[0] * self.scale, at[1] * self.scale))

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def _width(self, width: float) -> int:
        return max(1, round(width * self.scale))

    def line(self, points: Sequence[Point], colour: RGB, width: float = 2) -> None:
        """An open polyline with round joints."""
        self._draw.line(self._at(points), fill=colour, width=self._width(width), joint="curve")

    def dashes(self, points: Sequence[Point], colour: RGB, width: float, dash: float, gap: float) -> None:
        """A polyline broken into dashes of `dash` pixels with `gap` pixels between them."""
        offset = 0.0
        for start, end in itertools.pairwise(points):
            length = math.dist(start, end)
            position = -offset
            while position < length:
                low, high = max(position, 0.0), min(position + dash, length)
                if high > low:
                    self.line([along(start, end, low / length), along(start, end, high / length)], colour, width)
                position += dash + gap
            offset = (length + offset) % (dash + gap)

    def circle(self, centre: Point, radius: float, fill: RGB | None = None, outline: RGB | None = None, width: float = 2) -> None:
        """A circle; the outline lies inside the radius."""
        (x, y), r = self._at([centre])[0], radius * self.scale
        self._draw.ellipse((x - r, y - r, x + r, y + r), fill=fill, outline=outline, width=self._width(width))

    def ellipse(self, box: Box, outline: RGB, width: float = 2) -> None:
        """An ellipse outline inside a box."""
        self._draw.ellipse([value * self.scale for value in box], outline=outline, width=self._width(width))

    def rectangle(self, box: Box, fill: RGB | None = None, outline: RGB | None = None, width: float = 1) -> None:
        """An upright rectangle given as left, top, right, bottom."""
        self._draw.rectangle([value * self.scale for value in box], fill=fill, outline=outline, width=self._width(width))

    def polygon(self, points: Sequence[Point], fill: RGB | None = None, outline: RGB | None = None, width: float = 2) -> None:
        """A closed polygon."""
        if fill is not None:
            self._draw.polygon(self._at(points), fill=fill)
        if outline is not None:
            self.line([*points, points[0], points[1]], outline, width)

    def arc(self, centre: Point, radius: float, start: float, end: float, colour: RGB, width: float = 2) -> None:
        """Part of a circle from angle `start` to `end`, in degrees clockwise from the right."""
        (x, y), r = self._at([centre])[0], radius * self.scale
        self._draw.arc((x - r, y - r, x + r, y + r), start, end, fill=colour, width=self._width(width))

    def slice(
        self, centre: Point, radius: float, start: float, end: float, fill: RGB, outline: RGB | None = None, width: float = 1
    ) -> None:
        """A pie slice from angle `start` to `end`, in degrees clockwise from the right."""
        (x, y), r = self._at([centre])[0], radius * self.scale
        self._draw.pieslice((x - r, y - r, x + r, y + r), start, end, fill=fill, outline=outline, width=self._width(width))

    def text(self, at: Point, text: str, font: str, size: float, colour: RGB, anchor: str = "lm") -> None:
        """One line of text; `anchor` as in Pillow (`lm` is left middle)."""
        self._draw.text(
            (at[0] * self.scale, at[1] * self.scale), text, font=fonts.load(font, round(size * self.scale)), fill=colour, anchor=anchor
        )

    def shape(
        self,
        kind: str,
        centre: Point,
        radius: float,
        fill: RGB | None = None,
        outline: RGB | None = None,
        width: float = 2,
        angle: float = 0,
    ) -> None:
        """A shape by its kind (one of `SHAPES`) inside a circle of `radius`, turned by `angle` degrees."""
        if kind == "circle":
            self.circle(centre, radius, fill, outline, width)
        else:
            self.polygon(corners(kind, centre, radius, angle), fill, outline, width)


SHAPES = ("circle", "square", "triangle", "star", "pentagon")
"""Kinds of shape that questions name."""

_CORNERS = {"triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6}


def corners(kind: str, centre: Point, radius: float, angle: float = 0) -> list[Point]:
    """Corner points of a shape with straight sides; upright at angle 0."""
    if kind == "star":
        radii, count = (radius * 1.08, radius * 0.45), 10
    else:
        count = _CORNERS[kind]
        radii = (radius * (1.06 if kind != "square" else 1.15), radius * (1.06 if kind != "square" else 1.15))
    first = -90.0 + angle + (45.0 if kind == "square" else 0.0)
    return [polar(centre, radii[index % 2], first + 360.0 * index / count) for index in range(count)]


def polar(centre: Point, radius: float, degrees: float) -> Point:
    """The point at a distance and an angle, in degrees clockwise from the right."""
    return centre[0] + radius * math.cos(math.radians(degrees)), centre[1] + radius * math.sin(math.radians(degrees))


def along(start: Point, end: Point, part: float) -> Point:
    """The point at `part` (0..1) of the way from `start` to `end`."""
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part


def text_size(text: str, font: str, size: float) -> tuple[float, float]:
    """Width and height in pixels of one line of text."""
    left, top, right, bottom = fonts.load(font, round(size)).getbbox(text)
    return right - left, bottom - top


def fitting_size(text: str, font: str, size: float, width: float) -> float:
    """`size`, or the largest smaller size at which the text is at most `width` wide."""
    actual = text_size(text, font, size)[0]
    return size if actual <= width else max(6.0, math.floor(size * width / actual))


def spread(rng: random.Random, count: int, box: Box, radii: tuple[float, float], gap: float) -> list[tuple[float, float, float]]:
    """Up to `count` discs (x, y, radius) inside a box that keep at least `gap` pixels between them."""
    placed: list[tuple[float, float, float]] = []
    for _ in range(count * 60):
        if len(placed) == count:
            break
        radius = rng.uniform(*radii)
        if box[2] - box[0] < 2 * radius or box[3] - box[1] < 2 * radius:
            continue
        x, y = rng.uniform(box[0] + radius, box[2] - radius), rng.uniform(box[1] + radius, box[3] - radius)
        if all(math.dist((x, y), other[:2]) >= radius + other[2] + gap for other in placed):
            placed.append((x, y, radius))
    return placed
