"""Solve: the value of an expression, or the unknown of an equation."""

from __future__ import annotations

import re
from typing import Any

from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_DIGITS = str.maketrans({"O": "0", "o": "0", "Q": "0", "D": "0", "l": "1", "I": "1", "|": "1", "S": "5", "s": "5", "B": "8", "Z": "2"})
_LETTER_DIGIT = re.compile(r"(?<=[\d.+*/^=-])\s*[OoQDlI|SsBZ]+(?=[\d.\s)+*/^=-]|$)|[OoQDlI|SB]+(?=[\d.])")
_GREATEST = re.compile(r"\b(?:largest|larger|greatest|greater|biggest|bigger|highest|maximum)\b", re.IGNORECASE)
_LEAST = re.compile(r"\b(?:smallest|smaller|least|lowest|minimum)\b", re.IGNORECASE)
_POSITIVE, _NEGATIVE = re.compile(r"\bpositive\b", re.IGNORECASE), re.compile(r"\bnegative\b", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """Solve the query, or the question when there is none; None with the reason when it is nothing that can be solved.

    A text that reads as OCR damage is tried once more, repaired, at lower confidence.
    """
    reply = await caller.ask("solve", text=request.text)
    sure = 0.99 if reply["plain"] else 0.9
    if reply["value"] is None and (mended := repaired(request.text)) != request.text:
        second = await caller.ask("solve", text=mended)
        if second["value"] is not None:
            reply, sure = second, 0.5
    if reply["value"] is None:
        return SkillResult(None, 0.0, reply["reason"][:40])
    value, certain = _chosen(reply["values"], request.question)
    return SkillResult(value, round(sure * certain, 2), evidence(reply))


def evidence(reply: dict[str, Any]) -> str:
    """What was solved, short."""
    return re.sub(r"\s+", " ", f"{reply['kind']} {reply['expression']}")[:40]


def repaired(text: str) -> str:
    """The text with letters as the digits they look like where they touch digits, and missing closing brackets added."""
    text = _LETTER_DIGIT.sub(lambda match: match.group().translate(_DIGITS), text)
    text = text.replace("_", "-").replace("~", "-").replace(":", "/" if "=" in text else "=")
    text = re.sub(r"(?<=\d),(?=\d{1,2}(?!\d))", ".", text)  # a decimal comma
    text = re.sub(r"(?<=\d)\s+(?=\d{3}(?!\d))", "", text)  # a space inside a number
    return text + ")" * max(0, text.count("(") - text.count(")"))


def _chosen(values: list[str], question: str) -> tuple[str, float]:
    """The one of several solutions that the question asks for (`values` ascend), else all of them."""
    if len(values) == 1:
        return values[0], 1.0
    if _POSITIVE.search(question):
        values = [value for value in values if not value.startswith("-")] or values
    elif _NEGATIVE.search(question):
        values = [value for value in values if value.startswith("-")] or values
    if _GREATEST.search(question):
        values = values[-1:]
    elif _LEAST.search(question):
        values = values[:1]
    return ", ".join(values), 1.0 if len(values) == 1 else 0.5


__all__ = ["repaired", "run"]
