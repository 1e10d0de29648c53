import pytest

from maestro.tasks.opening import file_source
from maestro.tasks.original import unmarked
from maestro.tasks.problems import BrokenRows
from tests.tasks.rows import encoded, original_row, picture, write_jsonl, write_parquet


def load(tmp_path, images, *rows):
    return file_source(write_parquet(tmp_path / "t.parquet", list(rows))).load("train", None, images)


def test_a_row_is_a_task(tmp_path, images):
    (task,) = load(tmp_path, images, original_row(2511))
    assert task.id == "chartqa/train/2511"
    assert task.question == "What is the largest bar?"
    assert task.references == ("14",)
    assert task.profile == "compat-original:chartqa"
    assert (task.source, task.category) == ("chartqa/train", "chartqa")
    assert images.pixels(task.images[0]).size == (12, 8)


@pytest.mark.parametrize(
    ("source", "truth", "profile", "references"),
    [
        ("geometry3k", ["2 \\sqrt { 3 }"], "compat-original:geometry3k", ("2 \\sqrt { 3 }",)),
        ("tallyqa", ["4"], "number", ("4",)),
        ("msearthmcq", ["C", "type of rock"], "compat-original:msearthmcq", ("C", "type of rock")),
        ("microvqa", ["A", "mitosis"], "compat-original:microvqa", ("A", "mitosis")),
        ("slake", ["Yes"], "compat-original:slake", ("Yes",)),
        ("vstar", ["red"], "compat-original:vstar", ("red",)),
        ("zwz", ["B"], "compat-original:zwz", ("B",)),
        ("elsewhere", ["x", "y"], "compat-original:elsewhere", ("x", "y")),
        ("geometry3k", "5", "compat-original:geometry3k", ("5",)),
        ("geometry3k", {"target": "5"}, "compat-original:geometry3k", ("5",)),
    ],
)
def test_ground_truth_and_profile_of_every_data_source(tmp_path, images, source, truth, profile, references):
    (task,) = load(tmp_path, images, original_row(data_source=source, reward_model={"ground_truth": truth, "style": "rule"}))
    assert (task.profile, task.references) == (profile, references)


ONE = [{"bytes": encoded(picture()), "path": None}]
USER = "<image>What is the largest bar?"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"images": ONE * 2}, "extra_info.question: has 1 <image> markers for 2 images"),
        ({"images": []}, "prompt: has 1 <image> markers for 0 images"),
        ({"prompt": [{"role": "user", "content": "What is the largest bar?"}]}, "prompt: has 0 <image> markers for 1 images"),
        ({"prompt": [{"role": "user", "content": "<image>Something else"}]}, "extra_info.question: is not what the user message"),
        ({"prompt": [{"role": "user", "content": USER}] * 2}, "prompt: has 2 user messages"),
        ({"prompt": [{"role": "user", "content": USER}, {"role": "assistant", "content": "x"}]}, "prompt[1].role: is 'assistant'"),
        ({"data_source": None}, "data_source: is missing"),
        ({"data_source": "microvqa"}, "reward_model.ground_truth: of microvqa must be [letter, text of that option], not ['14']"),
        (
            {"data_source": "msearthmcq", "reward_model": {"ground_truth": ["granite", "A"], "style": "rule"}},
            "reward_model.ground_truth: of msearthmcq must be",
        ),
        ({"images": [{"bytes": None, "path": None}]}, "images[0]: must be a path, or a struct with bytes or path"),
        ({"images": [{"bytes": None, "path": "gone.jpg"}]}, "images[0]: no image at"),
        ({"videos": ["a.mp4"]}, "videos: cannot be read"),
    ],
)
def test_rows_that_ended_as_questions_without_pictures_are_errors(tmp_path, images, changes, told):
    row = {**original_row(), **changes}
    with pytest.raises(BrokenRows) as caught:
        load(tmp_path, images, row)
    assert told in str(caught.value)
    assert {problem.line for problem in caught.value.problems} == {1}


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("<image>Why?", "Why?"),
        ("<image>\n<image>\nWhy?", "Why?"),
        ("Compare <image> with <image>.", "Compare [image 1] with [image 2]."),
        ("<image>Is it in <image>?", "Is it in [image 2]?"),
        ("Why?", "Why?"),
    ],
)
def test_markers_are_taken_out(marked, plain):
    assert unmarked(marked) == plain


def test_a_question_alone_in_the_prompt_is_enough(tmp_path, images):
    row = original_row(prompt=[{"role": "user", "content": "<image>\nWhy?"}], extra_info={"index": 3, "split": "train"})
    assert load(tmp_path, images, row)[0].question == "Why?"


def test_the_same_rows_as_jsonl(tmp_path, images):
    picture().save(tmp_path / "a.png")
    path = write_jsonl(tmp_path / "t.jsonl", [original_row(images=[{"path": "a.png"}])])
    (task,) = file_source(path).load("train", None, images)
    assert (task.id, task.profile) == ("chartqa/train/7", "compat-original:chartqa")
    assert images.pixels(task.images[0]).tobytes() == picture().tobytes()
