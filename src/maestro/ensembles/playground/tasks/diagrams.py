"""Blind-spot families: touching circles, grids and the circled letter.

Regimes: `plain`, `rough` (tint, shade or grain), `thin` (hairlines), `tilted`, and for grids `filled` (some cells hold
marks) and `fine` (many cells).
"""

from __future__ import annotations

import random

from maestro.ensembles.playground.tasks.drawing import picture_size, polar, text_size
from maestro.ensembles.playground.tasks.palette import VIVID, mix
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase, pick_words

_ROUGH: tuple[SurfaceKind, ...] = ("noisy", "tinted", "shaded", "textured")

PAIR_QUESTIONS = (
    "How many [pairs of circles|circle pairs] [touch|overlap or touch]?",
    "The circles come in pairs. How many pairs [touch|are in contact]?",
    "[Count|Count up] the [circle pairs|pairs] whose [two|] circles [touch or overlap|meet].",
    "In how many pairs do the [two circles|circles] [touch|meet]?",
    "[Tell me|Say] how many pairs of [circles|discs] touch each other.",
)
TOUCH_QUESTIONS = (
    "[Are the two circles touching|Do the two circles touch] [each other|]?",
    "Do the two [circles|discs] [touch or overlap|meet]? Answer yes or no.",
    "[Tell me|Say] whether the two circles touch.",
    "Is there contact between the two circles?",
    "Are the two [circles|discs] in contact, yes or no?",
)
GRID_QUESTIONS = (
    "How many {parts} does the grid have?",
    "[Count|Count up] the {parts} of the [grid|table].",
    "What is the number of {parts} in [the|this] grid?",
    "[The picture shows|There is] a grid. How many {parts} are there?",
    "[Tell me|Say|Find] how many {parts} the [grid|lattice] [has|is made of].",
    "Of how many {parts} [is the grid made|does the grid consist]?",
)
LETTER_QUESTIONS = (
    "Which letter is [circled|inside the ring|ringed]?",
    "[Name|Tell me|Give] the [circled letter|letter with the ring around it].",
    "Around which letter is [the circle|a ring|the oval] drawn?",
    "One letter of the word is [circled|marked by a ring]. Which one?",
    "What letter [has|carries] the [circle|ring|oval] [around it|]?",
    "[Find|Spot] the ring: which letter does it [mark|surround]?",
)


def _gap(rng: random.Random, touching: bool, regime: str) -> float:
    """Distance between two circles' edges in pixels; small gaps are the hard ones."""
    if touching:
        return -rng.uniform(1.5, 9)
    return rng.uniform(2.5, 5) if regime == "thin" else rng.uniform(3.5, 12)


