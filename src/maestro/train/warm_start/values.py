"""Random values in the shapes that skills give back: what exact copying is learned and measured on.

A value is never true: it is drawn afresh each time, so that the only way to write it is to copy it.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

from maestro.train.warm_start.programs import program, spoil
from maestro.types import Value

_ONSETS = (
    "b", "br", "c", "ch", "d", "f", "fl", "g", "gr", "h", "j", "k", "l", "m", "n", "p", "pl", "r", "s", "sh", "st",
    "t", "tr", "v", "w", "z",
)  # fmt: skip
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "oo", "ou")
_CODAS = ("", "b", "ck", "d", "g", "l", "m", "n", "nd", "p", "r", "rt", "s", "st", "t", "x")
_COLOURS = (
    "red", "green", "blue", "yellow", "orange", "purple", "black", "white", "grey", "brown", "pink", "cyan", "magenta",
    "teal", "navy",
)  # fmt: skip
_WORDS = (
    "left", "right", "above", "below", "up", "down", "yes", "no", "dark", "light", "circle", "square", "triangle",
    "north", "east", "both", "south", "west", "northeast", "northwest", "southeast", "southwest", "pentagon", "star",
    "hexagon", "ring",
)  # fmt: skip

_ENGLISH = (
    "apple", "bread", "butter", "candle", "carpet", "cedar", "cheese", "clock", "cloud", "coffee", "copper", "corner", "cotton",
    "desert", "doctor", "dragon", "eagle", "engine", "father", "feather", "field", "finger", "forest", "garden", "ginger", "glass",
    "granite", "hammer", "harbour", "honey", "island", "jacket", "jungle", "kettle", "kitchen", "ladder", "lemon", "letter",
    "lion", "machine", "maple", "market", "meadow", "metal", "mirror", "monkey", "morning", "mountain", "museum", "needle",
    "ocean", "office", "onion", "orchard", "oyster", "paint", "paper", "parrot", "pencil", "pepper", "piano", "pillow", "planet",
    "pocket", "potato", "puzzle", "rabbit", "ranger", "ribbon", "river", "rocket", "saddle", "salmon", "school", "shadow",
    "silver", "spider", "spring", "station", "stone", "storm", "street", "summer", "sunset", "table", "teacher", "temple",
    "thunder", "ticket", "tiger", "timber", "tunnel", "turtle", "valley", "velvet", "village", "violin", "walnut", "water",
    "whistle", "willow", "window", "winter", "wizard", "yellow", "zebra", "north", "grand", "total", "open", "closed", "exit",
)  # fmt: skip


def _word(rng: random.Random) -> str:
    """A word, two times in three a pronounceable one that no list holds, in one of the usual cases."""
    text = (
        rng.choice(_ENGLISH)
        if rng.random() < 0.33
        else "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    )
    return rng.choice((str.lower, str.capitalize, str.upper))(text)


def _integer(rng: random.Random) -> str:
    return str(rng.randrange(10 ** rng.choice((1, 1, 2, 2, 3, 4))))


def _decimal(rng: random.Random) -> str:
    return f"{rng.uniform(0, 10 ** rng.choice((1, 2, 3))):.{rng.choice((1, 2, 2, 4))}f}"


def _money(rng: random.Random) -> str:
    amount = f"{rng.uniform(0, 10 ** rng.choice((1, 2, 3))):.2f}"
    return rng.choice(("", "", "$")) + amount


def _phrase(rng: random.Random) -> str:
    return " ".join(_word(rng) for _ in range(rng.choice((2, 2, 3))))


def _label(rng: random.Random) -> str:
    """Letters and digits: ticket numbers, plates, codes on a sign, with a hyphen between them one time in three."""
    if rng.random() < 0.33:
        return f"{''.join(rng.choices(string.ascii_uppercase, k=rng.randint(1, 3)))}-{rng.randrange(10 ** rng.randint(2, 4))}"
    return "".join(rng.choice(string.ascii_uppercase + string.digits) for _ in range(rng.randint(2, 7)))


def _date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1990, 2039)
    return rng.choice((f"{day:02d}/{month:02d}/{year}", f"{year}-{month:02d}-{day:02d}", f"{day:02d}.{month:02d}.{year}"))


def _mess(rng: random.Random) -> str:
    """What is read where little can be read: words and fragments without sense."""
    parts = [rng.choice((_word, _label, _integer, _letter))(rng) for _ in range(rng.randint(2, 6))]
    return spoil(" ".join(parts), rng)


def _letter(rng: random.Random) -> str:
    return rng.choice(string.ascii_letters)


def _time(rng: random.Random) -> str:
    return f"{rng.randrange(24):02d}:{rng.randrange(60):02d}"


ANSWERS: dict[str, Callable[[random.Random], str]] = {
    "word": _word,
    "integer": _integer,
    "decimal": _decimal,
    "money": _money,
    "phrase": _phrase,
    "label": _label,
    "date": _date,
    "time": _time,
    "letter": _letter,
    "colour": lambda rng: rng.choice(_COLOURS),
    "common": lambda rng: rng.choice(_WORDS),
    "mess": _mess,
}
"""Shapes of answers, by name."""


def region(rng: random.Random) -> str:
    """`left,top,right,bottom` in pixels."""
    left, top = rng.randrange(0, 400), rng.randrange(0, 300)
    return f"{left},{top},{left + rng.randint(8, 220)},{top + rng.randint(8, 160)}"


def expression(rng: random.Random) -> str:
    """Arithmetic as skills give it: sums, differences, angles, right triangles, resistors, equations."""

    def number() -> str:
        return rng.choice((_integer, _integer, _decimal))(rng)

    match rng.randrange(7):
        case 0:
            return "+".join(number() for _ in range(rng.randint(2, 6)))
        case 1:
            return f"{number()}-{number()}"
        case 2:
            return f"180-{rng.randint(5, 150)}-{rng.randint(5, 90)}"
        case 3:
            return f"sqrt({_integer(rng)}**2{rng.choice('+-')}{_integer(rng)}**2)"
        case 4:
            return "1/(" + "+".join(f"1/{rng.randint(1, 200)}" for _ in range(rng.randint(2, 3))) + ")"
        case 5:
            unknown, factor, offset, right = rng.choice("xynab"), rng.randint(2, 12), rng.randint(1, 60), rng.randint(1, 199)
            left = rng.choice(
                (f"{factor}*{unknown}{rng.choice('+-')}{offset}", f"{unknown}{rng.choice('+-')}{offset}", f"{factor}*{unknown}")
            )
            return f"{left}={right}"
        case _:
            return f"{number()}{rng.choice('+-*/')}{number()}{rng.choice('+-*')}{number()}"


def code(rng: random.Random) -> str:
    """A short program, on several lines more often than on one."""
    text = program(rng, lambda draw: _word(draw).lower())
    return text if rng.random() < 0.8 or ":" in text else text.replace("\n", "; ")


def shape_of(text: str) -> str:
    """Name of the answer shape that `text` looks like; a reference tells what kind of value its family gives."""
    stripped = text.removeprefix("$")
    if stripped.isdigit():
        return "integer"
    if stripped.replace(".", "", 1).isdigit():
        return "money" if text.startswith("$") or len(stripped.partition(".")[2]) == 2 else "decimal"
    if text.lower() in _COLOURS:
        return "colour"
    if text.lower() in _WORDS:
        return "common"
    if len(text) == 1:
        return "letter"
    if any(character.isdigit() for character in text):
        return "date" if text.count("/") == 2 or text.count("-") == 2 else "time" if ":" in text else "label"
    return "phrase" if " " in text else "word"


def draw(gives: Value, like: str, rng: random.Random) -> str:
    """A random value of the kind `gives`; an answer is shaped like `like` four times in five, else like any other family's."""
    match gives:
        case "region":
            return region(rng)
        case "expression":
            return expression(rng)
        case "code":
            return code(rng)
        case _:
            shape = shape_of(like) if like and rng.random() < 0.8 else rng.choice(list(ANSWERS))
            return ANSWERS[shape](rng)
