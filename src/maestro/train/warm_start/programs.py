"""Random short programs of the kind a picture shows, clean or as poor reading leaves them."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

_NAMES = "abcdefghijkmnpqrstuvwxyz"
_LIST_CALLS = ("sum", "max", "min", "len", "sorted")


def program(rng: random.Random, word: Callable[[random.Random], str]) -> str:
    """A program of one to five lines; `word` gives its strings. One in six is spoilt the way reading spoils."""
    text = rng.choice(_KINDS)(rng, word)
    return spoil(text, rng) if rng.random() < 0.17 else text


def spoil(text: str, rng: random.Random) -> str:
    """`text` with a few characters changed, dropped or put in."""
    letters = list(text)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(letters)) if letters else 0
        match rng.randrange(3):
            case 0 if letters:
                letters[place] = rng.choice(string.ascii_letters + string.digits + "@_|.")
            case 1 if len(letters) > 1:
                del letters[place]
            case _:
                letters.insert(place, rng.choice(string.ascii_letters + string.digits + " _|.;"))
    return "".join(letters).strip() or "0"


def _tail(rng: random.Random) -> str:
    """Nothing, or one more operation."""
    return f" {rng.choice('+-*')} {rng.randint(2, 30)}" if rng.random() < 0.5 else ""


def _numbers(rng: random.Random) -> str:
    return "[" + ", ".join(str(rng.randint(0, 99)) for _ in range(rng.randint(2, 6))) + "]"


def _sum(rng: random.Random, word: Callable[[random.Random], str]) -> str:  # noqa: ARG001
    """Two assignments and what is made of them."""
    a, b = rng.sample(_NAMES, 2)
    one, two = rng.randint(1, 99), rng.randint(1, 99)
    head = f"{a}, {b} = {one}, {two}" if rng.random() < 0.5 else f"{a} = {one}\n{b} = {two}"
    return f"{head}\nprint({a} {rng.choice('+-*')} {b}{_tail(rng)})"


def _chain(rng: random.Random, word: Callable[[random.Random], str]) -> str:  # noqa: ARG001
    """A name changed step by step."""
    a, b = rng.sample(_NAMES, 2)
    one, two, three = rng.randint(1, 99), rng.randint(2, 20), rng.randint(1, 99)
    step = rng.choice((f"{b} = {a} {rng.choice('+-*')} {two}", f"{b} = {a} {rng.choice('+-*')} {two} {rng.choice('+-')} {three}"))
    return f"{a} = {one}\n{step}\nprint({b}{_tail(rng)})"


def _loop(rng: random.Random, word: Callable[[random.Random], str]) -> str:  # noqa: ARG001
    """A counted loop, or one over a list."""
    a, b = rng.sample(_NAMES, 2)
    first = f"{rng.randint(0, 5)}, " if rng.random() < 0.4 else ""
    over = f"range({first}{rng.randint(2, 12)})" if rng.random() < 0.7 else _numbers(rng)
    step = rng.choice(
        (
            f"{a} += {b}",
            f"{a}+={b}",
            f"{a} = {a} + {b}",
            f"{a} = {a} {rng.choice('+*-')} {rng.randint(2, 9)}",
            f"{a} -= {rng.randint(1, 9)}",
        )
    )
    return f"{a} = {rng.randint(0, 60)}\nfor {b} in {over}:\n    {step}\nprint({a})"


def _list(rng: random.Random, word: Callable[[random.Random], str]) -> str:  # noqa: ARG001
    """Something made of a list."""
    a = rng.choice(_NAMES)
    made = rng.choice(
        (f"{rng.choice(_LIST_CALLS)}({a})", f"{a}[{rng.randint(0, 4)}]", f"{a}[{rng.randint(0, 2)}] + {a}[{rng.randint(0, 3)}]")
    )
    return f"{a} = {_numbers(rng)}\nprint({made}{_tail(rng)})"


def _text(rng: random.Random, word: Callable[[random.Random], str]) -> str:
    """Something made of a string."""
    a, quote = rng.choice(_NAMES), rng.choice("''\"")
    low = rng.randint(0, 2)
    made = rng.choice(
        (f"{a}[{low}:{low + rng.randint(1, 4)}]", f"{a}[0:{rng.randint(2, 4)}]", f"len({a})", f"{a}[{low}]", f"{a}.upper()", f"{a}[::-1]")
    )
    tail = rng.choice(("", "", f" * {rng.randint(2, 20)}"))
    return f"{a} = {quote}{word(rng)}{quote}\nprint({made}{tail})"


def _branch(rng: random.Random, word: Callable[[random.Random], str]) -> str:  # noqa: ARG001
    """A condition, or a loop with one."""
    a = rng.choice(_NAMES)
    one, two = rng.randint(1, 99), rng.randint(1, 99)
    if rng.random() < 0.5:
        return f"{a} = {one}\nwhile {a} {rng.choice('<>')} {two}:\n    {a} = {a} {rng.choice('+-*')} {rng.randint(1, 9)}\nprint({a})"
    return f"{a} = {one}\nif {a} {rng.choice('<>')} {two}:\n    print({a} + {two})\nelse:\n    print({a} - {rng.randint(1, 30)})"


_KINDS = (_sum, _chain, _loop, _loop, _list, _text, _text, _branch)
