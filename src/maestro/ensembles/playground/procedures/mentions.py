"""Which of the things on a picture does the question name? Fuzzy matching between its words and what an engine read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_TOKEN = re.compile(r"[A-Za-z0-9]+(?:[.'/&-][A-Za-z0-9]+)*%?")
_QUOTED = re.compile(r"[\"“”‘’']([^\"“”‘’']{1,60})[\"“”‘’'](?![A-Za-z])")
_LOOKS = str.maketrans({"0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "5": "s", "8": "b", "2": "z", "6": "b", "9": "g", "q": "g"})
"""Characters that OCR exchanges, mapped to one of them."""
FUNCTION_WORDS = frozenset(
    [
        *("a", "an", "the", "this", "that", "these", "those", "it", "its", "there", "here", "each", "we", "i", "my", "you", "your", "me"),
        *("is", "are", "was", "were", "be", "do", "does", "did", "has", "have", "had", "can", "could", "will", "would"),
        *(
            "of",
            "in",
            "on",
            "at",
            "to",
            "for",
            "from",
            "by",
            "with",
            "within",
            "between",
            "into",
            "as",
            "per",
            "and",
            "or",
            "if",
            "then",
            "than",
        ),
        *("what", "which", "who", "whom", "whose", "when", "where", "why", "how", "please", "tell", "see", "find", "give", "say", "says"),
        *("shown", "show", "image", "picture", "many", "much", "read", "written", "number", "value"),
    ]
)
"""Words that name nothing on a picture unless they stand in quotation marks."""


@dataclass(frozen=True)
class Mention:
    """One candidate that the question names."""

    index: int
    """Position in the list of candidates."""
    score: float
    """0 to 1: how much of the candidate's text the question has."""
    position: int
    """Index of the question's token where it starts; for the order of two mentions."""
    quoted: bool = False


def tokens(text: str) -> list[str]:
    """Words and numbers of a text, as written."""
    return _TOKEN.findall(text)


def quoted(text: str) -> list[str]:
    """What stands in quotation marks."""
    return [part.strip() for part in _QUOTED.findall(text) if part.strip()]


@lru_cache(maxsize=65536)
def similarity(left: str, right: str) -> float:
    """0 to 1: alike when case is ignored, somewhat less alike when they only look alike to an OCR engine."""
    a, b = left.casefold(), right.casefold()
    if a == b:
        return 1.0
    if min(len(a), len(b)) > 3 and (_stem(a) == _stem(b)):
        return 0.97
    plain = SequenceMatcher(None, a, b, autojunk=False).ratio()
    looks = SequenceMatcher(None, a.translate(_LOOKS), b.translate(_LOOKS), autojunk=False).ratio()
    return max(plain, 0.95 * looks)


def _stem(word: str) -> str:
    """The word less a plural or possessive ending."""
    for ending in ("'s", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def mentions(question: str, candidates: Sequence[str], threshold: float = 0.78) -> list[Mention]:
    """The candidates that the question names, best first; a longer match beats a shorter one of the same score.

    A candidate's score is how well its words are found side by side in the question, weighted by their letters. A candidate
    that is part of what a better one matched ("Red" beside "Dark Red") is dropped.
    """
    asked = tokens(question)
    marked = [part.casefold() for part in quoted(question)]
    found: list[tuple[Mention, range]] = []
    for index, candidate in enumerate(candidates):
        words = tokens(candidate)
        if not words:
            continue
        score, start = _best_window(words, asked)
        is_quoted = any(similarity(candidate.strip(), mark) >= threshold for mark in marked)
        if is_quoted:
            score = 1.0
        if all(word.casefold() in FUNCTION_WORDS for word in words) and not is_quoted:
            continue
        if score >= threshold:
            found.append((Mention(index, score, start, is_quoted), range(start, start + len(words))))
    found.sort(key=lambda item: (-item[0].quoted, -len(item[1]), -item[0].score, item[0].position))
    kept: list[tuple[Mention, range]] = []
    for mention, span in found:
        rivals = [(other, taken) for other, taken in kept if set(span) & set(taken)]
        if any(len(taken) > len(span) or other.score > mention.score + 0.1 for other, taken in rivals):
            continue
        kept.append((mention, span))
    return sorted((mention for mention, _ in kept), key=lambda mention: (-mention.quoted, -mention.score, mention.position))


def best_mention(question: str, candidates: Sequence[str], threshold: float = 0.78) -> Mention | None:
    """The candidate that the question names most clearly, None when it names none."""
    return next(iter(mentions(question, candidates, threshold)), None)


def _best_window(words: Sequence[str], asked: Sequence[str]) -> tuple[float, int]:
    """Best (score, start) of the candidate's words over the places in the question where they could stand."""
    weight = sum(len(word) for word in words)
    best, where = 0.0, -1
    for start in range(max(1, len(asked) - len(words) + 1)):
        window = asked[start : start + len(words)]
        score = sum(len(word) * _strict(word, heard) for word, heard in zip(words, window, strict=False)) / weight
        if score > best + 1e-9:
            best, where = score, start
    return best, where


def _strict(word: str, heard: str) -> float:
    """Similarity, but of short words and numbers only what looks the same counts."""
    value = similarity(word, heard)
    if value < 0.97:
        # OCR exchanges letters more than it loses them; "West" is not "lowest".
        value *= (min(len(word), len(heard)) / max(len(word), len(heard))) ** 0.5
    if min(len(word), len(heard)) <= 3 and value < 0.94:
        return value if min(len(word), len(heard)) == 3 and value >= 0.9 else 0.0
    return value


__all__ = ["FUNCTION_WORDS", "Mention", "best_mention", "mentions", "quoted", "similarity", "tokens"]
