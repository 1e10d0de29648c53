"""A small forest of decision trees as plain arrays: evaluated with numpy, stored in one compressed file, no pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAF = -1


@dataclass(frozen=True)
class Forest:
    """Binary trees laid end to end; a sample goes left when its feature is at most the threshold."""

    classes: tuple[str, ...]
    roots: NDArray[np.int32]
    """Index of each tree's root node, shape (trees,)."""
    left: NDArray[np.int32]
    """Index of the left child, -1 at a leaf, shape (nodes,)."""
    right: NDArray[np.int32]
    feature: NDArray[np.int16]
    threshold: NDArray[np.float32]
    probabilities: NDArray[np.float16]
    """Class shares at each node, shape (nodes, classes)."""

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float64]:
        """Class probabilities averaged over the trees, shape (samples, classes), for rows of shape (samples, features)."""
        nodes = np.repeat(self.roots[None, :], len(rows), axis=0)
        samples = np.arange(len(rows))[:, None]
        while True:
            inner = self.left[nodes] != _LEAF
            if not inner.any():
                break
            goes_left = rows[samples, self.feature[nodes]] <= self.threshold[nodes]
            following = np.where(goes_left, self.left[nodes], self.right[nodes])
            nodes = np.where(inner, following, nodes)
        return np.asarray(self.probabilities[nodes].astype(np.float64).mean(axis=1))

    def save(self, path: Path) -> None:
        """Write one compressed .npz file."""
        np.savez_compressed(
            path,
            classes=np.array(self.classes),
            roots=self.roots,
            left=self.left,
            right=self.right,
            feature=self.feature,
            threshold=self.threshold,
            probabilities=self.probabilities,
        )

    @classmethod
    def load(cls, path: Path) -> Forest:
        """Read what `save` wrote. Raises FileNotFoundError, or ValueError for a file that holds pickled objects."""
        with np.load(path, allow_pickle=False) as stored:
            arrays: dict[str, Any] = {name: stored[name] for name in ("roots", "left", "right", "feature", "threshold", "probabilities")}
            return cls(classes=tuple(str(name) for name in stored["classes"]), **arrays)
