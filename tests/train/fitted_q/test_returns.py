"""What a greedy policy really gets behind a node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from maestro.policy.features.history import ActionSpace
from maestro.train.fitted_q.decision_tree import DecisionTrees
from maestro.train.fitted_q.returns import Returns
from tests.train.fitted_q.test_iteration import CHEAP, DEAR, MENU, recorded

SPACE = ActionSpace.of(MENU)


def liking(*columns: int):  # type: ignore[no-untyped-def]
    """Values that like these columns, the first most."""

    def values(nodes: Sequence[int]) -> np.ndarray:
        table = np.zeros((len(nodes), SPACE.size), dtype=np.float32)
        for rank, column in enumerate(columns):
            table[:, column] = len(columns) - rank
        return table

    return values


def column_of(expert: str) -> int:
    return SPACE.pairs.index((expert, "read"))


def test_a_return_is_the_score_less_the_prices_on_the_way() -> None:
    trees = DecisionTrees([recorded(0), recorded(2)], SPACE)
    returns = Returns(trees, 20.0)
    best_answer = next(index for index in range(len(SPACE.pairs), SPACE.size))
    values = liking(column_of("cheap"), column_of("dear"), best_answer)
    found = returns.of([0, 1], np.zeros(len(trees), np.float32), values)
    assert found == pytest.approx([1.0 - 20 * (CHEAP + DEAR)] * 2, abs=1e-6)


def test_what_the_pool_does_not_know_ends_with_the_estimate() -> None:
    task = recorded(0)
    del task.outcomes["cheap", "read", ""]  # type: ignore[attr-defined]
    trees = DecisionTrees([task], SPACE)
    found = Returns(trees, 20.0).of([0], np.asarray([0.625], np.float32), liking(column_of("cheap")))
    assert found.tolist() == [0.625]


def test_grown_nodes_replayed_get_their_numbers_back() -> None:
    trees = DecisionTrees([recorded(0), recorded(1)], SPACE)
    taken = trees.take(1, column_of("dear"))
    assert taken is not None
    assert taken[1] is not None
    trees.expand(taken[1])
    trees.expand(0)
    again = DecisionTrees([recorded(0), recorded(1)], SPACE)
    for node, column in trees.grown:
        again.take(node, column)
    assert len(again) == len(trees)
    assert again.expand(0).nodes == trees.expand(0).nodes
    assert again.expand(taken[1]).nodes == trees.expand(taken[1]).nodes
    assert len(again) == len(trees)
