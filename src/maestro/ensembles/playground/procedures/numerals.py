"""Numbers as people and OCR engines write them, and as a person writes them back."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.words import Word

_DIGIT_LIKE = str.maketrans(
    {"O": "0", "o": "0", "Q": "0", "D": "0", "l": "1", "I": "1", "|": "1", "i": "1", "S": "5", "s": "5", "B": "8", "Z": "2", "z": "2"}
)
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-+]?\.\d+")
_AFFIXES = "$€£%°:;,'\"()[]{}*=~_|"


def numeral(text: str) -> str | None:
    """The number in a word as plain digits ("$1,234.50" is "1234.50"), None when the word is no number.

    Letters that look like digits are taken for digits only in a word that is mostly digits.
    """
    # A tick or rule beside a number is often read as a sign after it.
    bare = text.strip().strip(_AFFIXES).rstrip("-+.").strip()
    if not bare:
        return None
    digits = sum(character.isdigit() for character in bare)
    if digits == 0:
        return None
    mended = bare.translate(_DIGIT_LIKE) if digits * 2 >= len(bare.replace(".", "").replace(",", "")) else bare
    if re.fullmatch(r"[-+]?\d+,\d{2}", mended):  # a decimal comma
        mended = mended.replace(",", ".")
    if not _NUMBER.fullmatch(mended):
        return None
    return mended.replace(",", "").removeprefix("+")


def number(text: str) -> float | None:
    """The number in a word, None when it is none."""
    digits = numeral(text)
    return None if digits is None else float(digits)


def numbers_in(text: str) -> list[float]:
    """All numbers inside a longer text, in order."""
    return [float(match.replace(",", "")) for match in _NUMBER.findall(text)]


def plain(value: float, decimals: int = 2) -> str:
    """A number as a person writes it: no trailing zeros, at most `decimals` places."""
    text = f"{value:.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) if float(text) != 0 else "0"


def numeric_words(words: tuple[Word, ...] | list[Word]) -> list[tuple[Word, float]]:
    """The words that are numbers, with their values."""
    return [(word, value) for word in words if (value := number(word.text)) is not None]


__all__ = ["number", "numbers_in", "numeral", "numeric_words", "plain"]
