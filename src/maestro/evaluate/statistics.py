"""Intervals and tests: every number in a report has one.

Several samples of one question are not independent, nor are questions on one scene, so every interval over episodes resamples scenes,
or questions where each stands on its own. All resampling is seeded: the same data give the same interval.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
RESAMPLES = 2000
FEWEST_CLUSTERS = 20
"""With fewer a bootstrap's interval is too short to decide anything (it draws from too few), so no star is given."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval; `n` counts the questions behind it."""

    mean: float
    low: float
    high: float
    n: int = 0
    clusters: int | None = None
    """What a bootstrap drew from; None where every question stands on its own."""

    @property
    def decides(self) -> bool:
        """Whether it excludes zero and rests on enough clusters to be believed."""
        return self.excludes_zero and (self.n if self.clusters is None else self.clusters) >= FEWEST_CLUSTERS

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0

    def as_dict(self) -> dict[str, float]:
        """For JSON; NaN (nothing measured) becomes None there."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "n": self.n}


def wilson(successes: float, trials: int) -> Interval:
    """Wilson's 95 % interval of a share. Raises ValueError unless 0 <= successes <= trials."""
    if trials == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials")
    share = successes / trials
    spread = Z95**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    half = Z95 / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half), trials)


def cluster_means(values: Sequence[float], clusters: Sequence[Hashable]) -> dict[Hashable, float]:
    """Mean value per cluster, clusters in order of appearance."""
    total: dict[Hashable, float] = {}
    count: Counter[Hashable] = Counter()
    for value, cluster in zip(values, clusters, strict=True):
        total[cluster] = total.get(cluster, 0.0) + value
        count[cluster] += 1
    return {cluster: total[cluster] / count[cluster] for cluster in total}


def mean_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    shares: bool = False,
    scenes: Mapping[Hashable, Hashable] | None = None,
) -> Interval:
    """Mean with a 95 % interval by bootstrap over clusters (each value its own when None).

    Every cluster (question) weighs the same, however many samples it has. With `scenes`, by cluster, whole scenes are drawn. When all
    values are equal the bootstrap claims certainty; for `shares` (values in [0, 1]) that are all 0 or all 1 Wilson's interval is given.
    """
    means = cluster_means(values, clusters if clusters is not None else range(len(values)))
    if not means:
        return Interval(math.nan, math.nan, math.nan, 0)
    sums, counts = _by_scene(means, scenes)
    mean = float(sums.sum() / counts.sum())
    if shares and mean in {0.0, 1.0}:
        found = wilson(mean * len(sums), len(sums))
        return Interval(mean, found.low, found.high, len(means))
    low, high = _bootstrap(sums, counts)
    return Interval(mean, low, high, len(means))


def paired_difference(
    ours: Mapping[Hashable, float], theirs: Mapping[Hashable, float], scenes: Mapping[Hashable, Hashable] | None = None
) -> Interval:
    """Mean of ours minus theirs over the clusters both have, with a 95 % interval by paired bootstrap over clusters (or their scenes)."""
    shared = [cluster for cluster in ours if cluster in theirs]
    if not shared:
        return Interval(math.nan, math.nan, math.nan, 0)
    sums, counts = _by_scene({cluster: ours[cluster] - theirs[cluster] for cluster in shared}, scenes)
    low, high = _bootstrap(sums, counts)
    return Interval(float(sums.sum() / counts.sum()), low, high, len(shared), len(sums))


def _by_scene(
    means: Mapping[Hashable, float], scenes: Mapping[Hashable, Hashable] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of cluster means and numbers of clusters, by scene."""
    sums: dict[Hashable, float] = {}
    counts: Counter[Hashable] = Counter()
    for cluster, mean in means.items():
        scene = scenes[cluster] if scenes is not None else cluster
        sums[scene] = sums.get(scene, 0.0) + mean
        counts[scene] += 1
    return np.array(list(sums.values())), np.array([float(counts[scene]) for scene in sums])


def _bootstrap(sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int = RESAMPLES) -> tuple[float, float]:
    """2.5 % and 97.5 % quantiles of the resampled mean."""
    generator = np.random.default_rng(20260522)
    means = np.empty(resamples)
    for start in range(0, resamples, 200):  # in parts: 2000 x thousands of indices at once would be tens of megabytes
        rows = generator.integers(0, len(sums), size=(min(200, resamples - start), len(sums)))
        means[start : start + 200] = sums[rows].sum(axis=1) / counts[rows].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class Information:
    """What one thing tells about another."""

    bits: float
    """Mutual information adjusted for chance: 0 when unrelated, the entropy of the second when the first decides it."""
    plain_bits: float
    """As counted; too high when there are few samples per cell."""
    share: float
    """`bits` over the entropy of the second variable; 0 when that has none."""


def mutual_information(first: Sequence[Hashable], second: Sequence[Hashable], shuffles: int = 20) -> Information:
    """Mutual information of two discrete variables seen together, adjusted for chance.

    The expectation under chance is measured by shuffling (seeded), then (MI - chance) / (H(second) - chance) is scaled by
    H(second). Used for question category against first call: 0 when a policy calls the same, or at random, whatever is asked.
    """
    codes = [np.unique([_code(value) for value in values], return_inverse=True)[1] for values in (first, second)]
    if not len(codes[0]):
        return Information(0.0, 0.0, 0.0)
    entropy, plain = _entropy(codes[1]), _information(codes[0], codes[1])
    generator = np.random.default_rng(20260522)
    chance = float(np.mean([_information(codes[0], generator.permutation(codes[1])) for _ in range(shuffles)]))
    share = max(0.0, (plain - chance) / (entropy - chance)) if entropy - chance > 1e-9 else 0.0
    return Information(share * entropy, plain, share)


def _code(value: Hashable) -> str:
    return repr(value)


def _information(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    joint = first * (int(second.max()) + 1) + second
    return max(0.0, _entropy(first) + _entropy(second) - _entropy(joint))


def _entropy(codes: NDArray[np.int64]) -> float:
    """In bits, of a variable given as codes."""
    counts = np.bincount(np.unique(codes, return_inverse=True)[1])
    shares = counts / counts.sum()
    return abs(float((shares * np.log2(shares)).sum()))


def mcnemar(only_ours: int, only_theirs: int) -> float:
    """Exact two-sided p-value of McNemar's test from the two discordant counts."""
    n = only_ours + only_theirs
    if n == 0:
        return 1.0
    tail = sum(math.comb(n, k) for k in range(min(only_ours, only_theirs) + 1)) / 2**n
    return float(min(1.0, 2 * tail))
