"""What a greedy policy really gets behind a node of the decision trees: prices paid and the score of its answer, from the pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.policy.features.history import CALLS
from maestro.train.fitted_q.decision_tree import DecisionTrees

Array = NDArray[np.float32]
Taken = tuple[float, int | None] | None

CHUNK = 16384
"""Nodes valued in one pass."""


class Returns:
    """Follows a greedy policy from many nodes at once; what an action brings is looked up once and kept."""

    def __init__(self, trees: DecisionTrees, cost_weight: float) -> None:
        self.trees = trees
        self.cost_weight = cost_weight
        self._taken: dict[tuple[int, int], Taken] = {}

    def of(self, nodes: Sequence[int], estimates: Array, values: Callable[[Sequence[int]], Array]) -> Array:
        """Returns in utility, shape (nodes,), of acting greedily by `values` (nodes, actions) until an answer.

        Where the pool does not know what an action brings, the return ends with the node's estimate; a node made since
        `estimates` were has none and ends with 0.
        """
        at = np.asarray(nodes, dtype=np.int64)
        total = np.zeros(len(at), dtype=np.float32)
        alive = np.arange(len(at))
        for _ in range(CALLS + 1):
            going = []
            for place, column in zip(alive.tolist(), self._greedy(at[alive], values).tolist(), strict=True):
                node = int(at[place])
                taken = self._take(node, column)
                if taken is None:
                    total[place] += max(0.0, float(estimates[node])) if node < len(estimates) else 0.0
                elif taken[1] is None:
                    total[place] += taken[0]
                else:
                    total[place] -= self.cost_weight * taken[0]
                    at[place] = taken[1]
                    going.append(place)
            alive = np.asarray(going, dtype=np.int64)
        return total

    def _greedy(self, nodes: NDArray[np.int64], values: Callable[[Sequence[int]], Array]) -> NDArray[np.int64]:
        """The column of the best open action of every node."""
        chosen = np.zeros(len(nodes), dtype=np.int64)
        for start in range(0, len(nodes), CHUNK):
            part = nodes[start : start + CHUNK]
            chosen[start : start + CHUNK] = np.where(self.trees.open[part], values(part.tolist()), -np.inf).argmax(axis=1)
        return chosen

    def _take(self, node: int, column: int) -> Taken:
        key = (node, column)
        if key not in self._taken:
            self._taken[key] = self.trees.take(node, column)
        return self._taken[key]
