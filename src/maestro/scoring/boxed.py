r"""Where the answer stands in a reply about mathematics: the last box, else the last formula, else the reply or its last number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from maestro.scoring.notation import in_latex
from maestro.scoring.plain_number import plain_values

MAX_CHARACTERS = 100_000
"""A longer reply is read from this far before its end."""
_BOX = re.compile(r"\\boxed(?![A-Za-z])")
_BOX_OR_FRAME = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])")
_UNBRACED = re.compile(r"[^\s$]{1,200}")
_SIGN = r"[-+\u2212\uff0d\uff0b]?"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d{1,400})(?:\.\d{1,400})?(?:[eE][-+]?\d{1,4})?"
_POWER = r"\s?(?:\\times|\*|x)\s{0,2}10\^(?:\{[-+\u2212]?\d{1,4}\}|[-+\u2212]?\d{1,4})"
_SCALE = r"\s(?:dozen|hundred|thousand|million|billion|trillion)s?(?![A-Za-z])"
_SYMBOL = r"(?:\\[dt]?frac\s?\{\d{1,60}\}\s?\{\d{1,60}\}|\\sqrt\s?\{\d{1,60}\}|\\pi(?![A-Za-z]))"
_BELOW = r"\s?/\s?(?:\d{1,60}|\\pi(?![A-Za-z]))"
_NUMBER = re.compile(
    rf"(?<![A-Za-z]){_SIGN}(?:{_DIGITS}(?:{_POWER}|{_SCALE})?(?:\s?{_SYMBOL}){{0,3}}|{_SYMBOL}(?:\s?{_SYMBOL}){{0,2}}|\.\d{{1,400}})(?:{_BELOW})?\s{{0,3}}\\?%?"
)
"""A number as it is written: also a fraction, a root, a multiple of pi, a power of ten."""
_POWER_OF_UNIT = re.compile(r"(?<=[A-Za-z])\^(?:\{[-+\u2212]?\d{1,2}\}|[-+\u2212]?\d{1,2})")
_FORMULA_LENGTH = 120
_COMMAND = r"\\(?!fbox|boxed|text|mbox)[A-Za-z]{1,12}"
_BARE_FORMULA = re.compile(rf"(?:{_COMMAND}|\\[{{}}]|(?<![A-Za-z])[A-Za-z](?![A-Za-z])|[\d\s+\-\u2212*/^=<>()\[\]{{}},.|!%°])+")
_OPERATION = re.compile(r"\d|[+/^=<>\\]")
_NAMED = re.compile(r"\s*[A-Za-z]\s*=")
_BEFORE = 60
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))


@dataclass(frozen=True)
class Found:
    """What was found and where."""

    text: str
    place: Literal["box", "formula", "reply", "number"]
    before: str = ""
    """The characters before it, at most as many as tell whether it is one of several."""


def tail(text: str) -> str:
    """The part of a reply that is read at all."""
    return text[-MAX_CHARACTERS:]


def last_box(text: str, *, fbox: bool = False) -> str | None:
    r"""The content of the last `\boxed{...}` with its nested braces, or the word behind a `\boxed` without any.

    `fbox` also takes `\fbox`. None when there is no box, and when the last one is never closed: what it was to hold is not guessed.
    """
    last = _last(_BOX_OR_FRAME if fbox else _BOX, text)
    if last is None:
        return None
    rest = text[last.end() :].lstrip(" ")
    if rest.startswith("{"):
        return _braced(rest)
    word = _UNBRACED.match(rest)
    return word[0].rstrip(".,;") or None if word else None


def has_box(text: str) -> bool:
    """Whether a box was begun."""
    return _BOX.search(text) is not None


def last_formula(text: str) -> str | None:
    r"""What stands between the last pair of `$...$`, `$$...$$`, `\(...\)` or `\[...\]`; None when there is none."""
    found = _last_formula(text)
    return found[1] if found else None


def last_number(text: str) -> str | None:
    """The last number as it is written, with its sign and percent sign; None when there is none."""
    last = _last(_NUMBER, _POWER_OF_UNIT.sub("", in_latex(text)))
    return last[0].strip() if last else None


def locate(text: str, *, fbox: bool = False) -> Found | None:
    """The answer in a reply. A box that was begun is the answer, or there is none."""
    text = tail(text)
    if box := _last(_BOX_OR_FRAME if fbox else _BOX, text):
        inside = last_box(text, fbox=fbox)
        return Found(inside, "box", _before(text, box.start())) if inside is not None else None
    if formula := _last_formula(text):
        return Found(formula[1], "formula", _before(text, formula[0]))
    text = in_latex(text)
    whole, text = _bare_formula(text), _POWER_OF_UNIT.sub("", text)
    number = _last(_NUMBER, text)
    if whole is not None and (number is None or number[0].strip() != whole):
        return Found(whole, "reply")
    return Found(number[0].strip(), "number", _before(text, number.start())) if number else None


def _bare_formula(text: str) -> str | None:
    """A short reply that is nothing but mathematics, such as "(2, 3)" or "x > 3"; of equations the number at their end."""
    whole = text.strip(" \t\r\n*`").rstrip(".")
    if len(whole) > _FORMULA_LENGTH or not _BARE_FORMULA.fullmatch(whole) or not _OPERATION.search(whole):
        return None
    behind = whole.rsplit("=", 1)[-1].strip()
    return whole if _NAMED.match(whole) and not plain_values(behind) else behind or None


def _before(text: str, place: int) -> str:
    return text[max(0, place - _BEFORE) : place]


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    last = None
    for last in pattern.finditer(text):  # noqa: B007 (the last match is what is wanted)
        pass
    return last


def _last_formula(text: str) -> tuple[int, str] | None:
    """Where the last formula's delimiters begin, and what they hold."""
    best: tuple[int, int, str] | None = None
    for opening, closing in _DELIMITERS:
        end = text.rfind(closing)
        if closing == "$" and text[end + 1 : end + 2].isdigit():  # money
            continue
        start = text.rfind(opening, 0, end) if end > 0 else -1
        if start >= 0 and (inside := text[start + len(opening) : end].strip(" $")) and (best is None or end > best[0]):
            best = end, start, inside
    return best[1:] if best else None


def _braced(text: str) -> str | None:
    """The inside of the braces that `text` begins with."""
    depth, position = 0, 0
    while position < len(text):
        match text[position]:
            case "\\":
                position += 1
            case "{":
                depth += 1
            case "}":
                depth -= 1
                if depth == 0:
                    return text[1:position].strip()
        position += 1
    return None
