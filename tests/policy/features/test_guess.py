"""A word that no call has brought is said only where it is worth saying."""

from __future__ import annotations

from maestro.policy.features.guess import WORTH, said_or_nothing
from maestro.types import Answer, Call, Observation

CALL = Call(expert="eye", skill="read")
SEEN = [(CALL, Observation(value="Bakery ", confidence=0.1)), (CALL, Observation(text="answer: none"))]


def test_a_guess_that_is_hardly_worth_anything_is_not_made() -> None:
    assert said_or_nothing(Answer(text="light"), WORTH - 0.01, SEEN) == Answer(text="unknown")
    assert said_or_nothing(Answer(text="light"), WORTH, SEEN) == Answer(text="light")


def test_what_a_call_brought_is_said_whatever_it_is_worth() -> None:
    assert said_or_nothing(Answer(text="bakery"), 0.01, SEEN) == Answer(text="bakery")


def test_a_call_is_made_whatever_it_is_worth() -> None:
    assert said_or_nothing(CALL, -1.0, []) == CALL
