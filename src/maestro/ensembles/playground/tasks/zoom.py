"""Zoom families: what is asked lies tiny inside a frame of a named colour, among other frames.

Regimes join the background around the frames (`clean` or `rough`) with what is inside them (see `_INSIDES`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image

from maestro.ensembles.playground.tasks.drawing import SHAPES, Box, Canvas, fitting_size, picture_size, spread
from maestro.ensembles.playground.tasks.grounds import pattern
from maestro.ensembles.playground.tasks.palette import VIVID, luminance, mix
from maestro.ensembles.playground.tasks.reading import code as make_code
from maestro.ensembles.playground.tasks.reading import places
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, Surface, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase, pick_words

_GROUNDS: dict[str, tuple[SurfaceKind, ...]] = {"clean": ("plain", "framed"), "rough": ("tinted", "shaded", "textured")}
_INSIDES: dict[str, tuple[Look, ...]] = {
    "neat": ("tiny", "plain"),
    "patterned": ("tiny", "textured"),
    "pair": ("tiny", "dense"),
    "marbled": ("dense", "textured"),
}
"""What is inside the frames: one line or (`pair`, `marbled`) two, on white or (`patterned`, `marbled`) on a pattern."""

TEXT_QUESTIONS = (
    "What code [is written|stands|can be read] [inside|in] the {colour} [frame|box]?",
    "[Read|Copy|Give] the [small|tiny|] code [inside|in] the {colour} [frame|box|rectangle].",
    "Which code [is|stands] in the {colour} [frame|rectangle]?",
    "The {colour} [frame|box] [contains|holds] a code. What is it?",
    "[Zoom in on|Look into] the {colour} [box|frame] and [read|copy] the code.",
    "What does the code in the {colour} [frame|box] say?",
)
NUMBER_QUESTIONS = (
    "What number is [inside|in] the {colour} [frame|box]?",
    "[Read|Copy|Give] the [small|tiny|] number [inside|in] the {colour} [frame|box|rectangle].",
    "Which number [is|stands] in the {colour} [frame|rectangle]?",
    "The {colour} [frame|box] [contains|holds] a number. Which one?",
    "[Zoom in on|Look into] the {colour} [box|frame] and [tell me|give] the number.",
)
COUNT_QUESTIONS = (
    "How many {kinds} are [inside|in|within] the {colour} [frame|box]?",
    "[Count|Count up] the [small|tiny|] {kinds} [inside|in] the {colour} [frame|box|rectangle].",
    "The {colour} [frame|box] [contains|holds] {kinds}. How many?",
    "[Zoom in on|Look into] the {colour} [box|frame]: how many {kinds} are there?",
    "What is the number of {kinds} within the {colour} [frame|rectangle]?",
)


def _frames(rng: random.Random, size: tuple[int, int], count: int, wide: float, tall: float) -> list[Box]:
    """Boxes of about `wide` by `tall` pixels in different cells of the picture."""
    cells = places(rng, count, (8, 8, size[0] - 8, size[1] - 8), 2)
    boxes: list[Box] = []
    for left, top, right, bottom in cells:
        x, y = rng.uniform(left + 4, right - wide - 4), rng.uniform(top + 4, max(top + 4.1, bottom - tall - 4))
        boxes.append((x, y, x + wide, y + tall))
    return boxes


def _inside(rng: random.Random, surface: Surface, patterned: bool, box: Box) -> tuple[Image.Image, tuple[int, int, int]]:
    """The ground inside a frame, and an ink for it."""
    size = (round(box[2] - box[0]), round(box[3] - box[1]))
    if not patterned:
        paper = (rng.randint(240, 255),) * 3
        return Image.new("RGB", size, paper), (rng.randint(0, 40),) * 3
    paper = mix((215, 210, 190), surface.paper, rng.uniform(0.1, 0.5))
    ink = (rng.randint(0, 70), rng.randint(0, 40), rng.randint(0, 90))
    return pattern(rng, size, paper if luminance(paper) > 150 else (200, 195, 180), rng.uniform(34, 60)), ink


def _colours(rng: random.Random, style: Style, surface: Surface, count: int) -> list[str]:
    """Different frame colours; the first, which is asked about, stands out from the background."""
    first = rng.choice(style.visible(surface, VIVID))
    return [first, *rng.sample([name for name in VIVID if name != first], count - 1)]


def _regime(rng: random.Random, insides: Sequence[str]) -> tuple[str, str]:
    return rng.choice(tuple(_GROUNDS)), rng.choice(insides)


def _framed_texts(rng: random.Random, style: Style, ground: str, inside: str, texts: Sequence[str]) -> tuple[Image.Image, list[str]]:
    """A picture with one frame per text, and the frames' colours in the same order."""
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(_GROUNDS[ground]))
    canvas, colours = surface.canvas(1), _colours(rng, style, surface, len(texts))
    height, double = rng.uniform(9.0, 11.5), inside in {"pair", "marbled"}
    tall = rng.uniform(38, 46) if double else rng.uniform(24, 32)
    for text, colour, box in zip(texts, colours, _frames(rng, size, len(texts), rng.uniform(78, 104), tall), strict=True):
        lines = rng.sample([text, rng.choice(pick_words(rng, 9, longest=7)).title()], 2) if double else [text]
        paper, ink = _inside(rng, surface, inside in {"patterned", "marbled"}, box)
        canvas.paste(paper, (round(box[0]), round(box[1])))
        canvas.rectangle(box, outline=style.colour(rng, colour), width=3)
        font = style.fonts.choose(rng)
        for index, line in enumerate(lines):
            at = ((box[0] + box[2]) / 2, box[1] + 2 + (tall - 4) * (index + 0.5) / len(lines))
            canvas.text(at, line, font, fitting_size(line, font, height, box[2] - box[0] - 16), ink, anchor="mm")
    return finished(rng, canvas, surface), colours


