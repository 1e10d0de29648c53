"""The networks of the reading policy, as plain arrays: one trunk over the situation, one head for answers, one that values any call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ReadingNetwork:
    """(question, picture) -> embedding; (embedding, glance, state) -> trunk; trunk -> answers; (trunk, call) -> value of that call."""

    embed: Array
    """(question + picture, width)"""
    embed_bias: Array
    trunk: Array
    """(width + glance + state, hidden)"""
    trunk_bias: Array
    answer: Array
    answer_bias: Array
    answer_out: Array
    """(middle, answers)"""
    answer_out_bias: Array
    meet: Array
    """(hidden, middle): the situation's part of a call's first layer"""
    meet_bias: Array
    call: Array
    """(call, middle): the call's own part"""
    narrow: Array
    narrow_bias: Array
    value: Array
    """(narrow, 1)"""
    value_bias: Array

    def fixed(self, question: Array, seen: Array) -> Array:
        """What does not change within an episode, shape (width,)."""
        return np.asarray(np.maximum(np.concatenate([question, seen]) @ self.embed + self.embed_bias, 0), dtype=np.float32)

    def values(self, fixed: Array, opinion: Array, state: Array, calls: Array) -> tuple[Array, Array]:
        """Values of every answer, shape (answers,), and of each of the calls (count, numbers), shape (count,)."""
        hidden = np.maximum(np.concatenate([fixed, opinion, state]) @ self.trunk + self.trunk_bias, 0)
        answers = np.maximum(hidden @ self.answer + self.answer_bias, 0) @ self.answer_out + self.answer_out_bias
        met = np.maximum(hidden @ self.meet + self.meet_bias + calls @ self.call, 0)
        valued = np.maximum(met @ self.narrow + self.narrow_bias, 0) @ self.value + self.value_bias
        return answers, valued[:, 0]

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(field.name for field in fields(cls))


class ReadingCommittee:
    """Several networks whose values are averaged."""

    def __init__(self, networks: Sequence[ReadingNetwork]) -> None:
        self.networks = tuple(networks)

    def fixed(self, question: Array, seen: Array) -> tuple[Array, ...]:
        """What does not change within an episode, for each network."""
        return tuple(network.fixed(question, seen) for network in self.networks)

    def values(self, fixed: Sequence[Array], opinion: Array, state: Array, calls: Array) -> tuple[Array, Array]:
        """Values of every answer and of each of the calls."""
        found = [network.values(part, opinion, state, calls) for network, part in zip(self.networks, fixed, strict=True)]
        answers, called = (np.asarray(np.mean([each[side] for each in found], axis=0), dtype=np.float32) for side in (0, 1))
        return answers, called

    def arrays(self) -> dict[str, Array]:
        """Every array by name, each network's under its number."""
        return {f"{place}.{name}": getattr(one, name) for place, one in enumerate(self.networks) for name in ReadingNetwork.names()}

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> ReadingCommittee:
        """The committee of these arrays; others are passed over. Raises KeyError for one that is missing."""
        owners = sorted({owner for owner, _, _ in (name.partition(".") for name in arrays) if owner.isdigit()}, key=int)
        if not owners:
            raise KeyError("0.embed")
        found = [{name: np.asarray(arrays[f"{owner}.{name}"], dtype=np.float32) for name in ReadingNetwork.names()} for owner in owners]
        return cls([ReadingNetwork(**one) for one in found])
