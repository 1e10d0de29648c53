"""Blind-spot families with lines: crossings of two lines, and coloured routes between stations.

Regimes: `plain` (thick lines on white), `thin` (hairlines), `rough` (tint, shade or grain), `busy` (more lines than asked about).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

from maestro.ensembles.playground.tasks.drawing import Point, picture_size
from maestro.ensembles.playground.tasks.palette import VIVID
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase

_KINDS: dict[str, tuple[SurfaceKind, ...]] = {
    "plain": ("plain",),
    "thin": ("framed",),
    "rough": ("noisy", "tinted", "shaded", "textured"),
    "busy": ("plain", "tinted"),
}
_LOOKS: dict[str, tuple[Look, ...]] = {
    "plain": ("plain",),
    "thin": ("outlined", "framed"),
    "rough": ("noisy", "tinted"),
    "busy": ("cluttered",),
}
_WIDTHS = {"plain": (3.5, 5.0), "thin": (1.1, 1.6), "rough": (2.5, 4.5), "busy": (2.5, 4.0)}

CROSSING_QUESTIONS = (
    "How [many times|often] do the {first} and {second} lines [cross|intersect]?",
    "[Count|Count up] the [crossings|intersections] of the {first} line [and|with] the {second} line.",
    "At how many points does the {first} line [cross|meet|intersect] the {second} one?",
    "What is the number of [crossings|intersections] between the {first} and the {second} line?",
    "[Tell me|Say] how often the {first} line [crosses|intersects] the {second} line.",
)
ROUTE_QUESTIONS = (
    "How many [routes|paths|lines] [connect|link] the {first} station [and|to|with] the {second} station?",
    "[Count|Count up] the [routes|paths] [from the {first} station to|between the {first} station and] the {second} [station|square].",
    "In how many [ways|direct ways] can one [go|travel] from the {first} station to the {second} station?",
    "What is the number of [direct routes|paths] between the {first} and the {second} station?",
    "[Tell me|Say] how many [coloured lines|routes] run between the {first} station and the {second} station.",
)


def _meeting(first: tuple[Point, Point], second: tuple[Point, Point]) -> Point | None:
    """Where two segments cross, or None."""
    (x1, y1), (x2, y2) = first
    (x3, y3), (x4, y4) = second
    down = (x1 - x2) * (y3 - y4) - (y1 - y2) * (x3 - x4)
    if abs(down) < 1e-9:
        return None
    t = ((x1 - x3) * (y3 - y4) - (y1 - y3) * (x3 - x4)) / down
    u = ((x1 - x3) * (y1 - y2) - (y1 - y3) * (x1 - x2)) / down
    return (x1 + t * (x2 - x1), y1 + t * (y2 - y1)) if 0 <= t <= 1 and 0 <= u <= 1 else None


def _angle(first: tuple[Point, Point], second: tuple[Point, Point]) -> float:
    """The smaller angle between two segments in degrees."""
    turns = [math.degrees(math.atan2(end[1] - start[1], end[0] - start[0])) for start, end in (first, second)]
    between = abs(turns[0] - turns[1]) % 180
    return min(between, 180 - between)


def crossings_of(first: Sequence[Point], second: Sequence[Point]) -> list[Point] | None:
    """Crossing points of two polylines; None when one is ambiguous (flat, at a knot, or too close to another)."""
    found: list[Point] = []
    for a in itertools.pairwise(first):
        for b in itertools.pairwise(second):
            point = _meeting(a, b)
            if point is None:
                continue
            knots = (*a, *b)
            if (
                _angle(a, b) < 25
                or min(math.dist(point, knot) for knot in knots) < 11
                or any(math.dist(point, other) < 18 for other in found)
            ):
                return None
            found.append(point)
    if any(distance(knot, second) < 9 for knot in first) or any(distance(knot, first) < 9 for knot in second):
        return None
    return found


def distance(point: Point, line: Sequence[Point]) -> float:
    """Distance from a point to a polyline."""
    best = math.inf
    for (x1, y1), (x2, y2) in itertools.pairwise(line):
        length = (x2 - x1) ** 2 + (y2 - y1) ** 2
        t = max(0.0, min(1.0, ((point[0] - x1) * (x2 - x1) + (point[1] - y1) * (y2 - y1)) / length))
        best = min(best, math.dist(point, (x1 + t * (x2 - x1), y1 + t * (y2 - y1))))
    return best


def _zigzag(rng: random.Random, size: tuple[int, int]) -> list[Point]:
    """A polyline from the left to the right side."""
    knots = rng.randint(3, 6)
    return [(24 + (size[0] - 48) * index / (knots - 1), rng.uniform(20, size[1] - 20)) for index in range(knots)]


def crossings(rng: random.Random, style: Style) -> Scene:
    """How often two coloured lines cross."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    wanted = rng.randint(0, 5)
    best: tuple[int, list[Point], list[Point]] = (0, [(24, 30), (size[0] - 24.0, 60)], [(24, 120), (size[0] - 24.0, 160)])
    for _ in range(150):
        first, second = _zigzag(rng, size), _zigzag(rng, size)
        points = crossings_of(first, second)
        if points is not None and abs(len(points) - wanted) < abs(best[0] - wanted):
            best = (len(points), first, second)
            if best[0] == wanted:
                break
    count, first, second = best
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]))
    canvas = surface.canvas()
    names = style.visible(surface, ("red", "blue", "green", "orange", "purple", "black"), 80)
    rng.shuffle(names)
    lines = [(first, names[0]), (second, names[1])]
    if regime == "busy":
        lines += [(_zigzag(rng, size), name) for name in names[2 : rng.randint(3, 4)]]
    width = rng.uniform(*_WIDTHS[regime])
    for line, name in rng.sample(lines, len(lines)):
        canvas.line(line, style.colour(rng, name), width)
    question = phrase(rng, CROSSING_QUESTIONS, first=names[0], second=names[1])
    return Scene(question, (str(count),), finished(rng, canvas, surface), regime, _LOOKS[regime])


