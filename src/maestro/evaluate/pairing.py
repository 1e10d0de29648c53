"""Two systems on the same questions: who wins how often, by how much, and whether that could be chance.

McNemar's test takes questions as independent, so it decides only where no two of them share a cluster and every score is 0 or 1; elsewhere
the paired bootstrap over clusters does. The others are reported beside it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from maestro.errors import ConfigError
from maestro.evaluate.clusters import RESAMPLES, Breakdown, breakdown, clustered_error
from maestro.evaluate.statistics import Interval, mcnemar

_MOST_STEPS, _CLOSE, _TINY = 10_000, 1e-15, 1e-300
"""Of the continued fraction: terms, how near to 1 the last factor is, and what stands for a denominator of 0."""


@dataclass(frozen=True)
class ChiSquare:
    """McNemar's test with Edwards' continuity correction, one degree of freedom."""

    statistic: float
    p: float


def mcnemar_corrected(only_ours: int, only_theirs: int) -> ChiSquare:
    """(|b - c| - 1)^2 / (b + c) of the discordant counts; 0 with p = 1 when there are none."""
    n = only_ours + only_theirs
    if n == 0:
        return ChiSquare(0.0, 1.0)
    statistic = max(0, abs(only_ours - only_theirs) - 1) ** 2 / n
    return ChiSquare(statistic, math.erfc(math.sqrt(statistic / 2)))


@dataclass(frozen=True)
class PairedT:
    """Student's paired t-test, two-sided."""

    mean: float
    error: float
    """Standard error of the mean difference."""
    t: float
    p: float


def paired_t(ours: Sequence[float], theirs: Sequence[float]) -> PairedT:
    """Of ours minus theirs. Raises ConfigError below two pairs; with equal differences t is 0 or infinite."""
    differences = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    if len(differences) < 2:
        raise ConfigError(f"a paired t-test needs two questions or more, not {len(differences)}.")
    mean, error = float(differences.mean()), float(differences.std(ddof=1) / math.sqrt(len(differences)))
    if error == 0.0:
        return PairedT(mean, 0.0, 0.0 if mean == 0.0 else math.copysign(math.inf, mean), 1.0 if mean == 0.0 else 0.0)
    return PairedT(mean, error, mean / error, student_tails(mean / error, len(differences) - 1))


def student_tails(t: float, freedom: int) -> float:
    """Two-sided tail of Student's t: the incomplete beta function at freedom / (freedom + t^2), so that small tails stay exact."""
    if freedom < 1:
        raise ConfigError(f"Student's t needs one degree of freedom or more, not {freedom}.")
    square = t * t
    if math.isinf(square):
        return 0.0
    return _incomplete_beta(freedom / (freedom + square), freedom / 2, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function by its continued fraction, evaluated as Lentz does."""
    if x <= 0.0 or x >= 1.0:
        return float(x > 0.0)
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(1.0 - x, b, a)
    upper, lower, value = 1.0, 0.0, 1.0
    for step in range(_MOST_STEPS):
        half = step // 2
        if step == 0:
            factor = 1.0
        elif step % 2:
            factor = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            factor = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        lower = 1.0 / _not_zero(1.0 + factor * lower)
        upper = _not_zero(1.0 + factor / upper)
        value *= upper * lower
        if step and abs(upper * lower - 1.0) < _CLOSE:
            break
    return scale * (value - 1.0)


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values in the given order: reject those at most alpha, and no more than alpha of families has a false rejection."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, floor = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        floor = max(floor, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def minimum_detectable(error: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """The true difference that a two-sided test at `alpha` finds with probability `power`, given the standard error of a difference."""
    normal = NormalDist()
    return (normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)) * error


@dataclass(frozen=True)
class Pair:
    """One system against another on the same questions."""

    questions: int
    clusters: int
    our_mean: float
    their_mean: float
    difference: Interval
    """Ours minus theirs over questions, by paired bootstrap over clusters."""
    macro_difference: Interval
    """The same with every category weighing the same."""
    categories: Mapping[str, Interval]
    error: float
    """Standard error of the difference, clustered."""
    detectable: float
    """Smallest true difference found with 80 % power at 5 %."""
    wins: int
    losses: int
    ties: int
    mcnemar_p: float | None
    """Exact; None where a score is neither 0 nor 1."""
    chi_square: ChiSquare | None
    t: PairedT | None
    """None for a single question."""
    bootstrap_p: float
    """Two-sided, of the clustered paired bootstrap; at least 1 / resamples."""
    test: str
    """Which of them `p` is from."""
    p: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def pair(ours: Sequence[float], theirs: Sequence[float], clusters: Sequence[Hashable], categories: Sequence[str]) -> Pair:
    """Compare two lists of scores, one a question in the same order, with its cluster and category. Raises ConfigError for none."""
    if not ours or not len(ours) == len(theirs) == len(clusters) == len(categories):
        raise ConfigError(f"{len(ours)} questions of one system and {len(theirs)} of the other cannot be paired.")
    differences = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    found = breakdown(differences, clusters, categories, shares=False)
    wins, losses = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
    binary = all(score in {0.0, 1.0} for score in (*ours, *theirs))
    apart = len(set(clusters)) == len(clusters)
    error, bootstrap_p = clustered_error(differences, clusters), _two_sided(found)
    exact = mcnemar(wins, losses) if binary else None
    test, p = ("McNemar, exact", exact) if exact is not None and apart else ("clustered paired bootstrap", bootstrap_p)
    return Pair(
        questions=len(ours),
        clusters=len(set(clusters)),
        our_mean=float(np.mean(ours)),
        their_mean=float(np.mean(theirs)),
        difference=found.micro,
        macro_difference=found.macro,
        categories=found.groups,
        error=error,
        detectable=minimum_detectable(error),
        wins=wins,
        losses=losses,
        ties=len(ours) - wins - losses,
        mcnemar_p=exact,
        chi_square=mcnemar_corrected(wins, losses) if binary else None,
        t=paired_t(ours, theirs) if len(ours) > 1 else None,
        bootstrap_p=bootstrap_p,
        test=test,
        p=p,
    )


def _two_sided(found: Breakdown) -> float:
    """Twice the smaller share of resamples beyond zero, never below what the number of resamples can tell."""
    return min(1.0, max(2 * min(found.below, 1 - found.below), 1 / RESAMPLES))
