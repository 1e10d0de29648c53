import pytest

from maestro.errors import TaskError
from maestro.images import ImageStore
from maestro.tasks.opening import file_source, task_source
from maestro.tasks.problems import MOST, BrokenRows
from maestro.tasks.source import ContentSource, CountedSource, SearchableSource, TaskSource, TeachingSource
from tests.tasks.rows import encoded, original_row, picture, write_jsonl, write_parquet


def rows(count, **changes):
    return [{"id": f"q{number}", "question": f"Question {number}?", "answer": "x", **changes} for number in range(count)]


def test_it_is_a_task_source(tmp_path):
    source = file_source(write_jsonl(tmp_path / "t.jsonl", rows(1)))
    assert isinstance(source, TaskSource)
    assert isinstance(source, ContentSource)
    assert isinstance(source, CountedSource)
    assert isinstance(source, SearchableSource)
    assert not isinstance(source, TeachingSource)


def test_every_problem_of_every_row_is_told_at_once(tmp_path, images):
    broken = [{"question": 1, "choices": 2}, "{", {"question": "Q", "image": "none.png"}]
    path = write_jsonl(tmp_path / "t.jsonl", [*rows(2), *broken])
    with pytest.raises(BrokenRows) as caught:
        file_source(path).load("all", None, images)
    assert [problem.line for problem in caught.value.problems] == [3, 3, 4, 5]
    assert "3 lines cannot be used" in str(caught.value)
    assert "No row is skipped" in str(caught.value)


def test_reading_ends_after_many_broken_rows(tmp_path, images):
    path = write_jsonl(tmp_path / "t.jsonl", [{"question": ""} for _ in range(MOST + 30)])
    with pytest.raises(BrokenRows) as caught:
        file_source(path).load("all", None, images)
    assert len(caught.value.problems) == MOST
    assert f"from line {MOST + 1} on, was not looked at" in str(caught.value)
    assert f"and {MOST - 20} more problems" in str(caught.value)


def test_the_limit_reads_no_further(tmp_path, images):
    path = write_jsonl(tmp_path / "t.jsonl", [*rows(3), "{"])
    source = file_source(path)
    assert [task.id for task in source.load("all", 2, images)] == ["q0", "q1"]
    assert source.count("all", 2) == 2
    assert source.load("all", 0, images) == []
    with pytest.raises(TaskError, match="limit must be 0 or more"):
        source.load("all", -1, images)


def test_an_id_that_is_taken_is_told_with_both_lines(tmp_path, images):
    path = write_jsonl(tmp_path / "t.jsonl", [*rows(2), *rows(1)])
    with pytest.raises(BrokenRows, match="line 3, the id 'q0' is that of line 1 already"):
        file_source(path).load("all", None, images)


def test_splits_are_those_of_the_rows_in_order(tmp_path, images):
    named = [
        {"question": "A?", "split": "val"},
        {"question": "B?"},
        {"question": "C?", "split": "train"},
        {"question": "D?", "split": "val"},
    ]
    source = file_source(write_jsonl(tmp_path / "t.jsonl", named))
    assert source.splits == ("val", "all", "train")
    assert [task.question for task in source.load("val", None, images)] == ["A?", "D?"]
    with pytest.raises(TaskError, match=r": no split 'vla'; did you mean val"):
        source.load("vla", None, images)


def test_a_row_without_a_readable_split_is_told_whatever_is_loaded(tmp_path, images):
    source = file_source(write_jsonl(tmp_path / "t.jsonl", [*rows(1, split="a"), *rows(1, split="b"), {"question": "Q", "split": 3}]))
    for split in ("a", "b"):
        with pytest.raises(BrokenRows, match="line 3, split: must be text"):
            source.load(split, None, images)


def test_one_task_is_found_by_its_id(tmp_path):
    picture().save(tmp_path / "a.png")
    source = file_source(write_jsonl(tmp_path / "t.jsonl", [*rows(3, image="broken.png"), *rows(1, id="wanted", image="a.png")]))
    images = ImageStore()
    found = source.find("wanted", images)
    assert found is not None
    assert images.pixels(found.images[0]).size == (12, 8)
    assert source.find("other", images) is None


