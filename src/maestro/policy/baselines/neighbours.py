"""Nearest neighbours: the route that paid best on the training questions most like this one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.policy.baselines.arms import Arms, ChoosesOnce
from maestro.policy.baselines.likeness import Likeness, Vector
from maestro.policy.baselines.lookup import mean_utility
from maestro.policy.baselines.route import Route
from maestro.policy.protocol import Dialect
from maestro.types import Task

NEIGHBOURS = (1, 3, 10, 30, 100, 300)
"""The k that are tried, and all training questions."""
_SAME = np.float32(1e-5)
"""Similarities that differ by less are equal: benchmarks ask many questions in the same words."""


class Neighbours(ChoosesOnce):
    """Follows the best route of the `k` most similar training questions, and of all others that are as similar as the last of them."""

    def __init__(self, name: str, arms: Arms, likeness: Likeness, k: int, dialect: Dialect) -> None:
        super().__init__(name, arms, dialect)
        self.likeness = likeness
        self.k = k

    @classmethod
    def fit(cls, name: str, arms: Arms, likeness: Likeness, dialect: Dialect, ks: Sequence[int] = NEIGHBOURS) -> Neighbours:
        """With the k whose choices are worth most on the training tasks themselves, neighbours of the same scene left out."""
        usable = [*(k for k in ks if k < len(arms.tasks)), len(arms.tasks)]
        similar, groups = likeness.among(), arms.groups
        similar[groups[:, None] == groups[None, :]] = -np.inf
        chosen = np.array([_choices(arms, row, usable) for row in similar])
        gained = [arms.gained(chosen[:, column]) for column in range(len(usable))]
        return cls(name, arms, likeness, usable[int(np.argmax(gained))], dialect)

    @property
    def setting(self) -> str:
        """What was chosen, in words."""
        return f"k={'all' if self.k == len(self.arms.tasks) else self.k}"

    def route(self, task: Task) -> Route:
        """The neighbours' best."""
        (chosen,) = _choices(self.arms, self.likeness.of(task), (self.k,))
        return self.arms.routes[chosen]


def _choices(arms: Arms, similar: Vector, ks: Sequence[int]) -> list[int]:
    """Numbers of the routes that the `k` nearest recommend, for each k; rows at minus infinity are not there."""
    descending = -np.partition(-similar, [k - 1 for k in ks])
    found = []
    for k in ks:
        near: NDArray[np.bool_] = (similar >= descending[k - 1] - _SAME) & np.isfinite(similar)
        worth = mean_utility(arms.utilities[near]) if near.any() else mean_utility(arms.utilities)
        found.append(int(np.argmax(worth)))
    return found
