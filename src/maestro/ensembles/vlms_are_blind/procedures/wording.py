"""How an answer is to be written, and what a question about two circles asks, by the question's words."""

from __future__ import annotations

import re

_BRACES = re.compile(r"\b(?:curly|braces)\b|\{\s*\w*\s*\}", re.IGNORECASE)
_OVERLAP = re.compile(r"\b(?:overlap|intersect)", re.IGNORECASE)
_APART = re.compile(r"\b(?:apart|separate|separated|disjoint|(?:gap|space) between)\b", re.IGNORECASE)


def written(answer: str, question: str) -> str:
    """The answer as the question wants it: `{3}` where it speaks of curly brackets, else as it is."""
    return f"{{{answer}}}" if _BRACES.search(question) else answer


def relation(question: str) -> str:
    """`overlapping` when the question asks for that (and not for touching as well), else `touching`."""
    return "overlapping" if _OVERLAP.search(question) and not re.search(r"\btouch", question, re.IGNORECASE) else "touching"


def asks_apart(question: str) -> bool:
    """Whether yes means that the circles do not touch."""
    return bool(_APART.search(question))
