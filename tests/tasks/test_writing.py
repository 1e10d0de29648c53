"""Built files give the same tasks and the same pixels back, bit for bit, in every format."""

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image
from pyarrow import parquet

from maestro.errors import TaskError
from maestro.images import ImageStore
from maestro.tasks.opening import file_source
from maestro.tasks.wrapping import wrapping_of
from maestro.tasks.writing import SUFFIX, write_tasks
from maestro.types import Task
from tests.tasks.rows import REMINDER, SYSTEM, original_row, picture, write_parquet

FORMATS = list(SUFFIX)


def tasks_and_images():
    images = ImageStore()
    one, two = images.put(picture("red")), images.put(picture("blue", (30, 7)))
    return images, [
        Task(id="mine/val/a", question="Which? §", images=(one,), references=("left", "A"), choices=("left", "right"), source="mine/val"),
        Task(
            id="x",
            question="[image 2] and?",
            images=(one, two),
            profile="number",
            params={"relative": 0.05, "of": [1, None]},
            source="m/val",
        ),
        Task(id="playground/val/f/0", question="No picture?", references=("4",), source="m/val", category="f", cluster="c"),
    ]


def back(path, split="val"):
    images = ImageStore()
    return images, file_source(path).load(split, None, images)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_tasks_and_pixels_come_back(tmp_path, form):
    images, tasks = tasks_and_images()
    path = tmp_path / f"t{SUFFIX[form]}"
    write_tasks(path, form, tasks, images)
    again, found = back(path)
    assert found == tasks
    for task in tasks:
        for name in task.images:
            assert again.pixels(name).tobytes() == images.pixels(name).tobytes()
    assert not list(tmp_path.glob("*.part"))


text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(lambda value: value.strip() == value != "")
some_tasks = st.lists(
    st.builds(
        lambda **parts: Task(source="hyp/val", **parts),
        id=text,
        question=text,
        references=st.lists(text, max_size=3).map(tuple),
        choices=st.lists(st.text(max_size=5).filter(lambda value: "\x00" not in value), max_size=3).map(tuple),
        profile=text,
        params=st.dictionaries(text, st.integers(-5, 5) | st.booleans() | text, max_size=2),
        category=text | st.just(""),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda task: task.id,
)


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tasks=some_tasks)
def test_any_text_comes_back(tmp_path, form, tasks):
    path = tmp_path / f"t{SUFFIX[form]}"
    path.unlink(missing_ok=True)
    write_tasks(path, form, tasks, ImageStore())
    assert back(path)[1] == tasks


@pytest.mark.parametrize("form", FORMATS)
def test_one_format_after_the_other_changes_nothing(tmp_path, form):
    source = file_source(write_parquet(tmp_path / "first.parquet", [original_row(3), original_row(9, question="Another?")]))
    images = ImageStore()
    tasks = source.load("train", None, images)
    write_tasks(tmp_path / f"t{SUFFIX[form]}", form, tasks, images)
    assert back(tmp_path / f"t{SUFFIX[form]}", "train")[1] == tasks


def test_the_original_schema_has_exactly_its_names_and_types(tmp_path):
    images, tasks = tasks_and_images()
    write_tasks(tmp_path / "t.parquet", "original", tasks, images)
    schema = parquet.read_schema(tmp_path / "t.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "data_source": "string",
        "prompt": "list<element: struct<role: string, content: string>>",
        "ability": "string",
        "extra_info": "struct<answer: list<element: string>, index: int64, question: string, split: string>",
        "images": "list<element: struct<bytes: binary, path: string>>",
        "reward_model": "struct<ground_truth: list<element: string>, style: string>",
    }


def test_a_row_of_the_original_is_written_as_it_was(tmp_path):
    row = original_row(2511)
    path = write_parquet(tmp_path / "theirs.parquet", [row])
    images = ImageStore()
    tasks = file_source(path).load("train", None, images)
    write_tasks(tmp_path / "ours.parquet", "original", tasks, images, wrapping_of(path))
    (written,) = parquet.read_table(tmp_path / "ours.parquet").to_pylist()
    for column in ("data_source", "prompt", "extra_info", "reward_model"):
        assert written[column] == row[column]
    assert written["prompt"][0]["content"] == SYSTEM
    assert written["prompt"][1]["content"].endswith(REMINDER)
    assert (parquet.read_metadata(tmp_path / "ours.parquet").metadata or {}).get(b"maestro.tasks") is None


def test_a_question_changed_behind_our_back_is_noticed(tmp_path):
    images, tasks = tasks_and_images()
    write_tasks(tmp_path / "t.parquet", "original", tasks[:1], images)
    table = parquet.read_table(tmp_path / "t.parquet")
    (row,) = table.to_pylist()
    row["extra_info"]["question"] = "<image>Something else?"
    row["prompt"][0]["content"] = "<image>Something else?"
    parquet.write_table(pa.Table.from_pylist([row], schema=table.schema), tmp_path / "u.parquet")
    with pytest.raises(TaskError, match=r"extra_info\.question: has changed since the file was built"):
        back(tmp_path / "u.parquet")


def test_trl_and_datasets_see_images(tmp_path):
    datasets = pytest.importorskip("datasets")
    images, tasks = tasks_and_images()
    write_tasks(tmp_path / "t.parquet", "trl", tasks, images)
    found = datasets.Dataset.from_parquet(str(tmp_path / "t.parquet"), cache_dir=str(tmp_path / "cache"))
    assert isinstance(found[0]["images"][0], Image.Image)
    assert found[0]["images"][0].tobytes() == images.pixels(tasks[0].images[0]).tobytes()
    assert found[0]["prompt"] == [{"role": "user", "content": "Which? §"}]
    assert found[0]["answer"] == "left"


@pytest.mark.parametrize(
    ("name", "form", "told"),
    [("t.jsonl", "trl", "does not end in .parquet"), ("there.parquet", "original", "nothing is overwritten")],
)
def test_targets_that_are_refused(tmp_path, name, form, told):
    (tmp_path / "there.parquet").write_text("mine")
    with pytest.raises(TaskError, match=told):
        write_tasks(tmp_path / name, form, [], ImageStore())
    assert (tmp_path / "there.parquet").read_text() == "mine"


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (Task(id="t", question="Is <image> a word?", source="a/b"), "holds <image>, which marks images"),
        (Task(id="t", question="Q", references=("only text",), source="microvqa/val"), "cannot be written in the original's schema"),
    ],
)
def test_tasks_that_the_schema_cannot_hold(tmp_path, task, told):
    with pytest.raises(TaskError, match=told):
        write_tasks(tmp_path / "t.parquet", "original", [task], ImageStore())
    assert not list(tmp_path.iterdir())
