import pytest

from maestro.policy.baselines.similarity import QuestionIndex, analogous, direct_answer


@pytest.mark.parametrize(
    ("question", "example", "answer", "expected"),
    [
        ("The sign says 42. What number?", "The sign says 7. What number?", "7", "42"),
        ("A total of 3.50 was paid. How much?", "A total of 12.75 was paid. How much?", "12.75", "3.50"),
        ("Her name is Anna Lee. What is her name?", "Her name is Bo Ray. What is her name?", "Bo Ray", "Anna Lee"),
        ("What colour is the sky?", "What colour is the wall?", "white", "white"),
        ("Is the red or the blue one larger?", "Is the green or the red one larger?", "green", "red"),
        ("", "The sign says 7.", "7", "7"),
    ],
)
def test_answers_by_analogy(question, example, answer, expected):
    assert analogous(question, example, answer) == expected


def test_the_majority_of_examples_decides_a_direct_answer():
    examples = [("What colour is the wall?", "white"), ("What colour is the floor?", "grey"), ("What colour is a door?", "grey")]
    assert direct_answer("What colour is the roof?", examples) == "grey"


def test_nearest_questions_first_and_numbers_do_not_matter():
    index = QuestionIndex(["How many circles are there?", "What is 3 + 4?", "How many red circles?", "What is 88 - 1?"])
    assert index.nearest(["How many circles do you see?"], 2)[0].tolist() == [0, 2]
    assert set(index.nearest(["What is 17 + 25?"], 2)[0].tolist()) == {1, 3}


def test_a_question_is_not_its_own_neighbour_when_told_so():
    questions = [f"Question about {word}" for word in ("cats", "dogs", "birds")]
    nearest = QuestionIndex(questions).nearest(questions, 5, skip_self=True)
    assert nearest.shape == (3, 2)
    assert all(row not in found for row, found in enumerate(nearest.tolist()))
