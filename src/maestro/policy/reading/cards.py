"""What the texts of a menu say: words of a card as numbers, and how well a question fits each skill's texts."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.policy.baselines.similarity import QuestionIndex
from maestro.registry.menu import Menu
from maestro.skills.dispatch import features
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
        if feature.startswith("w:") and feature[2:].isalpha():
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
        self._skill = np.array([place for place, said in enumerate(texts) for _ in said], dtype=np.int64)
        self._index = QuestionIndex([text for said in texts for text in said]) if len(self._skill) else None

    @classmethod
    def of(cls, menu: Menu) -> SkillTexts:
        """The texts of a menu's skills, in menu order."""
        return cls([texts_of(menu, skill) for skill in menu.skills])

    def likeness(self, questions: Sequence[str]) -> Array:
        """Similarity to a skill's nearest text, and its share of all squared similarities: (questions, skills, LIKENESS), 0 to 1."""
        found = np.zeros((len(questions), self._count, LIKENESS), dtype=np.float32)
        if self._index is None:
            return found
        similar = self._index.similarity(questions)
        for skill in np.unique(self._skill):
            mine = similar[:, self._skill == skill]
            found[:, skill, 0] = mine.max(axis=1)
            found[:, skill, 1] = (mine * mine).sum(axis=1)
        found[..., 1] /= np.maximum(found[..., 1].sum(axis=1, keepdims=True), 1e-6)
        return found
