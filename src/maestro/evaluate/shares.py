"""How much of what one treatment reaches another one reaches: shares with intervals by paired bootstrap over questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.evaluate.statistics import RESAMPLES, Interval

Utilities = Sequence[Sequence[float]]
"""Seeds that each list the same questions; a question's number is the mean over seeds."""


@dataclass(frozen=True)
class Reached:
    """What a treatment reaches beside the full one and none, each with a 95 % interval."""

    utility: Interval
    share: Interval
    """Of the full treatment's utility."""
    gain: Interval
    """Of what the full treatment gains over none: meaningless where that is near zero."""
    full_gain: Interval
    """What the full treatment gains over none."""


def reached(ours: Utilities, full: Utilities, none: Utilities) -> Reached:
    """Compare by question. Raises ValueError when the three do not list the same number of questions."""
    means = [np.asarray(seeds, dtype=np.float64).mean(axis=0) for seeds in (ours, full, none)]
    if len({len(each) for each in means}) > 1 or not len(means[0]):
        raise ValueError(f"shares need the same questions, one or more, under each treatment; there are {[len(each) for each in means]}")
    rows = np.random.default_rng(20260522).integers(0, len(means[0]), (RESAMPLES, len(means[0])))
    mine, whole, nothing = (np.concatenate([[each.mean()], each[rows].mean(axis=1)]) for each in means)
    return Reached(
        *(
            _interval(drawn, len(means[0]))
            for drawn in (mine, _ratio(mine, whole), _ratio(mine - nothing, whole - nothing), whole - nothing)
        )
    )


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole != 0)


def _interval(drawn: NDArray[np.float64], questions: int) -> Interval:
    """The first number is the estimate, the others are its resamples."""
    low, high = np.nanquantile(drawn[1:], [0.025, 0.975]) if np.isfinite(drawn[1:]).any() else (np.nan, np.nan)
    return Interval(float(drawn[0]), float(low), float(high), questions)
