"""Scenes of the benchmark's kinds: each draws one picture and says what the two usual questions have as answers."""

import math
from dataclasses import dataclass

import numpy as np

from tests.ensembles.vlms_are_blind.plotted.style import Sheet, colours

_WORDS = (
    "apple", "book", "car", "door", "earth", "fruit", "game", "house", "ice", "joke", "kite", "lamp",
    "moon", "night", "pen", "queen", "rain", "ship", "tree", "voice", "water", "yarn", "zebra",
)  # fmt: skip
_LONG = (
    "Incomprehensible",
    "Photosynthesis",
    "Juxtaposition",
    "Magnetohydrodynamics",
    "Zygomorphic",
    "KaleidoScope",
    "QuiZzical",
    "bFtHqWeGmRd",
)
_FONTS = ("DejaVu Sans", "DejaVu Serif", "Liberation Sans", "Liberation Serif", "FreeSans")


@dataclass(frozen=True)
class Scene:
    image: object
    questions: dict[str, str]
    """Answer of each question."""
    answer_type: str
    category: str


def lines(rng, style):
    """Two lines of two pieces over the whole width, on a lattice of twelve or anywhere."""
    side = style.side
    if style.axis == "close":
        style = style.__class__(**{**style.__dict__, "line": 7.0})
    while True:
        steps = rng.integers(0, 13, (2, 3)) / 12 if rng.random() < 0.7 else rng.uniform(0, 1, (2, 3))
        gap = (steps[0] - steps[1]) * side
        if np.abs(gap).min() > max(1.5 * style.line, 2.5 * style.least):
            break
    margin = rng.uniform(0.0, 0.12) * side
    sheet, xs = Sheet(style), np.array([margin, side / 2, side - margin])
    for heights, colour in zip(steps, style.two, strict=True):
        sheet.line(xs, margin + heights * (side - 2 * margin), colour)
    count = int((np.sign(gap[1:]) != np.sign(gap[:-1])).sum())
    named = {"#008000": "green and orange", "#800080": "purple and teal", "#000000": "black and red", "#1f77b4": "blue and orange"}
    pair = named.get(style.two[0], "blue and red")
    asked = {
        f"How many times do the {pair} lines touch each other? Answer with a number in curly brackets, e.g., {{5}}.": str(count),
        f"Count the intersection points where the {pair} lines meet. Put your answer in curly brackets, e.g., {{2}}.": str(count),
    }
    return Scene(sheet.image(), asked, "integer", "Line Plot Intersections")


def contact(rng, style):
    """Two discs or two outlined circles: apart, tangent or overlapping."""
    from matplotlib.patches import Circle

    side, outlined = style.side, style.axis in {"thick", "close"} or rng.random() < 0.3
    line = style.line if outlined else 0.0
    if style.axis == "close":
        line = float(rng.integers(5, 12))
    radius = rng.uniform(0.06, 0.18) * side
    spread = style.least if style.axis == "close" else max(style.least, rng.uniform(0.04, 0.5) * radius)
    state = int(rng.integers(0, 3))
    gap = (0.0, line + spread, -spread)[state]
    away, angle = 2 * radius + gap, rng.uniform(0, math.pi)
    middle = rng.uniform(0.42, 0.58, 2) * side
    sheet = Sheet(style)
    pair = (("#0074ff", "#eb00ff"), style.two)[int(rng.integers(0, 2))]
    for sign, colour in zip((-1, 1), pair, strict=True):
        spot = middle + sign * away / 2 * np.array([math.cos(angle), math.sin(angle)])
        alike = style.ink if outlined and rng.random() < 0.5 else colour
        sheet.patch(Circle(spot, radius), alike, line, filled=not outlined, dashable=False)
    asked = {
        "Are the two circles touching each other? Answer with Yes/No.": "No" if gap > 0 else "Yes",
        "Are the two circles overlapping? Answer with Yes/No.": "Yes" if gap < 0 else "No",
    }
    return Scene(sheet.image(), asked, "yes_no", "Touching Circles")