_STATION_COLOURS = ("red", "blue", "green", "orange")
_ROUTE_COLOURS = tuple(name for name in (*VIVID, "grey", "black") if name not in _STATION_COLOURS)


class _Map:
    """Four stations left, top, right and bottom, and orthogonal routes in lanes of their own."""

    def __init__(self, rng: random.Random, size: tuple[int, int]) -> None:
        width, height = size
        self.half = 26.0
        self.centres: dict[str, Point] = {
            "left": (36, height / 2 + rng.uniform(-18, 18)),
            "right": (width - 36, height / 2 + rng.uniform(-18, 18)),
            "top": (width / 2 + rng.uniform(-30, 30), 36),
            "bottom": (width / 2 + rng.uniform(-30, 30), height - 36),
        }
        self.ports = {side: rng.sample((-20, -12, -4, 4, 12, 20), 6) for side in self.centres}
        self.lanes_x = rng.sample([width * 0.26, width * 0.32, width * 0.68, width * 0.74], 4)
        self.lanes_y = rng.sample([height * 0.3, height * 0.36, height * 0.66, height * 0.72], 4)

    def port(self, side: str) -> Point:
        """A point on the inner side of a station that no other route has used."""
        x, y = self.centres[side]
        offset = self.ports[side].pop()
        inner = {
            "left": (x + self.half, y + offset),
            "right": (x - self.half, y + offset),
            "top": (x + offset, y + self.half),
            "bottom": (x + offset, y - self.half),
        }
        return inner[side]

    def route(self, first: str, second: str) -> list[Point]:
        """An orthogonal polyline between two stations."""
        start, end = self.port(first), self.port(second)
        sides = {first, second}
        if sides == {"left", "right"}:
            lane = self.lanes_x.pop()
            return [start, (lane, start[1]), (lane, end[1]), end]
        if sides == {"top", "bottom"}:
            lane = self.lanes_y.pop()
            return [start, (start[0], lane), (end[0], lane), end]
        return [start, (end[0], start[1]), end] if first in {"left", "right"} else [start, (start[0], end[1]), end]


def routes(rng: random.Random, style: Style) -> Scene:
    """How many coloured routes join two stations."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    town = _Map(rng, size)
    first, second = rng.sample(tuple(town.centres), 2)
    wanted = rng.randint(0, 4) if {first, second} not in ({"left", "right"}, {"top", "bottom"}) else rng.randint(0, 3)
    pairs = [(first, second)] * wanted
    others = [(a, b) for a, b in (("left", "top"), ("top", "right"), ("right", "bottom"), ("bottom", "left")) if {a, b} != {first, second}]
    pairs += rng.sample(others, rng.randint(1, 2) if regime != "busy" else 3)
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]))
    shown = style.visible(surface, _ROUTE_COLOURS, 70)
    rng.shuffle(shown)
    wanted = min(wanted, len(shown))
    canvas = surface.canvas()
    width = min(3.4, rng.uniform(*_WIDTHS[regime]))
    for (start, end), name in zip(pairs, shown, strict=False):  # no more routes than colours that tell them apart
        canvas.line(town.route(start, end), style.colour(rng, name), width)
    names = dict(zip(town.centres, rng.sample(_STATION_COLOURS, 4), strict=True))
    for side, (x, y) in town.centres.items():
        canvas.rectangle(
            (x - town.half, y - town.half, x + town.half, y + town.half),
            fill=style.colour(rng, names[side]),
            outline=surface.ink,
            width=1.5,
        )
    question = phrase(rng, ROUTE_QUESTIONS, first=names[first], second=names[second])
    return Scene(question, (str(wanted),), finished(rng, canvas, surface), regime, _LOOKS[regime])
