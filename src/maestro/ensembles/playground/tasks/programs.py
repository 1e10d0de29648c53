"""Families that end in a calculation: arithmetic in the question, a drawn equation, a drawn program.

Equation regimes: `page` (among clean lines), `fine` (small print), `strip` (one textured line), `board` (light on dark or on a pattern),
`dense` (among many small lines). Program regimes: `editor` (dark on white), `night` (light on dark), `rough` (grain,
pattern or tilt), `small`.
"""

from __future__ import annotations

import random

from PIL import Image

from maestro.ensembles.playground.tasks.drawing import fitting_size, picture_size, text_size
from maestro.ensembles.playground.tasks.reading import page, scattered, sign, strip
from maestro.ensembles.playground.tasks.scene import Look, Scene
from maestro.ensembles.playground.tasks.style import Style, SurfaceKind, finished
from maestro.ensembles.playground.tasks.wording import phrase, pick_words

_EXACT = {"absolute": 0.005}

ARITHMETIC_QUESTIONS = (
    "What is {expression}?",
    "[Calculate|Compute|Work out|Evaluate] {expression}.",
    "How much is {expression}?",
    "What [is the result of|do you get for|does one get for] {expression}?",
    "[The picture does not matter|Never mind the picture]: what is {expression}?",
    "[Give|Tell me|Find] the value of {expression}.",
)


def arithmetic(rng: random.Random, style: Style) -> Scene:
    """An expression in the question; the picture is beside the point."""
    a, b, c = rng.randint(12, 98), rng.randint(3, 29), rng.randint(4, 99)
    expression, value = rng.choice(
        (
            (f"{a} * {b}", a * b),
            (f"{a} * {b} + {c}", a * b + c),
            (f"({a} + {b}) * {c}", (a + b) * c),
            (f"{a + b * c} - {b} * {c}", a),
            (f"{a} + {b} + {c} * 3", a + b + c * 3),
            (f"{a * b} / {b} + {c}", a + c),
        )
    )
    surface = style.surface(rng, picture_size(rng), rng.choice(("plain", "tinted", "textured", "dark")))
    image = scattered(rng, style, surface, pick_words(rng, rng.randint(2, 5)), (16, 28))
    question = phrase(rng, ARITHMETIC_QUESTIONS, expression=expression)
    return Scene(question, (str(value),), image, "any", ("blank",), profile="number", params=_EXACT)


EQUATION_QUESTIONS = (
    "[Solve|Work out] the equation [in the picture|that is shown|on the image] for {letter}.",
    "What is {letter} in the [printed|written|shown] equation?",
    "[Find|Determine] {letter} [from the equation|so that the equation holds].",
    "Which value of {letter} [makes the equation true|satisfies the equation]?",
    "The image [shows|contains] an equation. What does {letter} equal?",
    "For which {letter} is the [written|displayed] equation [correct|true]?",
)


def _equation(rng: random.Random, letter: str) -> tuple[str, int]:
    """An equation with one unknown that has a whole solution, and that solution."""
    x, a, b = rng.randint(2, 39), rng.randint(2, 9), rng.randint(3, 79)
    return rng.choice(
        (
            (f"{a}{letter} + {b} = {a * x + b}", x),
            (f"{a}{letter} - {b} = {a * x - b}", x),
            (f"{letter} + {b} = {x + b}", x),
            (f"{a * x + b} - {a}{letter} = {b}", x),
            (f"{a + 2}{letter} = {x * a} + 2{letter}", x),
        )
    )


def equation(rng: random.Random, style: Style) -> Scene:
    """The unknown of a drawn equation."""
    letter = rng.choice("xyakn")
    text, value = _equation(rng, letter)
    regime = rng.choice(("page", "fine", "strip", "board", "dense"))
    look: tuple[Look, ...]
    if regime == "page":
        lines = [word.title() for word in pick_words(rng, rng.randint(1, 3))]
        lines.insert(rng.randrange(len(lines) + 1), text)
        image, look = page(rng, style, style.surface(rng, picture_size(rng), "plain"), lines, (20, 28)), ("plain",)
    elif regime == "fine":
        lines = [" ".join(pick_words(rng, 3, longest=7)) for _ in range(rng.randint(3, 6))]
        lines[rng.randrange(len(lines))] = text
        image, look = page(rng, style, style.surface(rng, picture_size(rng), "plain"), lines, (10.5, 12)), ("plain", "tiny")
    elif regime == "strip":
        image, look = strip(rng, style, text), ("single", "textured")
    elif regime == "board":
        image, look = sign(rng, style, [text]), ("textured",)
    else:
        lines = [" ".join(pick_words(rng, 3, longest=7)) for _ in range(rng.randint(6, 8))]
        lines[rng.randrange(len(lines))] = text
        surface = style.surface(rng, picture_size(rng), rng.choice(("noisy", "textured")), most_tilt=2)
        image, look = page(rng, style, surface, lines, (11.5, 13.5)), ("dense", "noisy")
    question = phrase(rng, EQUATION_QUESTIONS, letter=letter)
    return Scene(question, (str(value),), image, regime, look, profile="number", params=_EXACT)


