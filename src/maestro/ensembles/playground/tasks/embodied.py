"""Top-down stand-ins for embodied questions: where a robot is heading, and where its path ends.

Regimes: `plain`, `rough` (tiled, shaded or grainy floor), `tiny` (a small arrow), `thin` (hairlines and, on paths,
smaller marks), `cluttered` (other things around); paths also come `dashed`.
"""

from __future__ import annotations

import math
import random

from maestro.ensembles.playground.tasks.drawing import Canvas, Point, picture_size, polar, spread
from maestro.ensembles.playground.tasks.palette import VIVID, mix
from maestro.ensembles.playground.tasks.paths import distance
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase

COMPASS = ("east", "southeast", "south", "southwest", "west", "northwest", "north", "northeast")
"""Directions clockwise from the right; north is up."""
_KINDS: dict[str, tuple[SurfaceKind, ...]] = {
    "plain": ("plain",),
    "rough": ("textured", "noisy", "shaded", "tinted"),
    "tiny": ("framed",),
    "thin": ("framed",),
    "dashed": ("plain",),
    "cluttered": ("plain", "tinted"),
}
_LOOKS: dict[str, tuple[Look, ...]] = {
    "plain": ("plain",),
    "rough": ("noisy", "tinted"),
    "tiny": ("tiny", "framed"),
    "thin": ("outlined", "framed"),
    "dashed": ("dashed",),
    "cluttered": ("cluttered",),
}

HEADING_QUESTIONS = (
    "[Which|What] compass direction does the arrow point [to|]? North is up.",
    "With north at the top, [where|in which direction] does the arrow point?",
    "The arrow shows where the robot is [heading|going]. Which compass direction is that?",
    "In which compass direction is the arrow [pointing|heading|aimed]?",
    "North is up. [Name|Give|Tell me] the direction of the arrow.",
    "[Is the arrow pointing|Does the arrow point] north, northeast, east, southeast, south, southwest, west or northwest?",
)
TRAJECTORY_QUESTIONS = (
    "The robot starts at the black dot and follows the line. [Which|What] colour is the square where it [stops|ends]?",
    "[Follow|Trace] the path from the black dot. [What|Which] colour is the square at its end?",
    "At which colour of square does the path [from|that starts at] the black dot end?",
    "The path begins at the black dot. [Name|Tell me] the colour of the square it leads to.",
    "[Which|What] colour is the square that the line from the black dot [reaches|leads to|ends in]?",
)


def _arrow(canvas: Canvas, centre: Point, length: float, degrees: float, colour: tuple[int, int, int]) -> None:
    """A thick arrow with a triangular head."""
    tip, tail = polar(centre, length / 2, degrees), polar(centre, -length / 2, degrees)
    neck = polar(centre, length * 0.08, degrees)
    width = length * 0.16
    side = polar((0, 0), width / 2, degrees + 90)
    canvas.polygon(
        [
            (tail[0] + side[0], tail[1] + side[1]),
            (neck[0] + side[0], neck[1] + side[1]),
            (neck[0] - side[0], neck[1] - side[1]),
            (tail[0] - side[0], tail[1] - side[1]),
        ],
        fill=colour,
    )
    wing = polar((0, 0), length * 0.26, degrees + 90)
    canvas.polygon([tip, (neck[0] + wing[0], neck[1] + wing[1]), (neck[0] - wing[0], neck[1] - wing[1])], fill=colour)


def _line_arrow(canvas: Canvas, centre: Point, length: float, degrees: float, colour: tuple[int, int, int]) -> None:
    """An arrow of three thin strokes."""
    tip, tail = polar(centre, length / 2, degrees), polar(centre, -length / 2, degrees)
    canvas.line([tail, tip], colour, 1.3)
    canvas.line([polar(tip, length * 0.32, degrees + 150), tip, polar(tip, length * 0.32, degrees - 150)], colour, 1.3)


