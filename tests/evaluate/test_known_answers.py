"""Known answers of the statistics, from the field's own code (human-eval, lmms-eval, RouterArena, RouterBench) and statsmodels."""

import itertools
import math
import random

import numpy as np
import pytest

from maestro.errors import ConfigError
from maestro.evaluate.curves import aiq, hull, on_hull, pareto_front, router_arena, strong_share
from maestro.evaluate.pairing import holm, mcnemar_corrected, minimum_detectable, paired_t, student_tails
from maestro.evaluate.repeats import agreement, all_at_k, best_at_k, majority, pass_at_k, repeats
from maestro.evaluate.statistics import mcnemar, wilson

POINTS = [(1, 0.5), (2, 0.55), (3, 0.7), (4, 0.65)]
SHARES = [(0.0, 0.6), (25.0, 0.68), (50.0, 0.74), (75.0, 0.78), (100.0, 0.8)]
OURS, THEIRS = [1, 1, 0, 1, 1, 0, 1, 1], [1, 0, 0, 1, 0, 0, 1, 0]


@pytest.mark.parametrize(("n", "c", "k", "known"), [(8, 3, 1, 0.375), (8, 3, 4, 0.928571), (8, 0, 4, 0), (8, 5, 4, 1), (6, 2, 3, 0.8)])
def test_pass_at_k(n, c, k, known):
    assert pass_at_k(n, c, k) == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [(0, 10, 0, 0.277533), (10, 10, 0.722467, 1), (37, 100, 0.281824, 0.467795), (500, 1000, 0.469070, 0.530930)],
)
def test_wilson(right, n, low, high):
    found = wilson(right, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize(("b", "c", "known"), [(12, 5, 0.143463), (3, 0, 0.25), (40, 20, 0.013489), (0, 0, 1)])
def test_mcnemar(b, c, known):
    assert mcnemar(b, c) == pytest.approx(known, abs=1e-6)


def test_mcnemar_with_correction():
    found = mcnemar_corrected(40, 20)
    assert (found.statistic, found.p) == pytest.approx((6.016667, 0.014171), abs=1e-6)
    assert mcnemar_corrected(0, 0).p == mcnemar_corrected(1, 1).p == 1


def test_paired_t():
    found = paired_t(OURS, THEIRS)
    assert (found.mean, found.error, found.t, found.p) == pytest.approx((0.375, 0.182981, 2.049390, 0.079602), abs=1e-6)
    assert paired_t([1, 1], [0, 0]).p == 0
    assert paired_t([1, 0], [1, 0]).p == 1
    with pytest.raises(ConfigError, match="two questions"):
        paired_t([1], [0])


@pytest.mark.parametrize(
    ("t", "freedom", "known"), [(12.706205, 1, 0.05), (4.302653, 2, 0.05), (3.182446, 3, 0.05), (2.570582, 5, 0.05), (1.983972, 100, 0.05)]
)
def test_student_tails_meet_the_printed_tables(t, freedom, known):
    assert student_tails(t, freedom) == student_tails(-t, freedom) == pytest.approx(known, abs=1e-6)
    assert student_tails(0, freedom) == pytest.approx(1)


@pytest.mark.parametrize(
    ("t", "freedom", "known"),
    [(18.41712300776428, 4163, 7.0002108e-73), (10.0, 299, 1.68814573e-20), (40.0, 4163, 2.36890047e-296), (200.0, 1, 0.0031830723)],
)
def test_small_tails_are_no_rounding_noise(t, freedom, known):
    """Values of SciPy."""
    assert student_tails(t, freedom) == pytest.approx(known, rel=1e-6)
    assert student_tails(math.inf, freedom) == 0


@pytest.mark.parametrize(
    ("cost", "accuracy", "known"),
    [(0.15, 0.70, 0.697254), (10, 0.75, 0.650378), (200, 0.9, 0), (0.0044, 0.5, 0.523810), (0, 0.5, 0.523810)],
)
def test_router_arena(cost, accuracy, known):
    assert router_arena(cost, accuracy) == pytest.approx(known, abs=1e-6)


def test_aiq_under_both_conventions():
    assert hull(POINTS) == [(1, 0.5), (3, 0.7)]
    assert on_hull(hull(POINTS), 2) == pytest.approx(0.6)
    found = aiq(POINTS)
    assert found.code == pytest.approx(0.475)
    assert found.paper == pytest.approx(1.9 / 3)
    assert aiq([(1.0, 0.5)], largest=2).code == pytest.approx(0.25)
    assert (aiq([(0.0, 0.5)]).paper, aiq([(0.0, 0.5)]).code) == (0.5, 0)
    with pytest.raises(ConfigError, match="cheapest"):
        on_hull(hull(POINTS), 0.5)


def test_route_llm():
    found = strong_share(SHARES)
    assert (found.area, found.apgr) == pytest.approx((0.725, 0.625))
    assert found.call_threshold(50) == pytest.approx(33.333, abs=1e-3)
    assert (found.call_threshold(0), found.call_threshold(100)) == (0, pytest.approx(100))
    with pytest.raises(ConfigError, match="100 %"):
        strong_share(SHARES[:3])
    with pytest.raises(ConfigError, match="better"):
        strong_share([(0.0, 0.8), (100.0, 0.6)])


def test_the_front_holds_whatever_is_not_beaten():
    assert pareto_front(POINTS) == [(1, 0.5), (2, 0.55), (3, 0.7)]
    rng = random.Random(3)
    points = [(rng.random(), rng.random()) for _ in range(60)]
    front = set(pareto_front(points))
    for point in points:
        beaten = any(other != point and other[0] <= point[0] and other[1] >= point[1] for other in points)
        assert (point in front) != beaten
    corners = hull(points)
    assert all(on_hull(corners, cost) >= quality - 1e-12 for cost, quality in points)


def test_holm_steps_down():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_smallest_difference_that_is_found():
    assert minimum_detectable(0.01) == pytest.approx(0.028016, abs=1e-6)


def test_expectations_over_samples_equal_counting_every_choice():
    scores = [0.2, 1.0, 0.0, 1.0, 0.7]
    for k in range(1, 6):
        choices = list(itertools.combinations(scores, k))
        assert best_at_k(scores, k) == pytest.approx(np.mean([max(choice) for choice in choices]))
        assert pass_at_k(5, 2, k) == pytest.approx(np.mean([max(choice) == 1.0 for choice in choices]))
        assert all_at_k(5, 2, k) == pytest.approx(np.mean([min(choice) == 1.0 for choice in choices]))
    with pytest.raises(ConfigError, match="k <= n"):
        pass_at_k(3, 1, 4)


def test_the_majority_is_the_first_of_the_most_frequent():
    assert majority([1, 0, 0], ["7", "8", "8"]) == 0
    assert majority([1, 0], ["7", "8"]) == 1
    assert majority([0, 0, 1], [None, None, "7"]) == 1
    assert majority([0, 0], [None, None]) == 0
    assert agreement(["7", "8", "8", None]) == 0.5


def test_repeats_of_questions():
    found = repeats([[1, 0, 1, 1], [0, 0, 0, 0]], [["a", "b", "a", "a"], ["c", "d", "e", "f"]])
    assert found.n == 4
    assert found.mean == pytest.approx(0.375)
    assert found.pass_at == pytest.approx({1: 0.375, 2: 0.5, 4: 0.5})
    assert found.all_at == pytest.approx({1: 0.375, 2: 0.25, 4: 0.0})
    assert found.majority == 0.5
    assert found.consistency == 0.5
    assert found.as_dict()["pass@2"] == 0.5
    assert math.isclose(found.as_dict()["mean@4"], 0.375)
    with pytest.raises(ConfigError, match="between 1 and 2"):
        repeats([[1], [1, 0]], [["a"], ["a", "b"]])
