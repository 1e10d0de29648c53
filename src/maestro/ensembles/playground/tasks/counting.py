"""Counting families: shapes of a kind, shapes of a colour, rings.

Regimes under one wording: `apart` (separate, on white), `tiny` (the same, small), `rough` (tint, shade or grain),
`overlapping` (outlined discs that cover each other), `cluttered` (stray strokes cross small shapes).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image

from maestro.ensembles.playground.tasks.drawing import SHAPES, Canvas, picture_size, polar, spread
from maestro.ensembles.playground.tasks.palette import VIVID, mix
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, Surface, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase, shape_name

_KINDS: dict[str, tuple[SurfaceKind, ...]] = {
    "apart": ("plain",),
    "tiny": ("framed",),
    "rough": ("noisy", "shaded", "tinted", "textured"),
    "overlapping": ("plain", "plain", "tinted"),
    "cluttered": ("plain", "tinted"),
}
_LOOKS: dict[str, tuple[Look, ...]] = {
    "apart": ("plain",),
    "tiny": ("tiny", "framed"),
    "rough": ("noisy", "tinted"),
    "overlapping": ("overlapping",),
    "cluttered": ("cluttered",),
}
Disc = tuple[float, float, float]

SHAPE_QUESTIONS = (
    "How many {kinds} are [there|in the picture|shown]?",
    "[Count|Count up] the {kinds} [in the image|in the picture|you see].",
    "What is the number of {kinds} [here|in this picture]?",
    "[Tell me|Say|Find out] how many {kinds} [the picture has|you can see].",
    "How many {kinds} can [you|one] [count|find|see]?",
    "[The picture shows|There are] [some|several] {kinds}. How many?",
)
COLOUR_QUESTIONS = (
    "How many {colour} [shapes|objects|items] are [there|in the picture|shown]?",
    "[Count|Count up] the {colour} [shapes|objects|things] [in the image|].",
    "What is the number of {colour} [shapes|items|objects]?",
    "[Tell me|Say|Find out] how many [shapes|objects] are {colour}.",
    "How many of the [shapes|objects|things] [are|have the colour] {colour}?",
    "How many {colour} ones [are there|can you see] among the shapes?",
)
RING_QUESTIONS = (
    "How many rings are [there|in the picture|linked together]?",
    "[Count|Count up] the rings [in the image|that you see].",
    "What is the number of [rings|interlocking rings]?",
    "How many [rings|hoops] does the [figure|picture] [have|show]?",
    "[Tell me|Say] how many rings [overlap|are drawn] here.",
)


def chain(rng: random.Random, count: int, size: tuple[int, int], radii: tuple[float, float]) -> list[Disc]:
    """Discs of which most overlap a neighbour, while none hides more than about half of another's edge."""
    radius = rng.uniform(*radii)
    discs: list[Disc] = []
    for _ in range(count * 80):
        if len(discs) == count:
            break
        r = radius * rng.uniform(0.85, 1.15)
        if discs and rng.random() < 0.85:
            x, y = polar(rng.choice(discs)[:2], radius * rng.uniform(1.2, 1.75), rng.uniform(0, 360))
        else:
            x, y = rng.uniform(r + 8, size[0] - r - 8), rng.uniform(r + 8, size[1] - r - 8)
        inside = r + 6 <= x <= size[0] - r - 6 and r + 6 <= y <= size[1] - r - 6
        near = [other for other in discs if math.dist((x, y), other[:2]) < r + other[2]]
        clear = all(math.dist((x, y), other[:2]) > 1.1 * max(r, other[2]) for other in near)
        if inside and clear and len(near) <= 2:
            discs.append((x, y, r))
    return discs


def _shapes(rng: random.Random, canvas: Canvas, style: Style, discs: Sequence[Disc], kinds: Sequence[str], names: Sequence[str]) -> None:
    """Filled shapes of given kinds and colours."""
    for (x, y, radius), kind, name in zip(discs, kinds, names, strict=True):
        canvas.shape(kind, (x, y), radius, fill=style.colour(rng, name), angle=rng.uniform(-15, 15))


def _overlapping(rng: random.Random, canvas: Canvas, style: Style, discs: Sequence[Disc], names: Sequence[str]) -> None:
    """Filled discs with a darker edge."""
    for (x, y, radius), name in zip(discs, names, strict=True):
        fill = style.colour(rng, name)
        canvas.circle((x, y), radius, fill=fill, outline=mix(fill, (0, 0, 0), 0.55), width=2.2)


