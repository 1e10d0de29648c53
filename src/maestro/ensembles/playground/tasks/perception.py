"""Perception families: the colour of a named shape, and what lies beside it.

Regimes: `apart` (medium shapes on white), `tiny` (small shapes on white), `rough` (tint, shade or grain), `cast` (uneven
light over pale colours).
"""

from __future__ import annotations

import random
from dataclasses import replace

from maestro.ensembles.playground.tasks.drawing import SHAPES, picture_size, spread
from maestro.ensembles.playground.tasks.palette import VIVID, mix
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, Surface, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase

_KINDS: dict[str, tuple[SurfaceKind, ...]] = {
    "apart": ("plain",),
    "tiny": ("plain", "framed", "framed"),
    "rough": ("noisy", "tinted", "textured"),
    "cast": ("shaded", "dark"),
}
_LOOKS: dict[str, tuple[Look, ...]] = {"apart": ("plain",), "tiny": ("tiny",), "rough": ("noisy", "tinted"), "cast": ("shaded", "faint")}
_RADII = {"apart": (16.0, 28.0), "tiny": (4.6, 6.6), "rough": (14.0, 26.0), "cast": (14.0, 26.0)}

COLOUR_QUESTIONS = (
    "[What|Which] colour is the {kind}?",
    "[What|Which] colour does the {kind} have?",
    "[Name|Tell me|Give] the colour of the {kind}.",
    "The picture shows a {kind}. [What|Which] colour is it?",
    "[Find|Spot] the {kind} and [say|name|tell me] its colour.",
    "In which colour is the {kind} [drawn|painted|filled]?",
)
RELATION_QUESTIONS = (
    "[What|Which] colour is the shape [directly|just|immediately] {side} the {name}?",
    "[Name|Tell me|Give] the colour of the shape [just|directly|immediately] {side} the {name}.",
    "Which shape colour [do you see|is found|is] [directly|just] {side} the {name}?",
    "[Find|Look for] the {name}. [What|Which] colour is the [next shape|neighbour] {side} it?",
    "[Just|Directly] {side} the {name} [there is|sits] a shape. [What|Which] colour is it?",
)
_SIDES: dict[tuple[int, int], tuple[str, ...]] = {
    (-1, 0): ("to the left of", "left of"),
    (1, 0): ("to the right of", "right of"),
    (0, -1): ("above", "over"),
    (0, 1): ("below", "under", "beneath"),
}


def _surface(rng: random.Random, style: Style, regime: str, size: tuple[int, int]) -> Surface:
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]))
    if regime == "tiny":
        return replace(surface, finish=replace(surface.finish, noise=max(surface.finish.noise, rng.uniform(1.4, 2.6))))
    if regime == "cast":
        return replace(surface, finish=replace(surface.finish, light=rng.uniform(0.25, 0.45)))
    return surface


def _fill(rng: random.Random, style: Style, surface: Surface, regime: str, name: str) -> tuple[int, int, int]:
    colour = style.colour(rng, name)
    return mix(colour, surface.paper, rng.uniform(0.05, 0.3)) if regime == "cast" else colour


def colour_of(rng: random.Random, style: Style) -> Scene:
    """The colour of the only shape of its kind."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    surface = _surface(rng, style, regime, size)
    canvas = surface.canvas()
    shown = style.visible(surface, VIVID, 115)
    discs = spread(rng, rng.randint(3, 7), (10, 10, size[0] - 10, size[1] - 10), _RADII[regime], 8)
    asked, *others = rng.sample(SHAPES, len(SHAPES))
    names = [rng.choice(shown) for _ in discs]
    for index, (x, y, radius) in enumerate(discs):
        kind = asked if index == 0 else rng.choice(others)
        canvas.shape(kind, (x, y), radius, fill=_fill(rng, style, surface, regime, names[index]), angle=rng.uniform(-12, 12))
    image = finished(rng, canvas, surface)
    return Scene(phrase(rng, COLOUR_QUESTIONS, kind=asked), (names[0],), image, regime, _LOOKS[regime])


def relation(rng: random.Random, style: Style) -> Scene:
    """The colour of the neighbour on one side of a shape named by colour and kind."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    surface = _surface(rng, style, regime, size)
    canvas = surface.canvas()
    columns, rows = rng.randint(3, 4), 3
    cells = [(column, row) for column in range(columns) for row in range(rows)]
    anchor = rng.choice(cells)
    step = rng.choice([step for step in _SIDES if (anchor[0] + step[0], anchor[1] + step[1]) in cells])
    target = (anchor[0] + step[0], anchor[1] + step[1])
    filled = [anchor, target, *(cell for cell in cells if cell not in {anchor, target} and rng.random() < 0.5)]
    shown = style.visible(surface, VIVID, 115)
    colour, kind = rng.choice(shown), rng.choice(SHAPES)
    answer = rng.choice([name for name in shown if name != colour])
    wide, tall = (size[0] - 16) / columns, (size[1] - 16) / rows
    for cell in filled:
        name = {anchor: colour, target: answer}.get(cell, rng.choice(shown))
        shape = kind if cell == anchor else rng.choice([other for other in SHAPES if other != kind or name != colour])
        radius = min(rng.uniform(*_RADII[regime]), tall * 0.36)
        x, y = 8 + wide * (cell[0] + 0.5) + rng.uniform(-6, 6), 8 + tall * (cell[1] + 0.5) + rng.uniform(-5, 5)
        canvas.shape(shape, (x, y), radius, fill=_fill(rng, style, surface, regime, name), angle=rng.uniform(-10, 10))
    question = phrase(rng, RELATION_QUESTIONS, side=rng.choice(_SIDES[step]), name=f"{colour} {kind}")
    return Scene(question, (answer,), finished(rng, canvas, surface), regime, _LOOKS[regime])