def zoom_text(rng: random.Random, style: Style) -> Scene:
    """The tiny code in the frame of a colour."""
    ground, inside = _regime(rng, tuple(_INSIDES))
    texts = [make_code(rng) for _ in range(rng.randint(3, 6))]
    image, colours = _framed_texts(rng, style, ground, inside, texts)
    return Scene(phrase(rng, TEXT_QUESTIONS, colour=colours[0]), (texts[0],), image, f"{ground}-{inside}", _INSIDES[inside])


def zoom_number(rng: random.Random, style: Style) -> Scene:
    """The tiny number in the frame of a colour."""
    ground, inside = _regime(rng, tuple(_INSIDES))
    numbers = [str(rng.randint(100, 98999)) for _ in range(rng.randint(3, 6))]
    image, colours = _framed_texts(rng, style, ground, inside, numbers)
    question = phrase(rng, NUMBER_QUESTIONS, colour=colours[0])
    return Scene(question, (numbers[0],), image, f"{ground}-{inside}", _INSIDES[inside], profile="number", params={"absolute": 0.005})


def _fill_frame(rng: random.Random, canvas: Canvas, style: Style, box: Box, kind: str, count: int) -> int:
    discs = spread(rng, count, (box[0] + 6, box[1] + 6, box[2] - 6, box[3] - 6), (4.5, 6.5), 3)
    for x, y, radius in discs:
        canvas.shape(kind, (x, y), radius, fill=style.colour(rng, rng.choice(("black", *VIVID))))
    return len(discs)


def zoom_count(rng: random.Random, style: Style) -> Scene:
    """How many tiny shapes lie in the frame of a colour."""
    ground, inside = _regime(rng, ("neat", "patterned"))
    size, kind = picture_size(rng), rng.choice(SHAPES[:3])
    surface = style.surface(rng, size, rng.choice(_GROUNDS[ground]))
    canvas, colours = surface.canvas(), _colours(rng, style, surface, 4)
    counts: list[int] = []
    for colour, box in zip(colours, _frames(rng, size, 4, rng.uniform(92, 125), rng.uniform(70, 88)), strict=True):
        paper, _ = _inside(rng, surface, inside == "patterned", box)
        canvas.paste(paper, (round(box[0]), round(box[1])))
        canvas.rectangle(box, outline=style.colour(rng, colour), width=3)
        counts.append(_fill_frame(rng, canvas, style, box, kind, rng.randint(2, 13)))
    question = phrase(rng, COUNT_QUESTIONS, colour=colours[0], kinds=kind + "s")
    return Scene(question, (str(counts[0]),), finished(rng, canvas, surface), f"{ground}-{inside}", _INSIDES[inside])