def heading(rng: random.Random, style: Style) -> Scene:
    """The compass direction of an arrow."""
    regime = rng.choice(("plain", "rough", "tiny", "thin", "cluttered"))
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]), most_tilt=4)
    canvas = surface.canvas(3 if regime in {"tiny", "thin"} else 2)
    length = rng.uniform(15, 21) if regime == "tiny" else rng.uniform(60, 120)
    direction = rng.randrange(8)
    room = length / 2 + 12
    centre = (rng.uniform(room, size[0] - room), rng.uniform(room, size[1] - room))
    colour = style.colour(rng, rng.choice(style.visible(surface, (*VIVID, "black"), 150 if regime in {"tiny", "thin"} else 95)))
    if regime == "cluttered":
        for x, y, radius in spread(rng, 9, (4, 4, size[0] - 4, size[1] - 4), (8, 17), 6):
            if math.dist((x, y), centre) > radius + room:
                other = style.colour(rng, rng.choice((*VIVID, "grey")))
                canvas.shape(rng.choice(("circle", "square", "pentagon")), (x, y), radius, fill=other, angle=rng.uniform(0, 60))
    angle = direction * 45 + rng.uniform(-11, 11)
    if regime == "thin":
        _line_arrow(canvas, centre, length * 0.6, angle, colour)
    else:
        _arrow(canvas, centre, length, angle, colour)
    name = COMPASS[direction]
    references = (name, name.replace("north", "north-").replace("south", "south-")) if len(name) > 5 else (name,)
    return Scene(phrase(rng, HEADING_QUESTIONS), references, finished(rng, canvas, surface), regime, _LOOKS[regime])


def _walk(rng: random.Random, size: tuple[int, int], avoid: list[Point]) -> list[Point]:
    """A wandering polyline from left to right that keeps away from the points to avoid; empty when none was found."""
    knots = rng.randint(4, 6)
    for _ in range(200):
        line = [(40 + (size[0] - 80) * index / (knots - 1) + rng.uniform(-12, 12), rng.uniform(30, size[1] - 30)) for index in range(knots)]
        if rng.random() < 0.5:
            line.reverse()
        if all(distance(point, line) > 30 for point in avoid):
            return line
    return []


def trajectory(rng: random.Random, style: Style) -> Scene:
    """The colour of the square at the end of a path."""
    regime = rng.choice(("plain", "rough", "thin", "dashed", "cluttered"))
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]))
    canvas = surface.canvas()
    line = _walk(rng, size, [])
    names = style.visible(surface, VIVID)
    rng.shuffle(names)
    answer, path = names.pop(), names.pop()
    squares = [(line[-1], answer)]
    for x, y, _ in spread(rng, 14, (12, 12, size[0] - 12, size[1] - 12), (12, 12), 14):
        if len(squares) < 6 and distance((x, y), line) > 26 and math.dist((x, y), line[0]) > 40:
            squares.append(((x, y), names[len(squares) % len(names)]))
    width = rng.uniform(0.9, 1.2) if regime == "thin" else rng.uniform(3, 4.5)
    half = rng.uniform(6.5, 8.0) if regime == "thin" else 11.0
    if regime == "cluttered":
        for name in rng.sample(("grey", names[-1]), rng.randint(1, 2)):
            other = _walk(rng, size, [line[0], *(point for point, _ in squares)])
            if other:
                canvas.line(other, style.colour(rng, name), width * 0.8)
    colour = style.colour(rng, path) if rng.random() < 0.7 else mix(surface.ink, surface.paper, 0.25)
    if regime == "dashed":
        canvas.dashes(line, colour, width, rng.uniform(7, 11), rng.uniform(4, 7))
    else:
        canvas.line(line, colour, width)
    for (x, y), name in squares:
        canvas.rectangle((x - half, y - half, x + half, y + half), fill=style.colour(rng, name))
    canvas.circle(line[0], half * 0.75, fill=style.colour(rng, "black"))
    return Scene(phrase(rng, TRAJECTORY_QUESTIONS), (answer,), finished(rng, canvas, surface), regime, _LOOKS[regime])
