"""Random values in the shapes that skills give back: what exact copying is learned and measured on.

A value is never true: it is drawn afresh each time, so that the only way to write it is to copy it.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

from maestro.types import Value

_ONSETS = (
    "b",
    "br",
    "c",
    "ch",
    "d",
    "f",
    "fl",
    "g",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pl",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "oo", "ou")
_CODAS = ("", "b", "ck", "d", "g", "l", "m", "n", "nd", "p", "r", "rt", "s", "st", "t", "x")
_COLOURS = (
    "red",
    "green",
    "blue",
    "yellow",
    "orange",
    "purple",
    "black",
    "white",
    "grey",
    "brown",
    "pink",
    "cyan",
    "magenta",
    "teal",
    "navy",
)
_WORDS = (
    "left",
    "right",
    "above",
    "below",
    "up",
    "down",
    "yes",
    "no",
    "dark",
    "light",
    "circle",
    "square",
    "triangle",
    "north",
    "east",
    "both",
)


def _word(rng: random.Random) -> str:
    """A pronounceable word that no list holds, in one of the usual cases."""
    text = "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    return rng.choice((str.lower, str.capitalize, str.upper))(text)


def _integer(rng: random.Random) -> str:
    return str(rng.randrange(10 ** rng.choice((1, 1, 2, 2, 3, 4))))


def _decimal(rng: random.Random) -> str:
    return f"{rng.uniform(0, 10 ** rng.choice((1, 2, 3))):.{rng.choice((1, 2))}f}"


def _money(rng: random.Random) -> str:
    amount = f"{rng.uniform(0, 10 ** rng.choice((1, 2, 3))):.2f}"
    return rng.choice(("", "", "$")) + amount


def _phrase(rng: random.Random) -> str:
    return " ".join(_word(rng) for _ in range(rng.choice((2, 2, 3))))


def _label(rng: random.Random) -> str:
    """Letters and digits without any pattern: ticket numbers, plates, codes on a sign."""
    return "".join(rng.choice(string.ascii_uppercase + string.digits) for _ in range(rng.randint(2, 7)))


def _date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1990, 2039)
    return rng.choice((f"{day:02d}/{month:02d}/{year}", f"{year}-{month:02d}-{day:02d}", f"{day:02d}.{month:02d}.{year}"))


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
    """A short program of the kind a picture shows, on one line or on several."""
    first, second = rng.sample("abcdeghknmpqrstuvwxyz", 2)
    one, two, three = rng.randint(1, 99), rng.randint(2, 20), rng.randint(2, 9)
    operator = rng.choice("+-*")
    join = "\n" if rng.random() < 0.7 else "; "
    match rng.randrange(4):
        case 0:
            return join.join((f"{first} = {one}", f"{second} = {first} {operator} {two}", f"print({second})"))
        case 1:
            loop = f"for {second} in range({three}):\n    {first} = {first} {operator} {rng.choice((second, str(two)))}"
            return f"{first} = {one}\n{loop}\nprint({first})"
        case 2:
            items = ", ".join(str(rng.randint(1, 60)) for _ in range(rng.randint(2, 5)))
            return f"{first} = [{items}]\nprint({rng.choice(('sum', 'max', 'min', 'len'))}({first}))"
        case _:
            return join.join((f"{first} = {one}", f"{second} = {two}", f"print({first} {operator} {second})"))


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
