"""Equality of mathematical answers: our own rule and its hardened form for rewards, and Math-Verify's as it is."""

from __future__ import annotations

import re
from fractions import Fraction

from maestro.scoring.algebra import compute
from maestro.scoring.boxed import Found, locate, tail
from maestro.scoring.plain_number import plain_values, tidy
from maestro.scoring.score import Score

_TOLERANCE = 1e-6
_MOST_ANSWER = 2000
"""Characters of an answer that is compared at all; a longer one is no answer but a text."""
_HEDGE = re.compile(r"\b(?:or|either|maybe|perhaps|possibly|alternatively|and/or)\b|\\l?or\b|\\vee\b|或", re.IGNORECASE)
_OR_BEFORE = re.compile(
    r"(?:\d|[$%°)\]}])\s{0,3}[^\W\d]{0,8},?\s{1,3}(?:(?:and/)?or|maybe|perhaps|possibly|alternatively)"
    r"(?:\s{1,3}(?:maybe|perhaps|possibly|else|also))?,?\s{1,3}(?:[A-Za-z]\s?=\s?)?[-+$\\(\[{]{0,4}\Z"
)
"""Another answer and "or" right before the one that was found."""
_WHOLE_REPLY = re.compile(r"\s*(?:\\boxed\{\s*(-?[1-9]\d{0,14})\s*\}|\$(-?[1-9]\d{0,14})\$|(-?[1-9]\d{0,14}))\s*")
_WHOLE = re.compile(r"-?[1-9]\d{0,14}")


def math_verify(prediction: str, references: tuple[str, ...]) -> Score:
    r"""Math-Verify's verdict on the whole reply, as the library gives it.

    Among its ways: several boxes are joined into a set, so two of them match neither; `\boxed{7.}` and `\fbox{7}` are not read; a percent
    equals the number and its hundredth. A verdict that takes too long is 0.
    """
    text = tail(prediction)
    if (quick := _quick(text, references)) is not None:
        return quick
    return _verified(text, references, "math_verify")


def math(prediction: str, references: tuple[str, ...], *, tolerance: float = _TOLERANCE, fbox: bool = False) -> Score:
    r"""1 when the reply is a reference word for word, or its answer (the last box, else the last formula, else the last number) equals one.

    Numbers are equal within `tolerance`; units, degrees, currency and thousands separators do not count; a percent equals the number and
    its hundredth; a hedge ("5 or 6") is 0 unless the reference has one too. What is no plain number goes to Math-Verify. `fbox` also reads
    `\fbox`.
    """
    reply = tail(prediction).strip()
    if reply and reply in {reference.strip() for reference in references}:
        return Score(score=1.0, extracted=reply[:500], rule="math", reason="the reply is the reference")
    return _compared(locate(prediction, fbox=fbox), references, tolerance, "math")


def math_reward(prediction: str, references: tuple[str, ...]) -> Score:
    """The same for rewards: the last box or nothing, and short."""
    found = locate(prediction)
    if found is not None and found.place != "box":
        return Score(score=0.0, extracted=None, rule="math_reward", reason="no box")
    return _compared(found, references, _TOLERANCE, "math_reward")


def _compared(found: Found | None, references: tuple[str, ...], tolerance: float, rule: str) -> Score:
    if found is None or not found.text:
        return Score(score=0.0, rule=rule, reason="no answer found, or a box that is empty or never closed")
    answer = found.text
    if len(answer) > _MOST_ANSWER:
        return Score(score=0.0, extracted=answer[:100], rule=rule, reason=f"an answer of {len(answer)} characters is a text")
    if _OR_BEFORE.search(found.before):
        references = tuple(filter(_HEDGE.search, references))
        if not references:
            return Score(score=0.0, extracted=answer, rule=rule, reason="several answers offered")
    given = plain_values(answer)
    left = []
    for reference in references:
        wanted = plain_values(reference)
        if answer.strip() == reference.strip() or _near(given, wanted, tolerance):
            return Score(score=1.0, extracted=answer, rule=rule, reason=f"{found.place}: equals {reference}")
        if not (given and wanted):
            left.append(reference)
    if _HEDGE.search(answer):
        left = [reference for reference in left if _HEDGE.search(reference)]
        if not left:
            return Score(score=0.0, extracted=answer, rule=rule, reason="several answers offered")
    if not left:
        return Score(score=0.0, extracted=answer, rule=rule, reason=f"{found.place}: no reference is equal")
    return _verified(f"\\boxed{{{_delimited(answer)}}}", tuple(map(_delimited, left)), rule).model_copy(update={"extracted": answer})


def _near(given: tuple[Fraction, ...], wanted: tuple[Fraction, ...], tolerance: float) -> bool:
    return any(abs(one - other) <= Fraction(tolerance) for one in given for other in wanted)


def _delimited(answer: str) -> str:
    """An answer that is a number and more as Math-Verify reads it best."""
    text = tidy(answer, texts=False).strip("$ ")
    return text.replace("%", "\\%")


def _quick(text: str, references: tuple[str, ...]) -> Score | None:
    """The verdict where it needs no library: a reply that is one whole number, against whole numbers."""
    whole = _WHOLE_REPLY.fullmatch(text)
    if whole is None or not all(_WHOLE.fullmatch(reference) for reference in references):
        return None
    number = whole[1] or whole[2] or whole[3]
    hit = number in references
    reason = f"equals {number}" if hit else "no reference is equal"
    return Score(score=float(hit), extracted=number, rule="math_verify", reason=reason)


def _verified(prediction: str, references: tuple[str, ...], rule: str) -> Score:
    reply = compute("verified", prediction=prediction, references=references)
    if reply.error:
        return Score(score=0.0, rule=rule, reason=reply.error)
    equal, extracted = reply.value["equal"], reply.value["extracted"]
    reason = "Math-Verify: " + ("no reference is equal" if equal is None else f"equals {references[equal]}")
    return Score(score=float(equal is not None), extracted=extracted, rule=rule, reason=reason[:300])
