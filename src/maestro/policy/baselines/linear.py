"""The linear contextual policy: ridge regression of each route's utility on question and picture, and the likeliest best is followed.

A bandit learns such a model from the arms it tried; here every arm was recorded, so the model is fitted on all of them (full
information), which is the most a linear bandit can come to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.policy.baselines.arms import Arms, ChoosesOnce
from maestro.policy.baselines.likeness import Pictures, Standardised, Vector, asked
from maestro.policy.baselines.lookup import Utilities
from maestro.policy.baselines.route import Route
from maestro.policy.features.question import question_vector
from maestro.policy.protocol import Dialect
from maestro.types import Task

PENALTIES = (1.0, 10.0, 100.0, 1000.0)
"""Ridge penalties that are tried."""
_FOLDS = 4
_PICTURE = np.float32(0.25)
"""Scale of a standardised picture feature beside a question vector of length 1."""


class LinearPolicy(ChoosesOnce):
    """Values every route by a linear function of the features of question and picture."""

    def __init__(self, arms: Arms, pictures: Pictures, dialect: Dialect, penalties: Sequence[float] = PENALTIES) -> None:
        """Fitted with the penalty whose choices are worth most in cross-validation over scenes."""
        super().__init__("linear bandit", arms, dialect)
        self._see = Standardised(arms.tasks, pictures)
        rows = np.stack([self._features(task) for task in arms.tasks])
        worth = [_held_out(arms, rows, penalty) for penalty in penalties] if len(set(arms.groups.tolist())) >= _FOLDS else [0.0]
        self.penalty = penalties[int(np.argmax(worth))]
        self._weights = _ridge(rows, arms.utilities, self.penalty)

    def route(self, task: Task) -> Route:
        """The route of highest predicted utility."""
        return self.arms.routes[int(np.argmax(self._features(task) @ self._weights))]

    def _features(self, task: Task) -> Vector:
        return np.concatenate([np.ones(1, dtype=np.float32), question_vector(asked(task)), _PICTURE * self._see(task)])


def _held_out(arms: Arms, rows: Vector, penalty: float) -> float:
    """Mean utility of what a model chooses on scenes it was not fitted on."""
    fold = arms.groups % _FOLDS
    chosen = np.zeros(len(rows), dtype=np.int64)
    for number in range(_FOLDS):
        here = fold == number
        chosen[here] = np.argmax(rows[here] @ _ridge(rows[~here], arms.utilities[~here], penalty), axis=1)
    return arms.gained(chosen)


def _ridge(rows: Vector, utilities: Utilities, penalty: float) -> NDArray[np.float64]:
    """Weights, shape (features, routes); each route is fitted where it was recorded, its mean apart."""
    weights = np.zeros((rows.shape[1], utilities.shape[1]))
    known = ~np.isnan(utilities)
    patterns, number = np.unique(known, axis=1, return_inverse=True)
    for pattern in range(patterns.shape[1]):
        columns = np.flatnonzero(number.ravel() == pattern)
        there = patterns[:, pattern]
        if not there.any():
            weights[0, columns] = -np.inf
            continue
        given = rows[there].astype(np.float64)
        mean = utilities[there][:, columns].mean(axis=0)
        weights[:, columns] = _solved(given, utilities[there][:, columns] - mean, penalty)
        weights[0, columns] += mean
    return weights


def _solved(given: NDArray[np.float64], wanted: Utilities, penalty: float) -> NDArray[np.float64]:
    """Ridge weights, by whichever of the two equal formulas has the smaller matrix."""
    rows, features = given.shape
    if rows < features:
        return np.asarray(given.T @ np.linalg.solve(given @ given.T + penalty * np.eye(rows), wanted))
    return np.asarray(np.linalg.solve(given.T @ given + penalty * np.eye(features), given.T @ wanted))