def circles_touch(rng: random.Random, style: Style) -> Scene:
    """How many pairs of circles touch; with a single pair, whether it does."""
    regime = rng.choice(("plain", "rough", "thin"))
    pairs = 1 if rng.random() < 0.3 else rng.randint(3, 7)
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(_ROUGH) if regime == "rough" else "framed" if regime == "thin" else "plain")
    canvas = surface.canvas(3)
    columns = 1 if pairs == 1 else 2 if pairs <= 4 else 3
    rows = -(-pairs // columns)
    wide, tall = size[0] / columns, size[1] / rows
    most = min(wide, tall) / 4 - 7
    touching = [rng.random() < 0.5 for _ in range(pairs)]
    filled = rng.random() < 0.4 and regime != "thin"
    cells = rng.sample([(column, row) for column in range(columns) for row in range(rows)], pairs)
    for touch, (column, row) in zip(touching, cells, strict=True):
        radius = most * rng.uniform(0.68, 1.0)
        reach = radius + _gap(rng, touch, regime) / 2
        centre = (wide * (column + 0.5) + rng.uniform(-3, 3), tall * (row + 0.5) + rng.uniform(-3, 3))
        angle, colour = (
            rng.uniform(0, 360),
            style.colour(rng, rng.choice(style.visible(surface, (*VIVID, "black"), 150 if regime == "thin" else 95))),
        )
        for turn in (0, 180):
            middle = polar(centre, reach, angle + turn)
            if filled:
                canvas.circle(middle, radius, fill=colour)
            else:
                canvas.circle(middle, radius, outline=colour, width=1.1 if regime == "thin" else rng.uniform(2, 3))
    looks: dict[str, tuple[Look, ...]] = {"plain": ("plain",), "rough": ("noisy", "tinted"), "thin": ("outlined", "framed")}
    if pairs == 1:
        question, answer = phrase(rng, TOUCH_QUESTIONS), "yes" if touching[0] else "no"
    else:
        question, answer = phrase(rng, PAIR_QUESTIONS), str(sum(touching))
    return Scene(question, (answer,), finished(rng, canvas, surface), regime, looks[regime])


def grid(rng: random.Random, style: Style) -> Scene:
    """How many rows, columns or cells a grid has."""
    regime = rng.choice(("plain", "rough", "tilted", "filled", "fine"))
    rows, columns = (rng.randint(11, 20), rng.randint(11, 20)) if regime == "fine" else (rng.randint(3, 10), rng.randint(3, 10))
    size = picture_size(rng)
    kinds: dict[str, tuple[SurfaceKind, ...]] = {
        "plain": ("plain",),
        "rough": (*_ROUGH, "faint"),
        "tilted": ("tilted",),
        "filled": ("plain", "tinted"),
        "fine": ("plain",),
    }
    surface = style.surface(rng, size, rng.choice(kinds[regime]))
    canvas = surface.canvas()
    margin = 34.0
    left, top = margin + rng.uniform(0, 12), margin + rng.uniform(0, 8)
    wide, tall = (size[0] - margin - left - rng.uniform(0, 12)) / columns, (size[1] - margin - top - rng.uniform(0, 8)) / rows
    if regime == "filled":
        for row in range(rows):
            for column in range(columns):
                if rng.random() < 0.4:
                    corner = (left + wide * column, top + tall * row)
                    canvas.rectangle((*corner, corner[0] + wide, corner[1] + tall), fill=style.colour(rng, rng.choice((*VIVID, "black"))))
    width = 1.0 if regime == "fine" else rng.uniform(1, 2.5)
    for row in range(rows + 1):
        canvas.line([(left, top + tall * row), (left + wide * columns, top + tall * row)], surface.ink, width)
    for column in range(columns + 1):
        canvas.line([(left + wide * column, top), (left + wide * column, top + tall * rows)], surface.ink, width)
    parts, answer = rng.choice((("rows", rows), ("columns", columns), ("cells", rows * columns)))
    looks: dict[str, tuple[Look, ...]] = {
        "plain": ("plain",),
        "rough": ("noisy", "tinted"),
        "tilted": ("tilted",),
        "filled": ("cluttered",),
        "fine": ("dense",),
    }
    question = phrase(rng, GRID_QUESTIONS, parts=parts)
    return Scene(question, (str(answer),), finished(rng, canvas, surface), regime, looks[regime])


def circled_letter(rng: random.Random, style: Style) -> Scene:
    """The letter of a word that a ring surrounds."""
    regime = rng.choice(("plain", "rough", "tight", "tilted"))
    word = rng.choice(pick_words(rng, 40, longest=8))
    word = word.upper() if rng.random() < 0.5 else word
    size = picture_size(rng)
    kinds: dict[str, tuple[SurfaceKind, ...]] = {
        "plain": ("plain",),
        "rough": (*_ROUGH, "coarse", "coarse"),
        "tight": ("plain",),
        "tilted": ("tilted",),
    }
    surface = style.surface(rng, size, rng.choice(kinds[regime]))
    canvas, font = surface.canvas(), style.fonts.choose(rng)
    height = rng.uniform(30, 44)
    space = rng.uniform(0.04, 0.12) if regime == "tight" else rng.uniform(0.3, 0.55)
    widths = [text_size(letter, font, height)[0] for letter in word]
    total = sum(widths) + space * height * (len(word) - 1)
    if total > size[0] - 50:
        height *= (size[0] - 50) / total
        widths = [text_size(letter, font, height)[0] for letter in word]
        total = sum(widths) + space * height * (len(word) - 1)
    x, y = (size[0] - total) / 2, size[1] * rng.uniform(0.4, 0.6)
    asked = rng.randrange(len(word))
    ring = style.colour(rng, rng.choice(("red", "blue", "green", "orange", "purple")))
    for index, (letter, wide) in enumerate(zip(word, widths, strict=True)):
        canvas.text((x + wide / 2, y), letter, font, height, surface.ink, anchor="mm")
        if index == asked:
            across, down = max(wide * 0.5 + height * (0.1 if regime == "tight" else 0.16), height * 0.3), height * 0.74
            canvas.ellipse(
                (x + wide / 2 - across, y - down, x + wide / 2 + across, y + down), mix(ring, surface.paper, 0.1), rng.uniform(1.8, 3)
            )
        x += wide + space * height
    looks: dict[str, tuple[Look, ...]] = {
        "plain": ("plain",),
        "rough": ("noisy", "tinted"),
        "tight": ("overlapping",),
        "tilted": ("tilted",),
    }
    references = (word[asked], word[asked].swapcase())
    return Scene(phrase(rng, LETTER_QUESTIONS), references, finished(rng, canvas, surface), regime, looks[regime])
