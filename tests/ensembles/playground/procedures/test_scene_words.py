import pytest

from maestro.ensembles.playground.procedures.scene_words import (
    colours_in,
    frame_colour,
    is_kind,
    objects_in,
    shapes_in,
    without_frame,
    written_colour,
)


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("the red circle", [("red", "circle")]),
        ("Is the violet disc above the grey box?", [("purple", "circle"), ("gray", "square")]),
        ("How many blue ones among the stars?", [("blue", None), (None, "star")]),
        ("How many dots are teal?", [(None, "circle"), ("cyan", None)]),
        ("How many items?", []),
    ],
)
def test_things_are_read_in_order_with_synonyms_and_plurals(text, things):
    assert objects_in(text) == things


def test_a_frame_says_where_and_not_what():
    text = "How many boxes are inside the Red box?"
    assert frame_colour(text) == "red"
    assert colours_in(without_frame(text)) == []
    assert shapes_in(without_frame(text)) == ["square"]
    assert frame_colour("Count the red boxes.") is None


def test_spelling_follows_the_questioner():
    assert written_colour("gray", "Which color? (gray or black)") == "gray"
    assert written_colour("gray", "Which colour?") == "grey"
    assert written_colour("red", "Which colour?") == "red"


def test_kinds_that_go_by_one_word():
    assert is_kind("ring", "circle")
    assert is_kind("diamond", "square")
    assert not is_kind("triangle", "square")
