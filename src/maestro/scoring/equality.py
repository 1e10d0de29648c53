"""Equality of texts, by the normalisation of whoever's rule it is."""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from maestro.errors import TaskError
from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.choice import choice
from maestro.scoring.choice_official import quoted_answer
from maestro.scoring.score import Score, judged

_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
ANSWER_TYPES = ("text", "integer", "float", "list")


def raw(prediction: str, references: tuple[str, ...]) -> Score:
    """Equal as they are (lmms-eval's CountBenchQA)."""
    return _equal("raw", prediction, references, lambda text: text)


def plain(prediction: str, references: tuple[str, ...]) -> Score:
    """Equal in lower case, without surrounding white space and full stops at the end (RealWorldQA's open questions)."""
    return _equal("plain", prediction, references, lambda text: text.lower().strip().rstrip("."))


def without_punctuation(prediction: str, references: tuple[str, ...]) -> Score:
    """Equal but for case and punctuation (GQA as the harnesses run it)."""
    return _equal("without_punctuation", prediction, references, lambda text: text.lower().translate(_NO_PUNCTUATION).strip())


def braces(prediction: str, references: tuple[str, ...]) -> Score:
    """The content of the first `{…}` on one line equals a reference."""
    content = first_braces(prediction[-MAX_CHARACTERS:])
    return judged(
        "braces", content, bool(content) and content in references, "no braces" if content is None else "content of the first braces"
    )


def realworldqa(prediction: str, references: tuple[str, ...], *, options: tuple[str, ...] = ()) -> Score:
    """RealWorldQA: a letter as multiple choice, any other gold by `plain`."""
    if any(len(reference.strip()) == 1 and reference.strip().isalpha() for reference in references) or options:
        return choice(prediction, references, options=options)
    return plain(prediction, references)


def mathvista_free(prediction: str, references: tuple[str, ...], *, answer_type: str = "text", precision: float | None = None) -> Score:
    """MathVista's free answers as strings: an integer truncated, a float rounded to `precision` places, text and lists as they are.

    Without `precision` that of the gold is taken.
    """
    if answer_type not in ANSWER_TYPES:
        raise TaskError(f"answer_type is one of {', '.join(ANSWER_TYPES)}, not {answer_type!r}")
    text = prediction[-MAX_CHARACTERS:].strip()
    read = _NUMBERS.get(answer_type)
    if read is None:
        text = quoted_answer(text).strip()
        return judged(f"mathvista_free {answer_type}", text or None, bool(text) and text in references, "equality of strings")
    for reference in references:
        places = _places(precision, reference)
        given = read(text, places) or read(quoted_answer(text), places)
        if given is None:
            return judged(f"mathvista_free {answer_type}", None, 0, f"the reply is no {answer_type}")
        if given == reference.strip():
            return judged(f"mathvista_free {answer_type}", given, 1, "equality of strings")
    return judged(f"mathvista_free {answer_type}", given if references else None, 0, "equality of strings")


def first_braces(text: str) -> str | None:
    """The content of the first pair of braces that opens and closes on one line; None when there is none. Linear."""
    for line in text.split("\n"):
        start = line.find("{")
        end = line.find("}", start) if start >= 0 else -1
        if end >= 0:
            return line[start + 1 : end]
    return None


def without_brackets(text: str, opening: str, closing: str) -> str:
    """Text with everything between an opening and the next closing bracket as one space. Linear."""
    kept: list[str] = []
    position = 0
    while (start := text.find(opening, position)) >= 0 and (end := text.find(closing, start)) >= 0:
        kept += [text[position:start], " "]
        position = end + 1
    return "".join([*kept, text[position:]])


def _equal(rule: str, prediction: str, references: tuple[str, ...], normal: Callable[[str], str]) -> Score:
    given = normal(prediction[-MAX_CHARACTERS:])
    hit = bool(given) and any(given == normal(reference) for reference in references)
    return judged(rule, given or None, hit, "equal" if hit else "no reference is equal")


def _integer(text: str, places: int) -> str | None:
    del places
    try:
        return str(int(float(text)))
    except (ValueError, OverflowError):
        return None


def _float(text: str, places: int) -> str | None:
    try:
        return str(round(float(text), places))
    except (ValueError, OverflowError):
        return None


_NUMBERS: dict[str, Callable[[str, int], str | None]] = {"integer": _integer, "float": _float}


def _places(precision: float | None, gold: str) -> int:
    if precision is None:
        match = re.search(r"\.(\d{1,15})\s*$", gold)
        return len(match[1]) if match else 0
    try:
        places = int(float(precision))
    except (ValueError, TypeError, OverflowError) as error:
        raise TaskError(f"precision is a number of decimal places, not {precision!r}") from error
    return max(-400, min(400, places))
