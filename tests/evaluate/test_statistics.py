import math
import random

import numpy as np
import pytest

from maestro.evaluate.statistics import mcnemar, mean_interval, mutual_information, paired_difference, wilson
from maestro.evaluate.table import doubt, signed


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0, 0.277533), (10, 10, 0.722467, 1), (37, 100, 0.281824, 0.467795), (500, 1000, 0.469070, 0.530930)],
)
def test_wilson_known_answers(successes, trials, low, high):
    interval = wilson(successes, trials)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-6)
    assert interval.mean == successes / trials


def test_wilson_refuses_impossible_counts():
    with pytest.raises(ValueError, match="3 successes in 2"):
        wilson(3, 2)
    assert math.isnan(wilson(0, 0).mean)


@pytest.mark.parametrize(("b", "c", "p"), [(12, 5, 0.143463), (3, 0, 0.25), (40, 20, 0.013489), (0, 0, 1.0)])
def test_mcnemar_known_answers(b, c, p):
    assert mcnemar(b, c) == pytest.approx(p, abs=1e-6)


def test_the_bootstrap_interval_covers_the_mean_about_95_times_in_100():
    generator = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        interval = mean_interval(list(generator.exponential(1.0, 60)))
        hits += interval.low <= 1.0 <= interval.high
    assert 175 <= hits <= 199


def test_samples_of_one_question_count_once():
    values = [random.Random(i).random() for i in range(50)]
    once = mean_interval(values)
    eight_times = mean_interval([value for value in values for _ in range(8)], [i for i in range(50) for _ in range(8)])
    assert eight_times == once


def test_every_question_weighs_the_same():
    assert mean_interval([1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"]).mean == 0.5


def test_all_right_is_not_certainty():
    assert mean_interval([1.0] * 10, shares=True).low == pytest.approx(0.722467, abs=1e-6)


def test_no_cost_is_no_cost():
    interval = mean_interval([0.0] * 10)
    assert (interval.low, interval.high) == (0.0, 0.0)


def test_pairing_removes_what_questions_share():
    generator = np.random.default_rng(2)
    hardness = generator.normal(0, 1, 100)
    ours = {i: hardness[i] + 0.2 + generator.normal(0, 0.05) for i in range(100)}
    theirs = {i: hardness[i] + generator.normal(0, 0.05) for i in range(100)}
    difference = paired_difference(ours, theirs)
    assert difference.excludes_zero
    assert difference.mean == pytest.approx(0.2, abs=0.03)
    assert difference.high - difference.low < 0.05
    unpaired = [mean_interval(list(group.values())) for group in (ours, theirs)]
    assert unpaired[0].low < unpaired[1].high


def test_only_shared_questions_are_compared():
    assert paired_difference({"a": 1.0, "b": 5.0}, {"a": 0.0, "c": 9.0}).mean == 1.0
    assert paired_difference({"a": 1.0}, {"b": 1.0}).n == 0


def test_information_of_a_perfect_router_a_random_one_and_a_constant_one():
    rng = random.Random(3)
    kinds = [rng.randrange(4) for _ in range(2000)]
    perfect = mutual_information(kinds, kinds)
    assert perfect.bits == pytest.approx(2.0, abs=0.02)
    assert perfect.share == pytest.approx(1.0, abs=0.01)
    assert mutual_information(kinds, [rng.randrange(8) for _ in kinds]).bits < 0.01
    assert mutual_information(kinds, [7] * len(kinds)).bits == 0.0
    assert mutual_information([], []).bits == 0.0


def test_the_correction_removes_the_bias_of_small_samples():
    rng = random.Random(4)
    found = [mutual_information([rng.randrange(5) for _ in range(60)], [rng.randrange(8) for _ in range(60)]) for _ in range(50)]
    assert np.mean([one.plain_bits for one in found]) > 0.3
    assert np.mean([one.bits for one in found]) < 0.1


def test_few_questions_decide_nothing_however_clear_they_look():
    def difference(count, scene=None):
        ids = [str(index) for index in range(count)]
        scenes = {one: f"{int(one) % scene}" for one in ids} if scene else None
        return paired_difference(dict.fromkeys(ids, 1.0), dict.fromkeys(ids, 0.0), scenes)

    for found, decides in ((difference(8), False), (difference(20), True), (difference(40, 5), False), (difference(40, 20), True)):
        assert found.excludes_zero
        assert found.decides is decides
        assert signed(found).endswith("*") is decides
    assert "8 questions" in doubt(8)
    assert doubt(20) == ""
