"""What a glance says before anything is tried: what the question is about, and what the picture looks like.

Two small classifiers over the frozen features, learned from a task source's teaching split, in which nothing is said about
experts or outcomes. Their opinions are features in their own right: a few dozen numbers where the raw features are a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Glance:
    """Weights: question (Q,) -> hidden -> topics, and normalised picture (P,) -> hidden -> looks."""

    topic_into: Array
    """(Q, hidden)"""
    topic_bias: Array
    topic_out: Array
    """(hidden, topics)"""
    topic_out_bias: Array
    look_into: Array
    """(P, hidden)"""
    look_bias: Array
    look_out: Array
    """(hidden, looks)"""
    look_out_bias: Array

    @property
    def size(self) -> int:
        """Numbers in an opinion."""
        return len(self.topic_out_bias) + len(self.look_out_bias)

    def __call__(self, question: Array, picture: Array) -> Array:
        """Chances of each topic (they add up to 1) and of each look (each 0..1), shape (size,)."""
        topics = np.maximum(question @ self.topic_into + self.topic_bias, 0) @ self.topic_out + self.topic_out_bias
        looks = np.maximum(picture @ self.look_into + self.look_bias, 0) @ self.look_out + self.look_out_bias
        chances = np.exp(topics - topics.max())
        return np.concatenate([chances / chances.sum(), 1 / (1 + np.exp(-np.clip(looks, -30, 30)))]).astype(np.float32)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(field.name for field in fields(cls))
