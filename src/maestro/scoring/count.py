"""Whole numbers of things: digits or English words up to twenty, never a part of a decimal or negative number."""

from __future__ import annotations

import re

from maestro.scoring.boxed import MAX_CHARACTERS
from maestro.scoring.number import NUMBER_WORDS
from maestro.scoring.score import Score, judged

_LARGEST = 20
_DIGITS = r"(?<![\w.])(?!(?<=\d,)\d{3}(?!\d))(?<!^[−-])(?<![^\d][−-])\d{1,9}(?!\w)(?!\.\d)(?!,\d{3}(?!\d))"
_WORDS = rf"\b(?:{'|'.join(NUMBER_WORDS)})\b(?!-(?:one|two|three|four|five|six|seven|eight|nine)\b)"
_COUNT = re.compile(f"{_DIGITS}|{_WORDS}", re.IGNORECASE)
_AROUND = " \t\r\n.{}()[]*$\"'`!"
_TOTAL = re.compile(r"a total of ([0-9]{1,9})(?![0-9])")


def first_count(prediction: str, references: tuple[str, ...]) -> Score:
    """The first digit count or number word from 0 to 20 (TallyQA in VLMEvalKit, without parts of decimals and negative numbers)."""
    for match in _COUNT.finditer(prediction[-MAX_CHARACTERS:]):
        if (value := _value(match[0])) <= _LARGEST:
            return _compared("first_count", value, references)
    return judged("first_count", None, 0, "no count from 0 to 20")


def last_count(prediction: str, references: tuple[str, ...]) -> Score:
    """The last count in the reply."""
    found = _COUNT.findall(prediction[-MAX_CHARACTERS:])
    return _compared("last_count", _value(found[-1]), references) if found else judged("last_count", None, 0, "no count")


def whole_count(prediction: str, references: tuple[str, ...]) -> Score:
    """The whole reply is one count, in braces, brackets or bold type if it likes: the strict rule for rewards."""
    text = prediction[-MAX_CHARACTERS:].strip(_AROUND)
    if not (match := _COUNT.fullmatch(text)):
        return judged("whole_count", None, 0, "the reply is no count alone")
    return _compared("whole_count", _value(match[0]), references)


def word_or_digits(prediction: str, references: tuple[str, ...]) -> Score:
    """CountBench in lmms-eval: lower case, a number word as its digits, then equality of strings."""
    given = _as_digits(prediction[-MAX_CHARACTERS:])
    hit = bool(given) and any(given == _as_digits(reference) for reference in references)
    return judged("word_or_digits", given or None, hit, "equal" if hit else "no reference is equal")


def molmo_count(prediction: str, references: tuple[str, ...]) -> Score:
    """PixMo-Count in Molmo: the last token as a number or word, without the full stop at the end; else N of "a total of N"."""
    text = prediction[-MAX_CHARACTERS:].lower().rstrip(".").strip()
    words = text.rsplit(None, 1)
    if not words:
        return judged("molmo_count", None, 0, "no answer")
    value = _integer(words[-1].strip(". "))
    if value is None:
        value = NUMBER_WORDS.get(words[-1])
    if value is None and (totals := _TOTAL.findall(text)):
        value = int(totals[-1])
    return _compared("molmo_count", value, references) if value is not None else judged("molmo_count", None, 0, "no count")


def _value(text: str) -> int:
    return NUMBER_WORDS[text.lower()] if text.lower() in NUMBER_WORDS else int(text)


def _as_digits(text: str) -> str:
    text = text.strip().lower()
    return str(NUMBER_WORDS.get(text, text))


def _integer(text: str) -> int | None:
    if len(text) > 20:
        return None
    try:
        return int(text)
    except ValueError:
        return None


def _gold(reference: str) -> int | None:
    text = reference.strip().lower()
    if text in NUMBER_WORDS:
        return NUMBER_WORDS[text]
    try:
        value = float(text)
        return int(value) if value == int(value) else None
    except (ValueError, OverflowError):
        return None


def _compared(rule: str, value: int, references: tuple[str, ...]) -> Score:
    hit = any(value == _gold(reference) for reference in references)
    return judged(rule, str(value), hit, "equal" if hit else "another number")
