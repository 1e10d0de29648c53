import pytest

from maestro.skills.observation import clipped, observed
from maestro.skills.protocol import SkillResult
from maestro.types import ObservationSettings

TEXT = "One line.\nTwo words here. And more."


def settings(limit: int = 40, **more: str) -> ObservationSettings:
    return ObservationSettings.model_validate({"max_characters": limit, **more})


def test_the_head_ends_behind_a_whole_line():
    assert clipped("answer: 7\nconfidence: 0.90\nevidence: " + "x" * 50, settings()) == "answer: 7\nconfidence: 0.90"
    assert clipped("answer: " + "7" * 50, settings(), 20) == "answer: 777777777777"
    assert clipped("answer: 7", settings(), 20) == "answer: 7"
    assert clipped("12345\n78", settings(), 5) == "12345"


@pytest.mark.parametrize(
    ("side", "boundary", "limit", "expected"),
    [
        ("tail", "character", 12, "e. And more."),
        ("tail", "word", 12, "And more."),
        ("tail", "sentence", 20, "And more."),
        ("tail", "line", 30, "Two words here. And more."),
        ("tail", "line", 25, "Two words here. And more."),
        ("tail", "line", 20, "ords here. And more."),
        ("head", "character", 12, "One line.\nTw"),
        ("head", "word", 12, "One line."),
        ("head", "sentence", 27, "One line.\nTwo words here."),
        ("head", "line", 27, "One line."),
    ],
)
def test_sides_and_boundaries(side, boundary, limit, expected):
    assert clipped(TEXT, settings(side=side, boundary=boundary), limit) == expected


def test_a_registry_may_show_the_message_itself():
    result = SkillResult("7", 0.5, message="So it is\n7")
    assert observed(result, settings()).startswith("answer: 7\nconfidence")
    assert observed(result, settings(form="message")) == "So it is\n7"
    assert observed(SkillResult("7"), settings(form="message")).startswith("answer: 7")


def test_what_was_lost_is_told_whatever_the_limit():
    result = SkillResult("7", message="x" * 100)
    text = observed(result, settings(60, side="tail", boundary="character", form="message"), ["the text", "the text", "the boxes"])
    assert text == "x" * 17 + "\nnote: answered without the text; the boxes"
    assert len(observed(result, settings(form="message"), ["y" * 90])) == 40
