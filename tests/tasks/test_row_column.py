"""Rows and columns of a recorded folder of any name, and a file in another encoding."""

import json

import pytest

from maestro.errors import TaskError
from maestro.images import ImageStore
from maestro.scoring.profiles import PROFILES
from maestro.tasks.opening import task_source

ROW = {
    "task_id": "a",
    "question": "How many rows and columns?",
    "answer": "5,4",
    "answer_type": "row_column",
    "scene_id": "a",
    "split": "dev",
}


def test_a_pair_is_scored_as_a_pair_whatever_the_folder_is_called(tmp_path):
    (tmp_path / "tasks.jsonl").write_text(json.dumps({**ROW, "dataset": "mine", "category": "tables"}) + "\n")
    (task,) = task_source(str(tmp_path)).load("all", None, ImageStore())
    assert task.profile == "row_column"
    score = PROFILES["row_column"].rule
    given = ("(5,4)", "rows={5} columns={4}", "5 x 4", "(4,5)", "5", "")
    assert [score(reply, ("5,4",)).score for reply in given] == [1, 1, 1, 0, 0, 0]


def test_a_line_that_is_not_utf8_is_told_as_such(tmp_path):
    lines = [json.dumps(ROW).encode(), json.dumps({**ROW, "task_id": "b", "question": "Größe?"}, ensure_ascii=False).encode("latin-1")]
    (tmp_path / "tasks.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(TaskError, match=r"line 2, is not UTF-8: .* save the file as UTF-8"):
        task_source(str(tmp_path)).load("all", None, ImageStore())
