"""A word that no call has brought is said only where it is worth saying."""

from __future__ import annotations

import numpy as np

from maestro.policy.features.guess import WORTH, settled, worth
from maestro.types import Action, Answer, Call, Observation

CALL = Call(expert="eye", skill="read")
SEEN = [(CALL, Observation(value="Bakery ", confidence=0.1)), (CALL, Observation(text="answer: none"))]
ACTIONS: list[Action] = [CALL, Answer(text="light"), Answer(text="bakery"), Answer(text="dark")]


def taken(*values: float, steps: list[tuple[Call, Observation]] = SEEN) -> Action:
    numbers = np.array(values, dtype=np.float32)
    return settled(ACTIONS, numbers, int(numbers.argmax()), steps)


def test_a_guess_that_is_hardly_worth_anything_gives_way_to_what_a_call_brought() -> None:
    assert taken(0.0, WORTH - 0.1, 0.05, 0.0) == Answer(text="bakery")
    assert taken(0.0, WORTH + 0.01, 0.05, 0.0) == Answer(text="light")


def test_where_no_call_brought_anything_it_says_so() -> None:
    assert taken(0.0, WORTH - 0.1, 0.05, 0.0, steps=[]) == Answer(text="unknown")
    region = [(CALL, Observation(value="light", gives="region"))]
    assert taken(0.0, WORTH - 0.1, 0.05, 0.0, steps=region) == Answer(text="unknown")


def test_what_a_call_brought_is_said_whatever_it_is_worth() -> None:
    assert taken(-1.0, -1.0, 0.01, -1.0) == Answer(text="bakery")


def test_a_call_is_made_whatever_it_is_worth() -> None:
    assert taken(-0.1, -0.2, -0.3, -0.4) == CALL


def test_an_action_is_worth_what_it_was_valued_at() -> None:
    values = np.array([0.3, 1.2, -0.1, 0.0], dtype=np.float32)
    assert [worth(action, ACTIONS, values) for action in ACTIONS] == [0.3, 1.0, -0.1, 0.0]
    assert worth(Answer(text="unknown"), ACTIONS, values) is None
