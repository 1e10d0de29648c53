"""Read what was paid and what was due on a receipt, as a difference to be solved."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maestro.ensembles.playground.procedures.numerals import numeral, numeric_words
from maestro.ensembles.playground.procedures.words import Line, Page, Word, least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_DUE = (
    re.compile(r"\b(?:grand|final)\b.*\btotal\b|\btotal\b|\bamount due\b|\bto pay\b|\bsum\b|\bdue\b", re.IGNORECASE),
    re.compile(r"\bsub\b|subtotal", re.IGNORECASE),
)
_PAID = re.compile(r"\b(?:cash|paid|tendered|tender|given|received|payment|card|note|handed)\b", re.IGNORECASE)
_GIVEN = re.compile(
    r"\b(?:paid|pays|paying|pay|given|gives|gave|hands?|handed|with|note|bill)\b[^.\d]*?[$€£]?\s?(\d+(?:[.,]\d{2})?)", re.IGNORECASE
)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An expression such as `20.00-12.40` (paid minus due); None when one of the two was not found."""
    page = await read_page(request, caller)
    due = _due(page)
    paid = _labelled(page, _PAID)
    stated = _GIVEN.search(request.text)
    if due is None:
        return SkillResult(None, 0.1 if page.words else 0.0, "no total seen", "expression")
    words, fit = [due], 1.0
    if paid is not None:
        amount = numeral(paid.text)
        words.append(paid)
    elif stated is not None:
        amount = numeral(stated[1])
    else:
        return SkillResult(None, 0.2, f"total {due.text}, no payment seen"[:40], "expression")
    total = numeral(due.text)
    assert amount is not None
    assert total is not None
    if float(amount) < float(total):
        fit = 0.3  # nobody gets change on less than the total: one of the two is misread
    places = {len(text.partition(".")[2]) for text in ([amount, total] if paid is not None else [total])}
    usual = [len((numeral(word.text) or "").partition(".")[2]) for word, _ in numeric_words(page.words)]
    if places != {max(usual, key=usual.count)}:
        fit *= 0.4  # prices are written alike; one without its cents is misread
    return SkillResult(f"{amount}-{total}", round(least_confidence(words) * fit, 2), f"paid {amount}, total {total}"[:40], "expression")


def _due(page: Page) -> Word | None:
    """The amount on the line that names the total; without such a line the sum of the items cannot be told, so None."""
    asked, not_asked = _DUE
    lines = [
        line for line in page.lines if asked.search(_spelled(line)) and not not_asked.search(_spelled(line)) and not _PAID.search(line.text)
    ]
    return _amount(lines)


def _labelled(page: Page, label: re.Pattern[str]) -> Word | None:
    return _amount([line for line in page.lines if label.search(_spelled(line))])


def _spelled(line: Line) -> str:
    """The line's text with digits that stand for letters in its words put back ("T0tal", "Tota1")."""
    mended = []
    for word in line.words:
        letters = sum(character.isalpha() for character in word.text)
        mended.append(word.text.replace("0", "o").replace("1", "l").replace("5", "s") if letters > len(word.text) / 2 else word.text)
    return " ".join(mended)


def _amount(lines: Sequence[Line]) -> Word | None:
    """The last number of the last of these lines that has one."""
    for line in reversed(lines):
        if numbers := numeric_words(line.words):
            return numbers[-1][0]
    return None


__all__ = ["run"]