def _linked(rng, style, draw):
    """Shapes in two interlocking rows as the benchmark lays them out; radius and places vary."""
    count, side = int(rng.integers(5, 10)), style.side
    columns = (count + 1) // 2
    radius = side / (2.1 * columns + 1.5) * rng.uniform(0.55, 0.95)
    line = min(style.line, radius / 4.5)
    step = radius * rng.uniform(2.02, 2.3) + line
    left = (side - (columns - 0.5) * step) / 2
    top = rng.uniform(0.3, 0.55) * side
    drop, varied = radius * rng.uniform(0.8, 1.1), rng.random() < 0.5
    sheet = Sheet(style)
    for index, colour in enumerate(colours(style, count, varied)):
        draw(sheet, (left + (index // 2) * step + (index % 2) * step / 2 + radius / 4, top + (index % 2) * drop), radius, colour, line)
    return sheet.image(), count


def _count_of(noun, count):
    return {
        f"How many {noun} are in the image? Answer with only the number in numerical format.": str(count),
        f"Count the {noun} in the image. Answer with a number in curly brackets e.g. {{3}}.": str(count),
    }


def rings(rng, style):
    """Five to nine linked circles."""
    from matplotlib.patches import Circle

    image, count = _linked(rng, style, lambda sheet, at, radius, colour, line: sheet.patch(Circle(at, radius), colour, line))
    return Scene(image, _count_of("circles", count), "integer", "Olympic Counting - Circles")


def pentagons(rng, style):
    """Five to nine linked pentagons, upright."""
    from matplotlib.patches import RegularPolygon

    def draw(sheet, at, radius, colour, line):
        sheet.patch(RegularPolygon(at, 5, radius=radius, orientation=math.pi), colour, line)

    image, count = _linked(rng, style, draw)
    return Scene(image, _count_of("pentagons", count), "integer", "Olympic Counting - Pentagons")


def squares(rng, style):
    """Two to five squares within one another; where they are `close`, an inner one touches its outer one at a side or corner."""
    from matplotlib.patches import Rectangle

    depth, side, sheet = int(rng.integers(2, 6)), style.side, Sheet(style)
    size = rng.uniform(0.35, 0.8) * side
    x, y = rng.uniform(style.line, side - size - style.line, 2)
    for _ in range(depth):
        sheet.patch(Rectangle((x, y), size, size, joinstyle="miter"), style.ink)
        inner = min(size * rng.uniform(0.6, 0.8), size - 2 * (style.line + style.least))
        slack = size - inner
        edge = 0.0 if style.axis == "close" and rng.random() < 0.5 else min(style.line + style.least, slack / 2)
        places = rng.uniform(edge, slack - edge, 2)
        if edge == 0.0:
            places[0] = 0.0
        x, y, size = x + places[0], y + places[1], inner
    asked = {
        "How many squares are in the image? Please answer with a number in curly brackets e.g., {10}.": str(depth),
        "Count total number of squares in the image. Answer with only the number in numerical format in curly brackets e.g. {3}.": str(
            depth
        ),
    }
    return Scene(sheet.image(), asked, "integer", "Nested Squares")


def _grid(rng, style, words):
    rows, columns = (int(v) for v in rng.integers(3, 10, 2))
    side, line = style.side, style.line
    ink = style.ink
    if style.axis == "close":
        line, ink = 1.0, str(rng.choice(["#cccccc", "#bbbbbb", "#dddddd"]))
    height = round(side * rng.uniform(0.7, 1.0))
    sheet = Sheet(style, side, height)
    margin = line / 2 + 1 + (rng.uniform(0, 0.1) * side if rng.random() < 0.5 else 0.0)
    xs, ys = np.linspace(margin, side - margin, columns + 1), np.linspace(margin, height - margin, rows + 1)
    for x in xs:
        sheet.line([x, x], [ys[0] - line / 2, ys[-1] + line / 2], ink, line)
    for y in ys:
        sheet.line([xs[0] - line / 2, xs[-1] + line / 2], [y, y], ink, line)
    cell = min(xs[1] - xs[0], 2.5 * (ys[1] - ys[0]))
    for y in (ys[1:] + ys[:-1]) / 2 if words else ():
        for x in (xs[1:] + xs[:-1]) / 2:
            sheet.text(x, y, str(rng.choice(_WORDS)), max(5.0, cell * 0.2))
    size = f"{rows},{columns}"
    asked = {
        "Count the number of rows and columns and answer with numbers in curly brackets. For example, rows={5} columns={6}": size,
        "How many rows and columns are in the table? Answer with only the numbers in a pair (row, column), e.g., (5,6)": size,
    }
    return Scene(sheet.image(), asked, "row_column", f"Counting Grid - {'Word' if words else 'Blank'} Grids")


def blank_grid(rng, style):
    """Rows and columns without words."""
    return _grid(rng, style, words=False)


def word_grid(rng, style):
    """Rows and columns with a word in every cell."""
    return _grid(rng, style, words=True)


def letter(rng, style):
    """A long word with an ellipse about one of its letters, placed by the outline of the text."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import Ellipse, PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    word, face = str(rng.choice(_LONG)), FontProperties(family=str(rng.choice(_FONTS)))
    index = int(rng.integers(0, len(word)))
    size = style.side * rng.uniform(0.75, 0.9)
    whole = TextPath((0, 0), word, size=100, prop=face)
    scale = size / whole.get_extents().width
    # Where the letter lies: between what the word before it advances and its own outline.
    start = (
        TextPath((0, 0), word[:index] + ".", size=100, prop=face).get_extents().x1
        - TextPath((0, 0), ".", size=100, prop=face).get_extents().x1
    )
    box = TextPath((0, 0), word[index], size=100, prop=face).get_extents()
    origin = np.array([(style.side - size) / 2, style.side * rng.uniform(0.35, 0.65)])
    sheet = Sheet(style)
    place = Affine2D().scale(scale, -scale).translate(*origin)
    sheet.patch(PathPatch(place.transform_path(whole), linewidth=0), style.ink, 0.01, filled=True)
    middle = origin + scale * np.array([start + (box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2])
    across, high = scale * (box.width + rng.uniform(14, 40)), scale * (box.height + rng.uniform(14, 40))
    red = style.two[1] if style.axis == "dark" else "#ff0000"
    sheet.patch(Ellipse(middle, max(across, 0.6 * high), high), red, max(2.0, min(style.line, 0.06 * high)), dashable=False)
    asked = {"Which letter is being circled?": word[index], "Which character is being highlighted with a red oval?": word[index]}
    return Scene(sheet.image(), asked, "letter", "Circled Letter")
