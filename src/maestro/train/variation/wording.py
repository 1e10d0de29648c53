"""Other wordings of a card's texts: words dropped, words exchanged for others of the same sense, sentences in another order."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

_SAME = (
    ("cheap", "inexpensive", "low-cost", "economical"),
    ("cheapest", "least expensive"),
    ("dearest", "most expensive", "costliest"),
    ("accurate", "precise", "reliable"),
    ("robust", "sturdy", "dependable"),
    ("good", "strong", "fine"),
    ("picture", "image", "photo"),
    ("text", "writing", "words"),
    ("small", "tiny", "little"),
    ("read", "transcribe", "make out"),
    ("reader", "transcriber"),
    ("count", "tally", "number"),
    ("shapes", "figures", "forms"),
    ("plain", "simple", "uniform"),
    ("textured", "patterned"),
    ("noise", "grain", "speckle"),
    ("overlapping", "crossing", "intersecting"),
    ("outlines", "contours"),
    ("solve", "work out"),
    ("program", "script"),
    ("expression", "formula"),
    ("finds", "locates", "detects"),
    ("several", "many", "multiple"),
    ("value", "amount"),
    ("useless", "no good"),
)
_OTHERS = {word: tuple(other for other in same if other != word) for same in _SAME for word in same}
_WORD = re.compile(r"[A-Za-z-]+")


def reworded(text: str, rng: random.Random, dropped: float = 0.15) -> str:
    """The text in other words of the same sense; a share of its words is left out."""
    sentences = re.split(r"(?<=[.;])\s+", text)
    rng.shuffle(sentences)

    def other(found: re.Match[str]) -> str:
        if rng.random() < dropped:
            return ""
        same = _OTHERS.get(found.group().casefold())
        return rng.choice(same) if same and rng.random() < 0.5 else found.group()

    return re.sub(r"\s+", " ", " ".join(_WORD.sub(other, sentence) for sentence in sentences)).strip()


def some_of(texts: Sequence[str], rng: random.Random, kept: float = 0.5) -> tuple[str, ...]:
    """Some of a skill's texts, one at least where there are any, each in other words."""
    chosen = [text for text in texts if rng.random() < kept] or list(texts[:1])
    return tuple(reworded(text, rng) for text in chosen)