def _strokes(rng: random.Random, canvas: Canvas, colour: tuple[int, int, int]) -> None:
    """Thin stray lines across the picture."""
    for _ in range(rng.randint(5, 10)):
        start = (rng.uniform(0, canvas.width), rng.uniform(0, canvas.height))
        canvas.line([start, polar(start, rng.uniform(70, 220), rng.uniform(0, 360))], colour, rng.uniform(1.2, 2.2))


def _regime_discs(rng: random.Random, regime: str, size: tuple[int, int], count: int) -> list[Disc]:
    edge = 34.0 if regime == "tiny" else 8.0
    box = (edge, edge, size[0] - edge, size[1] - edge)
    if regime == "overlapping":
        return chain(rng, count, size, (26, 38))
    radii = {"cluttered": (9.0, 15.0), "tiny": (6.0, 8.0)}.get(regime, (11.0, 22.0))
    return spread(rng, count, box, radii, 7)


def _dress(
    rng: random.Random, style: Style, regime: str, surface: Surface, discs: Sequence[Disc], kinds: Sequence[str], names: Sequence[str]
) -> Image.Image:
    canvas = surface.canvas()
    if regime == "overlapping":
        _overlapping(rng, canvas, style, discs, names)
    else:
        _shapes(rng, canvas, style, discs, kinds, names)
    if regime == "cluttered":
        _strokes(rng, canvas, mix(surface.ink, surface.paper, rng.uniform(0.0, 0.4)))
    return finished(rng, canvas, surface)


def count_shapes(rng: random.Random, style: Style) -> Scene:
    """How many shapes of a kind; with overlapping discs all of them are circles."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    asked = "circle" if regime == "overlapping" or rng.random() < 0.7 else rng.choice(SHAPES[1:])
    discs = _regime_discs(rng, regime, size, rng.randint(3, 9) if regime == "overlapping" else rng.randint(6, 16))
    if regime == "overlapping":
        kinds = ["circle"] * len(discs)
    else:
        wanted = rng.randint(2, max(2, len(discs) - 2))
        others = [kind for kind in SHAPES if kind != asked]
        kinds = [asked if index < wanted else rng.choice(others) for index in range(len(discs))]
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]))
    shown = style.visible(surface, VIVID)
    names = [rng.choice(shown)] * len(discs) if rng.random() < 0.5 else [rng.choice(shown) for _ in discs]
    image = _dress(rng, style, regime, surface, discs, kinds, names)
    noun = rng.choice(("circles", "circles", "discs", "round shapes")) if asked == "circle" else shape_name(asked, 2)
    return Scene(phrase(rng, SHAPE_QUESTIONS, kinds=noun), (str(kinds.count(asked)),), image, regime, _LOOKS[regime])


def count_colour(rng: random.Random, style: Style) -> Scene:
    """How many shapes of a colour."""
    regime = rng.choice(tuple(_KINDS))
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(_KINDS[regime]))
    shown = style.visible(surface, VIVID)
    asked, *others = rng.sample(shown, min(len(shown), rng.randint(3, 4)))
    discs = _regime_discs(rng, regime, size, rng.randint(5, 9) if regime == "overlapping" else rng.randint(6, 16))
    wanted = rng.randint(2, max(2, len(discs) - 2))
    names = [asked if index < wanted else rng.choice(others) for index in range(len(discs))]
    if regime == "overlapping":
        rng.shuffle(names)
    kinds = [rng.choice(SHAPES) for _ in discs]
    image = _dress(rng, style, regime, surface, discs, kinds, names)
    return Scene(phrase(rng, COLOUR_QUESTIONS, colour=asked), (str(names.count(asked)),), image, regime, _LOOKS[regime])


def rings(rng: random.Random, style: Style) -> Scene:
    """How many interlocking rings."""
    regime = rng.choice(("plain", "coloured", "rough"))
    size = picture_size(rng)
    surface = style.surface(rng, size, "plain" if regime != "rough" else rng.choice(("noisy", "shaded", "textured", "tinted")))
    canvas = surface.canvas()
    discs = chain(rng, rng.randint(3, 9), size, (26, 42))
    width = rng.uniform(1.6, 4)
    for x, y, radius in discs:
        colour = style.colour(rng, rng.choice(style.visible(surface, VIVID))) if regime == "coloured" else surface.ink
        canvas.circle((x, y), radius, outline=colour, width=width)
    looks: dict[str, tuple[Look, ...]] = {"plain": ("outlined",), "coloured": ("outlined", "overlapping"), "rough": ("outlined", "noisy")}
    return Scene(phrase(rng, RING_QUESTIONS), (str(len(discs)),), finished(rng, canvas, surface), regime, looks[regime])
