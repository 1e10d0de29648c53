"""No reply breaks a scorer; `python -m tests.scoring.fuzz_math` does this at length and prints the worst times."""

import pytest

from tests.scoring.fuzz_math import ALGEBRA, PLAIN, SCORERS, fuzz


def test_any_reply_gets_a_score():
    assert set(fuzz(PLAIN, 150, slow_share=0.1)) == set(PLAIN)


def test_any_reply_gets_a_score_also_through_algebra():
    assert set(fuzz(SCORERS, 40)) == set(SCORERS)


@pytest.mark.slow
def test_whatever_takes_too_long_is_ended():
    assert max(seconds for seconds, _, _ in fuzz(ALGEBRA, 300, slow_share=0.05).values()) > 0
