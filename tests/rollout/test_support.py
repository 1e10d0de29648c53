"""Who said the answer."""

import pytest

from maestro.rollout.support import supported
from maestro.types import Answer, Call, Decision, Observation, Turn

CALL = Call(expert="eye", skill="look")


def turn(observation: Observation | None) -> Turn:
    return Turn(decision=Decision(text=""), action=CALL if observation else Answer(text="x"), observation=observation)


def found(value: str | None, gives: str = "answer") -> Turn:
    shown = "none" if value is None else value
    text = f"{gives}: {shown}\nconfidence: 0.10\nevidence: 28 words, light"
    return turn(Observation(text=text, value=value, gives=gives))


@pytest.mark.parametrize(
    ("answer", "value"),
    [("Red", " red "), ("5", "5.0"), ("It is 42.", "42"), ("BAKERY", "The sign says bakery."), ("1,250", "1,250"), ("-3", "-3")],
)
def test_what_a_call_gave_is_supported(answer, value):
    assert supported(answer, [found(None), found(value)])


@pytest.mark.parametrize(
    ("answer", "value"), [("light", None), ("none", None), ("5", "15"), ("5", "2.5"), ("2", "2.5"), ("right", "bright"), ("", "red")]
)
def test_words_of_the_policy_are_not(answer, value):
    assert not supported(answer, [found(value)])


def test_without_a_call_nobody_said_it():
    assert not supported("Paris", [])


def test_the_input_of_a_further_call_supports_only_itself():
    assert not supported("5", [found("5*x+3=28", "expression")])
    assert supported("5*x+3=28", [found("5*x+3=28", "expression")])
    assert not supported("10", [found("10,20,30,40", "region")])


def test_a_message_counts_as_a_whole():
    message = "The bars are 4, 7 and 9.\nSo the tallest is the third."
    assert supported("9", [turn(Observation(text=message, value="So the tallest is the third."))])


def test_a_letter_stands_for_its_choice():
    assert supported("B", [found("blue")], choices=("red", "blue"))
    assert supported("(b)", [found("blue")], choices=("red", "blue"))
    assert not supported("A", [found("blue")], choices=("red", "blue"))
    assert not supported("C", [found("blue")], choices=("red", "blue"))


def test_an_error_supports_nothing():
    assert not supported("light", [turn(Observation(text="error: no light", status="policy_error"))])
