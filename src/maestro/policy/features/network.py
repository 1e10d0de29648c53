"""The value networks of the feature policy, as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from maestro.policy.features.glance import Glance
from maestro.policy.features.picture import met_pictures

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Network:
    """Weights of the value network: (question, picture) -> embedding; (embedding, glance, history) -> hidden -> hidden -> values."""

    glance: Glance
    mean: Array
    scale: Array
    """Of the picture features."""
    embed: Array
    """(question + picture, width)"""
    embed_bias: Array
    into: Array
    """(width + glance + history, hidden)"""
    into_bias: Array
    middle: Array
    middle_bias: Array
    out: Array
    out_bias: Array

    def fixed(self, question: Array, picture: Array) -> Array:
        """What does not change within an episode: embedding and glance, shape (width + glance,)."""
        seen = np.clip((picture - self.mean) / self.scale, -4, 4)
        embedded = np.maximum(np.concatenate([question, seen]) @ self.embed + self.embed_bias, 0)
        return np.concatenate([embedded, self.glance(question, seen)]).astype(np.float32)

    def values(self, fixed: Array, history: Array) -> Array:
        """Expected utility of every action from here on, shape (actions,)."""
        hidden = np.maximum(np.concatenate([fixed, history]) @ self.into + self.into_bias, 0)
        hidden = np.maximum(hidden @ self.middle + self.middle_bias, 0)
        return np.asarray(hidden @ self.out + self.out_bias, dtype=np.float32)

    def arrays(self) -> dict[str, Array]:
        """Every array but the glance's, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "glance"}


class Committee:
    """Several networks over one glance whose values are averaged: what one takes for a chance by error, the others mostly do not."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = tuple(networks)

    @property
    def sighted(self) -> bool:
        """Whether there were pictures to learn from."""
        return met_pictures(self.networks[0].mean)

    def fixed(self, question: Array, picture: Array) -> tuple[Array, ...]:
        """What does not change within an episode, for each network."""
        return tuple(network.fixed(question, picture) for network in self.networks)

    def values(self, fixed: Sequence[Array], history: Array) -> Array:
        """Expected utility of every action from here on, shape (actions,)."""
        each = [network.values(part, history) for network, part in zip(self.networks, fixed, strict=True)]
        return np.asarray(np.mean(each, axis=0), dtype=np.float32)

    def arrays(self) -> dict[str, Array]:
        """Every array by name: the glance's under `glance`, each network's under its number."""
        glance = self.networks[0].glance
        shared = {f"glance.{name}": getattr(glance, name) for name in Glance.names()}
        return shared | {
            f"{place}.{name}": array for place, network in enumerate(self.networks) for name, array in network.arrays().items()
        }

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Committee:
        """The committee of these arrays. Raises KeyError or TypeError for one that is missing."""
        members: dict[str, dict[str, Array]] = {}
        for name, array in arrays.items():
            owner, _, inner = name.partition(".")
            members.setdefault(owner, {})[inner] = np.asarray(array, dtype=np.float32)
        glance = Glance(**members.pop("glance"))
        return cls([Network(glance=glance, **members[owner]) for owner in sorted(members)])