def test_a_category_is_found_however_far_behind_it_stands(tmp_path, images):
    table = [*rows(150, category="common", image="broken.png"), *rows(1, id="r1", category="rare"), *rows(1, id="r2", category="rare")]
    source = file_source(write_jsonl(tmp_path / "t.jsonl", table))
    assert [task.id for task in source.of_category("all", "rare", 5, images)] == ["r1", "r2"]
    assert [task.id for task in source.of_category("all", "rare", 1, images)] == ["r1"]
    with pytest.raises(TaskError, match=r"no category in .* 'rar'; did you mean rare"):
        source.of_category("all", "rar", 1, images)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.jsonl", "", "has no task in it: it is empty"),
        ("t.jsonl", "hello\n", "has no task in it: line 1 is no JSON"),
        ("t.jsonl", '{"text": "x"}\n', "has the columns text, which is no form of tasks"),
        ("t.parquet", "hello", "is no Parquet file, or is damaged"),
        ("t.csv", "question", "does not end in .parquet or .jsonl"),
    ],
)
def test_files_that_hold_no_tasks(tmp_path, name, content, told):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(TaskError, match=told.replace(".", r"\.")):
        _ = task_source(str(path)).splits


def test_an_empty_table_has_no_rows(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist([original_row()])[:0], tmp_path / "t.parquet")
    with pytest.raises(TaskError, match="has no rows"):
        _ = file_source(tmp_path / "t.parquet").splits


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path, images):
    (tmp_path / "t.jsonl").write_bytes(b'\xef\xbb\xbf{"question": "Q?"}\n')
    assert file_source(tmp_path / "t.jsonl").load("all", None, images)[0].question == "Q?"


def test_of_a_table_only_the_rows_asked_for_are_decoded(tmp_path, images):
    """A damaged image behind the limit, or in another split, is never looked at."""
    bad = [{"bytes": b"not an image", "path": None}]
    table = [original_row(number, images=bad if number in {40, 90} else None) for number in range(100)]
    for row in table[:50]:
        row["extra_info"]["split"] = "val"
    source = file_source(write_parquet(tmp_path / "t.parquet", table, row_group_size=30))
    assert source.splits == ("val", "train")
    assert len(source.load("val", 40, images)) == 40
    assert [task.id for task in source.load("train", 3, images)] == ["chartqa/train/50", "chartqa/train/51", "chartqa/train/52"]
    with pytest.raises(BrokenRows, match=r"row 91, images\[0\]: 12 bytes is not an image"):
        source.load("train", None, images)


def test_unknown_heavy_columns_of_a_table_are_not_read(tmp_path, images):
    row = {"prompt": "Q?", "answer": "x", "image": {"bytes": encoded(picture()), "path": None}, "embedding": [0.0] * 8}
    (task,) = file_source(write_parquet(tmp_path / "t.parquet", [row])).load("all", None, images)
    assert len(task.images) == 1


def test_progress_is_told(tmp_path, images):
    told = []
    file_source(write_jsonl(tmp_path / "t.jsonl", rows(3))).load("all", None, images, told.append)
    assert told == [1, 2, 3]


def test_the_digest_is_that_of_the_content(tmp_path):
    first, second = (write_jsonl(tmp_path / name, rows(2)) for name in ("a.jsonl", "b.jsonl"))
    assert file_source(first).content_digest == file_source(second).content_digest
    write_jsonl(second, rows(3))
    assert file_source(first).content_digest != file_source(second).content_digest


def test_names_are_registered_sources_first_then_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "t.jsonl", rows(1))
    assert task_source("playground").name == "playground"
    assert task_source("t.jsonl").name == "t.jsonl"
    for name, told in (("nothing.jsonl", "there is no file or folder nothing.jsonl"), ("plaground", "did you mean playground?")):
        with pytest.raises(TaskError, match=told):
            task_source(name)
