"""What each profile's rule is known for, case by case: the lines of `profile_cases.jsonl` bring the score they expect."""

from pathlib import Path

import pytest

from maestro.scoring import score
from maestro.scoring.lines import score_lines
from maestro.scoring.shapes import shapes_of
from maestro.types import Task
from tests.scoring.scored import scored

CASES = Path(__file__).with_name("profile_cases.jsonl")


def test_every_case():
    found = list(score_lines(CASES.read_bytes().splitlines()))
    assert [one.error for one in found if one.error] == []
    assert [one.as_json() for one in found if one.score.score != pytest.approx(one.fields["expected"], abs=1e-6)] == []
    assert len({one.benchmark for one in found}) > 30


@pytest.mark.parametrize(
    ("value", "shapes"),
    [
        (None, ()),
        ([1, 2, 3, 4], ("[1, 2, 3, 4]",)),
        ([[1, 2, 3, 4], [5, 6, 7, 8]], ("[1, 2, 3, 4]", "[5, 6, 7, 8]")),
        ([[1, 2], [3, 4]], ("[1, 2, 3, 4]",)),
        ({"bbox": [1, 2, 3, 4]}, ("[1, 2, 3, 4]",)),
        ({"x1": 1, "y1": 2, "x2": 3, "y2": 4}, ("[1, 2, 3, 4]",)),
        ({"x": 1, "y": 2, "width": 3, "height": 4}, ("[1, 2, 4, 6]",)),
        ("1 2 3 4", ("1 2 3 4",)),
        (["1", "2", "3", "4"], ("1", "2", "3", "4")),
        ([], ()),
    ],
)
def test_boxes_and_polygons_in_odd_forms(value, shapes):
    assert shapes_of(value) == shapes


def test_a_pair_of_options_listed_in_one_line_settles_nothing():
    assert (
        scored("choice", "B. blue C. blue jay", "B", ["red", "blue", "blue jay"]).reason == "options are listed, none stated as the answer"
    )
    assert scored("choice", "B is the correct answer because A is wrong.", "B").reason == "called the answer"


@pytest.mark.parametrize(("answer", "right"), [("5", 1), ("$5$", 1), (r"\boxed{5}", 1), ("6", 0), (r"5 \boxed{6}", 0), (" ", 0), (None, 0)])
def test_an_answer_of_an_episode_stands_for_the_box_that_geometry3k_reads(answer, right):
    assert score(Task(id="t", question="?", references=("5",), profile="geometry3k"), answer).score == right
    assert scored("geometry3k", "5", "5").score == 0
