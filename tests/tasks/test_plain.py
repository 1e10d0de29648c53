import pytest

from maestro.tasks.opening import task_source
from maestro.tasks.problems import BrokenRows
from tests.tasks.rows import picture, write_jsonl


def load(path, images, split=None, limit=None):
    source = task_source(str(path))
    return source.load(split or source.splits[0], limit, images)


def test_every_column_becomes_its_part_of_the_task(tmp_path, images):
    picture().save(tmp_path / "a.png")
    picture("blue").save(tmp_path / "b.png")
    row = {
        "id": "q1",
        "question": " Which one? ",
        "images": ["a.png", "b.png"],
        "answers": ["left", "A"],
        "choices": ["left", "right"],
        "profile": "number",
        "params": {"absolute": 0.5},
        "category": "sides",
        "cluster": "scene-4",
        "source": "mine",
        "split": "val",
    }
    (task,) = load(write_jsonl(tmp_path / "t.jsonl", [row]), images)
    assert task.id == "q1"
    assert task.question == "Which one?"
    assert [images.pixels(name).getpixel((5, 5)) for name in task.images] == [(255, 0, 0), (0, 0, 255)]
    assert (task.references, task.choices) == (("left", "A"), ("left", "right"))
    assert (task.profile, task.params) == ("number", {"absolute": 0.5})
    assert (task.category, task.cluster, task.source) == ("sides", "scene-4", "mine/val")


def test_a_question_alone_is_a_task(tmp_path, images):
    (first, second) = load(write_jsonl(tmp_path / "t.jsonl", [{"question": "Why?", "answer": 4}, "", {"question": "How?"}]), images)
    assert (first.id, first.references, first.profile, first.source) == ("t/all/1", ("4",), "exact", "t/all")
    assert (second.id, second.references, second.images) == ("t/all/3", (), ())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"question": "Q", "anwser": "x"}, "no column 'anwser'; did you mean answer"),
        ({"question": "Q", "answer": "x", "answers": ["y"]}, "answers: stands beside answer; give one of them"),
        ({"question": "Q", "image": "a.png", "images": []}, "images: stands beside image"),
        ({"question": 5}, "question: must be text, not a number (5)"),
        ({"question": "  "}, "question: is empty"),
        ({"id": "x", "question": None}, "question: is missing"),
        ({"question": "Q", "answer": True}, "answer: must be text, a number or a list of them, not true or false"),
        ({"question": "Q", "answers": ["x", " "]}, "answers: has an empty answer"),
        ({"question": "Q", "choices": "A, B"}, "choices: must be a list of texts, not text"),
        ({"question": "Q", "params": [1]}, "params: must be a mapping, not such a list"),
        ({"question": "Q", "images": [{}]}, "images[0]: must be a path, or a struct with bytes or path"),
        ({"question": "Q", "images": ["no.png"]}, "images[0]: no image at"),
        ({"question": "Q", "image": "https://example.org/a.png"}, "is an address, not a file"),
        ("[1, 2]", "is no JSON object but [1, 2]"),
        ('{"question": ', "is no JSON"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_column(tmp_path, images, row, told):
    path = write_jsonl(tmp_path / "t.jsonl", [{"question": "Fine?"}, row])
    with pytest.raises(BrokenRows) as caught:
        load(path, images)
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (str(path), 2)
    assert told in problem.message
    assert f"  line 2, {problem.message}" in str(caught.value)
