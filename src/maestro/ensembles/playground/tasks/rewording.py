"""Other people's ways of asking: questions of a family in wordings that its own templates do not have.

The warm start hears them beside the templates, so that a policy knows what a question is about however it is put.
"""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path

from maestro.document import read_document

_SLOT = re.compile(r"\{(\w+)\}")
_WORDS = (
    "Tea", "Milk", "Rice", "Alpha", "Beta", "Total", "Price", "Monday", "North", "May", "Blue Lake", "Maria", "kiwi", "stock", "Bus",
)  # fmt: skip
_COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "black", "white", "grey", "brown", "pink", "cyan")
_SHAPES = ("circle", "square", "triangle", "star", "diamond", "hexagon", "pentagon", "cross")


@cache
def wordings() -> dict[str, tuple[str, ...]]:
    """Sentences with slots, by family."""
    path = Path(__file__).with_name("wordings.yaml")
    loaded = read_document(path, path.name).value
    return {str(family): tuple(map(str, sentences)) for family, sentences in loaded.items()}


def reworded(family: str, answer: str, rng: random.Random) -> str | None:
    """A question of the family in somebody else's words; None when there are none. `answer` fills the slot of that name."""
    sentences = wordings().get(family)
    return fill(rng.choice(sentences), answer, rng) if sentences else None


def fill(sentence: str, answer: str, rng: random.Random) -> str:
    """The sentence with its slots filled; two slots of a kind differ."""
    words, colours, shapes = rng.sample(_WORDS, 2), rng.sample(_COLOURS, 2), rng.sample(_SHAPES, 2)
    numbers = rng.sample(range(2, 100), 2)
    values = {
        "answer": answer,
        "word": words[0],
        "word2": words[1],
        "colour": colours[0],
        "colour2": colours[1],
        "shape": shapes[0],
        "shape2": shapes[1],
        "number": str(numbers[0]),
        "number2": str(numbers[1]),
        "letter": rng.choice("ABCDEFGHKMNPRSTXYZ"),
        "expression": f"{numbers[0]} {rng.choice('+-*/')} {numbers[1]}",
    }
    return _SLOT.sub(lambda found: values[found.group(1)], sentence)
