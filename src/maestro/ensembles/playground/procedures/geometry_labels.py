"""Numbers written on a figure: side lengths and angles."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maestro.ensembles.playground.procedures.numerals import numeral
from maestro.ensembles.playground.procedures.words import Page, Word

_UNKNOWN = re.compile(r"[?xyabc¿7]|\?+", re.IGNORECASE)
_UNIT = re.compile(r"(?<=\d)\s*(?:mm|cm|dm|km|m|in|ft|units?)$", re.IGNORECASE)


def lengths(page: Page) -> list[tuple[Word, str]]:
    """Words that are side lengths with their digits; units and names ("a = 5 cm") are left out."""
    found = []
    for word in page.words:
        bare = _UNIT.sub("", word.text.split("=")[-1].strip())
        digits = numeral(bare)
        if digits is not None and float(digits) > 0:
            found.append((word, digits))
    return found


def angles(page: Page) -> list[tuple[Word, str]]:
    """Words that are angles in degrees, with the degree sign (or what it was misread as) taken off."""
    found = []
    for word in page.words:
        text = word.text.split("=")[-1].strip()
        marked = re.fullmatch(r"(\d{1,3}(?:\.\d)?)\s*[°oO*'\"`´^~]+\.?", text)
        digits = marked[1] if marked else numeral(text)
        if digits is None or not digits.replace(".", "").isdigit():
            continue
        if not marked and float(digits) >= 180 and digits[-1] in "0968":
            # The small circle was read as a digit.
            digits = digits[:-1]
        if 0 < float(digits) < 180:
            found.append((word, digits))
    return found


def without_degree_digit(first: str, second: str) -> tuple[str, str]:
    """Two angles of a triangle; where they leave no third one, a last 0 of the larger was its degree sign."""
    if float(first) + float(second) < 180:
        return first, second
    larger, smaller = sorted((first, second), key=float, reverse=True)
    mended = larger[:-1] if larger[-1] in "0968" and len(larger) == 3 else larger
    return (mended, smaller) if larger == first else (smaller, mended)


def unknown_mark(page: Page, taken: Sequence[Word]) -> Word | None:
    """The question mark or letter that marks what is asked for, if it was read."""
    return next((word for word in page.words if word not in taken and _UNKNOWN.fullmatch(word.text.strip(".,:;="))), None)


__all__ = ["angles", "lengths", "unknown_mark", "without_degree_digit"]
