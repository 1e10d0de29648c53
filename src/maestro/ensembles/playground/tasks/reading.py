"""Reading families: a code among words, a field of a form, the change on a receipt.

Regimes: `page` (clean block), `fine` (clean small print), `scattered` (labels far apart), `strip` (one textured line),
`sign` (few lines on a bold pattern), `dense` (many small lines on grain or a pattern).
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from PIL import Image

from maestro.ensembles.playground.tasks.drawing import Box, fitting_size, picture_size, text_size
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, Surface, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase, pick_words

LETTERS = "ACDEFHJKLMNPRTUVWXY"
DIGITS = "23456789"
"""Characters of codes: without those that many fonts draw alike (O and 0, I and 1, S and 5, B and 8, Z and 2)."""


def code(rng: random.Random) -> str:
    """A short code that no dictionary helps to read, such as `KX-4739`."""
    letters, digits = "".join(rng.choices(LETTERS, k=rng.randint(2, 3))), "".join(rng.choices(DIGITS, k=rng.randint(3, 4)))
    return rng.choice((f"{letters}-{digits}", f"{letters}{digits}"))


def page(
    rng: random.Random, style: Style, surface: Surface, lines: Sequence[str], sizes: tuple[float, float], font: str | None = None
) -> Image.Image:
    """Lines of text as a left-aligned block."""
    canvas = surface.canvas(1)
    font = font or style.fonts.choose(rng, "regular")
    longest = max(lines, key=len)
    size = fitting_size(longest, font, rng.uniform(*sizes), surface.ground.width - 36)
    step = min(size * rng.uniform(1.35, 1.7), (surface.ground.height - 24) / len(lines))
    left = rng.uniform(14, max(15.0, surface.ground.width - 18 - text_size(longest, font, size)[0]))
    top = rng.uniform(8, max(9.0, surface.ground.height - 10 - step * len(lines)))
    for index, line in enumerate(lines):
        canvas.text((left, top + step * (index + 0.5)), line, font, size, surface.ink)
    return finished(rng, canvas, surface)


def places(rng: random.Random, count: int, box: Box, columns: int) -> list[Box]:
    """`count` cells of a grid with `columns` columns over a box, in random order."""
    rows = math.ceil(count / columns)
    width, height = (box[2] - box[0]) / columns, (box[3] - box[1]) / rows
    cells = [
        (
            box[0] + width * (index % columns),
            box[1] + height * (index // columns),
            box[0] + width * (index % columns + 1),
            box[1] + height * (index // columns + 1),
        )
        for index in range(rows * columns)
    ]
    return rng.sample(cells, count)


def scattered(rng: random.Random, style: Style, surface: Surface, labels: Sequence[str], sizes: tuple[float, float]) -> Image.Image:
    """Labels far from each other, each with its own font, size and colour."""
    canvas = surface.canvas(1)
    width, height = surface.ground.size
    shown = style.visible(surface, ("black", "blue", "red", "green", "purple", "yellow", "orange"), 130)
    for label, cell in zip(labels, places(rng, len(labels), (10, 8, width - 10, height - 8), 2), strict=True):
        font = style.fonts.choose(rng)
        size = fitting_size(label, font, rng.uniform(*sizes), cell[2] - cell[0] - 14)
        wide, tall = text_size(label, font, size)
        x = rng.uniform(cell[0] + 6, max(cell[0] + 6.1, cell[2] - wide - 6))
        y = rng.uniform(cell[1] + tall / 2 + 4, max(cell[1] + tall / 2 + 4.1, cell[3] - tall / 2 - 4))
        ink = style.colour(rng, rng.choice(shown)) if rng.random() < 0.4 else surface.ink
        canvas.text((x, y), label, font, size, ink)
    return finished(rng, canvas, surface)


def strip(rng: random.Random, style: Style, text: str) -> Image.Image:
    """One line of text that fills a strip with a pattern or grain."""
    width, height = rng.choice((320, 352, 384, 416, 448)), rng.choice((56, 64, 72, 80))
    kind: SurfaceKind = rng.choice(("coarse", "textured", "noisy", "shaded"))
    font = style.fonts.choose(rng)
    size = fitting_size(text, font, height * rng.uniform(0.5, 0.68), width - 24)
    slack = max(0.2, math.degrees(math.atan((height - size * 1.1) / width)))
    surface = style.surface(rng, (width, height), kind, most_tilt=slack)
    canvas = surface.canvas(1)
    canvas.text((width / 2, height / 2), text, font, size, surface.ink, anchor="mm")
    return finished(rng, canvas, surface)


def sign(rng: random.Random, style: Style, lines: Sequence[str]) -> Image.Image:
    """A few large lines on a patterned, shaded or tilted board."""
    size = picture_size(rng)
    surface = style.surface(rng, size, rng.choice(("coarse", "coarse", "textured", "shaded")), most_tilt=8)
    canvas = surface.canvas(1)
    font = style.fonts.choose(rng, "bold")
    step = size[1] / (len(lines) + 1.2)
    for index, line in enumerate(lines):
        height = fitting_size(line, font, min(step * 0.62, rng.uniform(24, 42)), size[0] - 70)
        canvas.text((size[0] / 2, step * (index + 1.1)), line, font, height, surface.ink, anchor="mm")
    return finished(rng, canvas, surface)


def _with_code(rng: random.Random, count: int, text: str, per_line: int) -> list[str]:
    """`count` lines of words with `text` in place of one word."""
    lines = [pick_words(rng, per_line, longest=7) for _ in range(count)]
    lines[rng.randrange(count)][rng.randrange(per_line)] = text
    return [" ".join(line) for line in lines]


LINE_QUESTIONS = (
    "[What|Which] code is [printed|written|shown] [here|in the picture|in the image]?",
    "Read the code [made of letters and digits|with letters and digits] [in this picture|from the image].",
    "[Find|Spot] the code with letters and digits and [copy|write|spell] it out.",
    "What does the code in the [picture|image|photo] say?",
    "There is [one|a single] code among the text. What is it?",
    "[Give|Tell me|Type] the [letter-and-digit|alphanumeric] code that [you can see|is visible|appears].",
)


def text_line(rng: random.Random, style: Style) -> Scene:
    """Read the one code in the picture."""
    text = code(rng)
    regime = rng.choice(("page", "fine", "scattered", "strip", "sign", "dense"))
    look: tuple[Look, ...]
    if regime == "page":
        surface = style.surface(rng, picture_size(rng), "plain")
        image, look = page(rng, style, surface, _with_code(rng, rng.randint(3, 6), text, 3), (16, 21)), ("plain",)
    elif regime == "fine":
        surface = style.surface(rng, picture_size(rng), "plain")
        image, look = page(rng, style, surface, _with_code(rng, rng.randint(5, 9), text, 4), (9.6, 11.4)), ("plain", "tiny")
    elif regime == "scattered":
        surface = style.surface(rng, picture_size(rng), "plain")
        labels = [text, *pick_words(rng, rng.randint(4, 7))]
        image, look = scattered(rng, style, surface, labels, (10.5, 16)), ("scattered",)
    elif regime == "strip":
        image, look = strip(rng, style, text), ("single", "textured")
    elif regime == "sign":
        lines = _with_code(rng, 1, text, 1) + [word.title() for word in pick_words(rng, rng.randint(1, 2))]
        image, look = sign(rng, style, rng.sample(lines, len(lines))), ("textured",)
    else:
        surface = style.surface(rng, picture_size(rng), rng.choice(("noisy", "textured")), most_tilt=2)
        image, look = page(rng, style, surface, _with_code(rng, rng.randint(8, 11), text, 4), (10, 12)), ("dense", "noisy")
    return Scene(phrase(rng, LINE_QUESTIONS), (text,), image, regime, look)


FIELDS = ("Name", "City", "Order", "Total", "Date", "Table", "Seat", "Gate", "Phone", "Batch", "Weight", "Room", "Level", "Ticket")

FIELD_QUESTIONS = (
    "What is the [value|entry] of the field {field}?",
    "What is [written|given|entered] [next to|after|behind] {field}?",
    "Read the {field} [field|entry] [in the picture|on this form|from the image].",
    "Which value does the {field} [field|entry] have?",
    "[Give|Tell me|Copy] what it says for {field}.",
    "What does the [form|note|card|document] [say|state|list] under {field}?",
)


def _field_value(rng: random.Random, field: str) -> str:
    if field in {"Name", "City"}:
        return rng.choice(pick_words(rng, 20, longest=7)).title()
    if field == "Total":
        return f"{rng.randint(3, 98)}.{rng.randint(10, 99)}"
    if field == "Date":
        return f"{rng.randint(10, 28)}.{rng.randint(10, 12)}.{rng.randint(2012, 2039)}"
    if field in {"Order", "Phone"}:
        return str(rng.randint(20000, 99999))
    if field in {"Batch", "Ticket"}:
        return code(rng)
    return str(rng.randint(12, 989))


def text_field(rng: random.Random, style: Style) -> Scene:
    """Read the value beside a named field."""
    regime = rng.choice(("page", "fine", "scattered", "sign", "dense"))
    count = {
        "page": rng.randint(4, 6),
        "fine": rng.randint(5, 9),
        "scattered": rng.randint(4, 6),
        "sign": rng.randint(2, 3),
        "dense": rng.randint(8, 10),
    }[regime]
    fields = rng.sample(FIELDS, count)
    values = {field: _field_value(rng, field) for field in fields}
    asked = rng.choice(fields)
    lines = [f"{field}: {value}" for field, value in values.items()]
    look: tuple[Look, ...]
    if regime == "page":
        image, look = page(rng, style, style.surface(rng, picture_size(rng), "plain"), lines, (16, 22)), ("plain",)
    elif regime == "fine":
        image, look = page(rng, style, style.surface(rng, picture_size(rng), "plain"), lines, (9.6, 11.4)), ("plain", "tiny")
    elif regime == "scattered":
        image, look = scattered(rng, style, style.surface(rng, picture_size(rng), "plain"), lines, (10.5, 16)), ("scattered",)
    elif regime == "sign":
        image, look = sign(rng, style, lines), ("textured",)
    else:
        surface = style.surface(rng, picture_size(rng), rng.choice(("noisy", "textured")), most_tilt=2)
        image, look = page(rng, style, surface, lines, (10, 12.5)), ("dense", "noisy")
    return Scene(phrase(rng, FIELD_QUESTIONS, field=asked), (values[asked],), image, regime, look)


CHANGE_QUESTIONS = (
    "How much change [is given|does the customer get back|comes back] [on this receipt|according to the receipt]?",
    "[Total and paid amount are printed|The receipt shows what was paid]. How much [change|money] is [returned|due back]?",
    "What is the change, [paid minus total|the cash less the total]?",
    "[Work out|Calculate|Find] the change [for this purchase|on the receipt].",
    "The customer paid in cash. What change should [be handed over|they receive]?",
)
_GOODS = ("Bread", "Milk", "Tea", "Apples", "Rice", "Soap", "Jam", "Pasta", "Salt", "Eggs", "Juice", "Nuts")


def receipt_change(rng: random.Random, style: Style) -> Scene:
    """Cash paid less the total of a receipt, both printed."""
    regime = rng.choice(("page", "sign", "dense"))
    count = {"page": rng.randint(2, 3), "sign": 1, "dense": rng.randint(5, 7)}[regime]
    cents = [rng.randint(110, 995) for _ in range(count)]
    total = sum(cents)
    paid = rng.choice([note for note in (500, 1000, 2000, 3000, 4000, 5000, 6000, 8000, 10000) if note > total])
    goods = rng.sample(_GOODS, count)
    rows = [(name, price) for name, price in zip(goods, cents, strict=True)]
    lines = [f"{name} {price / 100:.2f}" for name, price in (*rows, ("Total", total), (rng.choice(("Cash", "Paid")), paid))]
    look: tuple[Look, ...]
    if regime == "page":
        surface = style.surface(rng, picture_size(rng), "plain")
        image, look = page(rng, style, surface, lines, (16, 21), style.fonts.choose(rng, "mono")), ("plain",)
    elif regime == "sign":
        image, look = sign(rng, style, lines), ("textured",)
    else:
        surface = style.surface(rng, picture_size(rng), rng.choice(("noisy", "textured")), most_tilt=2)
        image, look = page(rng, style, surface, lines, (11, 13), style.fonts.choose(rng, "mono")), ("dense", "noisy")
    return Scene(
        phrase(rng, CHANGE_QUESTIONS), (f"{(paid - total) / 100:.2f}",), image, regime, look, profile="number", params={"absolute": 0.005}
    )
