"""Read the value of one field of a receipt, form, card or ticket."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maestro.ensembles.playground.procedures.labelled_values import Field, fields, find_field
from maestro.ensembles.playground.procedures.numerals import numeral
from maestro.ensembles.playground.procedures.words import Page, Word, least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_KINDS = (
    (re.compile(r"\b(?:date|day|when)\b", re.IGNORECASE), re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")),
    (re.compile(r"\b(?:time|hour)\b|\bat what\b", re.IGNORECASE), re.compile(r"\d{1,2}:\d{2}")),
    (re.compile(r"\be-?mail\b", re.IGNORECASE), re.compile(r"\S+@\S+")),
    (re.compile(r"\b(?:phone|tel|telephone)\b", re.IGNORECASE), re.compile(r"\+?\d[\d -]{5,}\d")),
)
"""Kinds of value that show what they are without a label."""
_HEADING_ASKED = re.compile(
    r"\b(?:store|shop|company|business|merchant|restaurant|caf[eé]|vendor|seller|title|heading|header)\b(?!.*\b(?:number|no|phone|date)\b)",
    re.IGNORECASE,
)
_MONEY_ASKED = re.compile(r"\b(?:how much|cost|costs|price|total|amount|sum|paid|pay|due|charge[sd]?)\b", re.IGNORECASE)
_MONEY = re.compile(r"[$€£]?\d+[.,]\d{2}")


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The value of the field that the question names; None when no field fits."""
    page = await read_page(request, caller)
    page = page.where(word for word in page.words if not word.stray or word.text in {":", "-"})
    known = fields(page)
    match = find_field(request.text, known)
    heading = _HEADING_ASKED.search(request.text)
    if heading is not None and page.lines and (match is None or heading[0].lower() not in match[0].label.lower()):
        first, *others = page.lines[:2]
        top = next((line for line in others if line.height > 1.4 * first.height), first)
        return _result(top.words, top.text, 0.8, "heading")
    if match is not None and match[1] >= 0.6:
        return _answer(request.text, match[0], match[1])
    for asked, shape in _KINDS:
        if asked.search(request.text) and (words := _first_of_shape(page, shape)):
            return _result(words, " ".join(word.text for word in words), 0.8, "by its form, no label")
    if match is not None:
        return _answer(request.text, match[0], match[1])
    return SkillResult(None, 0.1 if page.words else 0.0, "no such field" if page.words else "no text seen")


def _answer(question: str, field: Field, fit: float) -> SkillResult:
    """The field's value; only its amount when money is asked and more than an amount stands there."""
    text, words = field.text, field.value
    for asked, shape in _KINDS:
        # "Date 03/05/2025 14:32": the asked kind of value alone.
        alike = [word for word in words if shape.fullmatch(word.text.strip(".,;"))]
        if len(words) > 1 and len(alike) == 1 and asked.search(question) and not shape.fullmatch(text):
            words, text = (alike[0],), alike[0].text
    if _MONEY_ASKED.search(question):
        amounts = [word for word in words if _MONEY.fullmatch(word.text.strip(".:;'"))]
        if amounts and len(words) > 1:
            words, text = (amounts[-1],), amounts[-1].text
    if len(words) == 1 and (digits := numeral(text)) is not None and "," not in text and not re.search(r"[%°/:-]", text):
        # "$1O.50" becomes "$10.50": the sign stays, look-alike letters go.
        text = text[0] + digits if text[0] in "$€£" else digits if text.strip(".,;'").isascii() else text
    return _result(words, text, fit, f"beside {field.label}"[:40])


def _first_of_shape(page: Page, shape: re.Pattern[str]) -> tuple[Word, ...]:
    for line in page.lines:
        for word in line.words:
            if shape.fullmatch(word.text.strip(".,;")):
                return (word,)
        if match := shape.search(line.text):
            return tuple(word for word in line.words if word.text in match[0])
    return ()


def _result(words: Sequence[Word], text: str, fit: float, evidence: str) -> SkillResult:
    if not text:
        return SkillResult(None, 0.1, "the field is empty")
    return SkillResult(text, round(least_confidence(words) * min(1.0, fit), 2), evidence)


__all__ = ["run"]
