"""Shares of what retraining reaches."""

from __future__ import annotations

import math

import pytest

from maestro.evaluate.shares import reached


def test_shares_of_utility_and_of_the_gain() -> None:
    full, none = [[1.0, 1.0, 0.0, 1.0]] * 2, [[1.0, 0.0, 0.0, 0.0]] * 2
    ours = [[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0]]
    found = reached(ours, full, none)
    assert found.utility.mean == pytest.approx(0.5)
    assert found.share.mean == pytest.approx(0.5 / 0.75)
    assert found.gain.mean == pytest.approx(0.5)
    assert found.full_gain.mean == pytest.approx(0.5)
    assert found.share.low <= found.share.mean <= found.share.high
    assert found.utility.n == 4


def test_the_full_treatment_reaches_all_of_itself() -> None:
    full = [[0.2, 0.9, 0.4]]
    found = reached(full, full, [[0.0, 0.0, 0.0]])
    assert (found.share.low, found.share.mean, found.share.high) == (1.0, 1.0, 1.0)
    assert found.gain.mean == 1.0


def test_where_there_is_nothing_to_gain_the_share_is_no_number() -> None:
    assert math.isnan(reached([[0.5]], [[0.5]], [[0.5]]).gain.mean)


def test_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        reached([[0.5]], [[0.5, 0.5]], [[0.5]])
    with pytest.raises(ValueError, match="one or more"):
        reached([[]], [[]], [[]])
