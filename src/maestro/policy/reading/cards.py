"""What the texts of a menu say: words of a card as numbers, and how well a question fits each skill's texts."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.registry.menu import Menu
from maestro.skills.dispatch import PooledRetrieval, Retrieval, features
from maestro.types import Skill

Array = NDArray[np.float32]
WORDS = 64
"""Buckets of a card's words."""
LIKENESS = 2
"""Numbers that say how well a question fits a skill."""


def words_vector(text: str) -> Array:
    """Unit vector of shape (WORDS,) over the content words of a card; zeros for an empty text."""
    vector = np.zeros(WORDS, dtype=np.float32)
    for feature, count in features(text).items():
        if feature.startswith("w:"):
            bucket = zlib.crc32(feature.encode())
            vector[bucket % WORDS] += (1.0 if bucket & 0x40000000 else -1.0) * (1.0 + math.log(count))
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector


def texts_of(menu: Menu, skill: Skill) -> tuple[str, ...]:
    """All that a registry says about when a skill is right: its description and examples, and those of the skills it dispatches to."""
    below = [child for child in menu.children if child.parent == skill.id]
    return tuple(text for card in (skill, *below) for text in (card.summary, *card.examples) if text.strip())


class SkillTexts:
    """How well questions fit the texts of several skills."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        """`texts` by skill; a skill without any fits nothing."""
        self._count = len(texts)
        cards = [Skill(id=str(place), summary=said[0], examples=tuple(said[1:])) for place, said in enumerate(texts) if said]
        self._nearest = Retrieval(cards) if cards else None
        self._pooled = PooledRetrieval(cards) if cards else None

    @classmethod
    def of(cls, menu: Menu) -> SkillTexts:
        """The texts of a menu's skills, in menu order."""
        return cls([texts_of(menu, skill) for skill in menu.skills])

    def likeness(self, question: str) -> Array:
        """Similarity to the nearest text and chance among all skills, each 0 to 1, shape (skills, LIKENESS)."""
        found = np.zeros((self._count, LIKENESS), dtype=np.float32)
        if self._nearest is not None and self._pooled is not None:
            for column, ranked in enumerate((self._nearest.rank(question), self._pooled.rank(question))):
                for place, value in ranked:
                    found[int(place), column] = value
        return found