PROGRAM_QUESTIONS = (
    "What does [this|the] [program|code|script] print?",
    "What is the output of the [code|program] [shown|in the picture|on the screen]?",
    "[Run|Execute] the Python [code|lines|snippet] [in the image|shown here]. What [is printed|comes out]?",
    "Which [result|value] [appears|is printed] when the [script|code] [is run|runs]?",
    "[Give|Tell me] the [printed result|output] of the [Python code|drawn program].",
    "If you [ran|executed] this [snippet|program], what would it [print|show]?",
)


def draw_program(rng: random.Random) -> tuple[list[str], str]:
    """Two to four short lines of Python and what they print."""
    name, other = rng.sample("abhkmntvwy", 2)
    x, y, z = rng.randint(3, 49), rng.randint(2, 9), rng.randint(3, 29)
    word = rng.choice(pick_words(rng, 30, longest=7))
    start = rng.randint(0, 2)
    series = rng.sample(range(2, 60), 3)
    return rng.choice(
        (
            ([f"{name} = {x}", f"{other} = {name} * {y}", f"print({other} - {z})"], str(x * y - z)),
            ([f"{name} = {z}", f"for {other} in range({y}):", f"    {name} += {other}", f"print({name})"], str(z + y * (y - 1) // 2)),
            ([f"{name} = '{word}'", f"print({name}[{start}:{start + 3}])"], word[start : start + 3]),
            ([f"{name} = {series}", f"print(sum({name}) * {y})"], str(sum(series) * y)),
            ([f"{name} = '{word}'", f"print(len({name}) * {z})"], str(len(word) * z)),
            ([f"{name}, {other} = {x}, {z}", f"print({name} * {other} + {y})"], str(x * z + y)),
            ([f"{name} = {series}", f"{other} = max({name})", f"print({other} - {z})"], str(max(series) - z)),
            ([f"{name} = '{word[:4]}'", f"{other} = '{word[-2:]}'", f"print({other} + {name})"], word[-2:] + word[:4]),
        )
    )


def _listing(rng: random.Random, style: Style, lines: list[str], kind: SurfaceKind, sizes: tuple[float, float]) -> Image.Image:
    size = picture_size(rng)
    surface = style.surface(rng, size, kind, most_tilt=5)
    canvas, font = surface.canvas(1), style.fonts.choose(rng, "mono")
    longest = max(lines, key=len)
    height = fitting_size(longest, font, rng.uniform(*sizes), size[0] - 50)
    step = min(height * rng.uniform(1.4, 1.8), (size[1] - 40) / len(lines))
    left = rng.uniform(20, max(21.0, size[0] - 25 - text_size(longest, font, height)[0]))
    top = rng.uniform(18, max(19.0, size[1] - 20 - step * len(lines)))
    for index, line in enumerate(lines):
        canvas.text((left, top + step * (index + 0.5)), line, font, height, surface.ink)
    return finished(rng, canvas, surface)


def program(rng: random.Random, style: Style) -> Scene:
    """What a drawn program prints."""
    lines, output = draw_program(rng)
    regime = rng.choice(("editor", "night", "rough", "small"))
    kinds: dict[str, tuple[SurfaceKind, ...]] = {
        "editor": ("plain",),
        "night": ("dark",),
        "rough": ("coarse", "textured", "noisy", "tilted"),
        "small": ("plain", "tinted"),
    }
    looks: dict[str, tuple[Look, ...]] = {"editor": ("plain",), "night": ("dark",), "rough": ("noisy", "textured"), "small": ("tiny",)}
    sizes = (13.0, 15.0) if regime == "small" else (20.0, 28.0)
    image = _listing(rng, style, lines, rng.choice(kinds[regime]), sizes)
    return Scene(phrase(rng, PROGRAM_QUESTIONS), (output,), image, regime, looks[regime])
