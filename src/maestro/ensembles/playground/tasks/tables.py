"""Table families: one cell, and the sum of one column.

Regimes: `open` (columns without lines), `fine` (the same in small print), `ruled` (drawn lines), `striped` (coloured
rows), `rough` (grain, pattern or tilt).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image

from maestro.ensembles.playground.tasks.drawing import fitting_size, picture_size
from maestro.ensembles.playground.tasks.palette import mix
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase

_ROWS = ("Apples", "Pears", "Plums", "Beans", "Corn", "Figs", "Dates", "Limes", "Onions", "Peas", "Grapes", "Mint", "Kale", "Leeks")
_COLUMNS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Price", "Stock", "Sold", "Boxes", "Weight")
_LOOKS: dict[str, tuple[Look, ...]] = {
    "open": ("plain",),
    "fine": ("plain", "tiny"),
    "ruled": ("ruled",),
    "striped": ("ruled", "tinted"),
    "rough": ("noisy", "tilted"),
}

CELL_QUESTIONS = (
    "What is the [value|number|entry] in row {row}, column {column}?",
    "Which number [stands|is written|is given] for {row} under {column}?",
    "[Read|Look up|Find] the {column} [value|entry|number] of {row}.",
    "In the table, what does {row} have in the {column} column?",
    "How much is {column} for {row}?",
    "What number do row {row} and column {column} [meet at|share]?",
)
SUM_QUESTIONS = (
    "What is the sum of the {column} column?",
    "[Add up|Sum up|Total] all [numbers|values|entries] in [the column {column}|the {column} column].",
    "What do the [numbers|values|entries] under {column} add up to?",
    "[Work out|Calculate|Find] the total of column {column}.",
    "How much is the whole {column} column [together|in total|altogether]?",
)


def _draw(rng: random.Random, style: Style, regime: str, rows: Sequence[Sequence[str]]) -> Image.Image:
    """A table with a header row; `rows` holds the header and then one row each, all with a label first."""
    size = picture_size(rng)
    kinds: dict[str, tuple[SurfaceKind, ...]] = {
        "open": ("plain",),
        "fine": ("plain",),
        "ruled": ("plain", "tinted"),
        "striped": ("plain",),
        "rough": ("noisy", "coarse", "textured", "tilted"),
    }
    surface = style.surface(rng, size, rng.choice(kinds[regime]), most_tilt=4)
    canvas, font, bold = surface.canvas(1), style.fonts.choose(rng, "regular"), style.fonts.choose(rng, "bold")
    width, height = size[0] - rng.uniform(28, 60), min(size[1] - 36.0, len(rows) * rng.uniform(30, 42))
    left, top = (size[0] - width) / 2, (size[1] - height) / 2
    tall, wide = height / len(rows), width / (len(rows[0]) + 0.6)
    edges = [left, left + 1.6 * wide, *(left + wide * (index + 1.6) for index in range(1, len(rows[0])))]
    text = {"fine": 11.0, "rough": rng.uniform(11, 14)}.get(regime, min(20.0, tall * 0.58))
    text = min(fitting_size(cell, bold, text, wide * (1.6 if index == 0 else 1.0) - 10) for row in rows for index, cell in enumerate(row))
    band = mix(style.colour(rng, rng.choice(("blue", "green", "orange", "purple", "pink"))), surface.paper, rng.uniform(0.35, 0.6))
    for index, row in enumerate(rows):
        y = top + tall * index
        if regime == "striped" and index % 2 == 0:
            canvas.rectangle((left, y, left + width, y + tall), fill=band)
        for column, cell in enumerate(row):
            at = (edges[column] + 6, y + tall / 2) if column == 0 else (edges[column] + wide / 2, y + tall / 2)
            canvas.text(at, cell, bold if index == 0 else font, text, surface.ink, anchor="lm" if column == 0 else "mm")
    if regime == "ruled" or (regime == "rough" and rng.random() < 0.5):
        for edge in edges:
            canvas.line([(edge, top), (edge, top + height)], surface.ink, 1)
        for index in range(len(rows) + 1):
            canvas.line([(left, top + tall * index), (left + width, top + tall * index)], surface.ink, 1)
    return finished(rng, canvas, surface)


def _table(rng: random.Random, rows: int, columns: int, highest: int) -> tuple[list[str], list[str], list[list[int]]]:
    names, heads = rng.sample(_ROWS, rows), rng.sample(_COLUMNS, columns)
    return names, heads, [[rng.randint(2, highest) for _ in heads] for _ in names]


def _cells(names: Sequence[str], heads: Sequence[str], numbers: Sequence[Sequence[int]]) -> list[list[str]]:
    return [["Item", *heads], *([name, *map(str, row)] for name, row in zip(names, numbers, strict=True))]


def text_table(rng: random.Random, style: Style) -> Scene:
    """The number in a named row and column."""
    regime = rng.choice(tuple(_LOOKS))
    names, heads, numbers = _table(rng, rng.randint(3, 5), rng.randint(2, 3), 989)
    row, column = rng.randrange(len(names)), rng.randrange(len(heads))
    question = phrase(rng, CELL_QUESTIONS, row=names[row], column=heads[column])
    return Scene(question, (str(numbers[row][column]),), _draw(rng, style, regime, _cells(names, heads, numbers)), regime, _LOOKS[regime])


def table_sum(rng: random.Random, style: Style) -> Scene:
    """The sum of the numbers in a named column."""
    regime = rng.choice(tuple(_LOOKS))
    names, heads, numbers = _table(rng, rng.randint(3, 4), rng.randint(1, 2), 89)
    column = rng.randrange(len(heads))
    answer = str(sum(row[column] for row in numbers))
    image = _draw(rng, style, regime, _cells(names, heads, numbers))
    question = phrase(rng, SUM_QUESTIONS, column=heads[column])
    return Scene(question, (answer,), image, regime, _LOOKS[regime], profile="number", params={"absolute": 0.005})
