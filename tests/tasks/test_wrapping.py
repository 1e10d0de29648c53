import hashlib

import pytest

from maestro.errors import TaskError
from maestro.tasks.wrapping import SYSTEM_SHA256, system_prompt, wrapping_of
from tests.tasks.rows import REMINDER, SYSTEM, original_row, write_jsonl, write_parquet


def test_the_users_own_copy_is_returned_and_checked(tmp_path):
    path = write_parquet(tmp_path / "t.parquet", [original_row(1), original_row(2, question="Another?")])
    sha256 = hashlib.sha256(SYSTEM.encode()).hexdigest()
    assert system_prompt(path, sha256) == SYSTEM
    assert system_prompt(path, None) == SYSTEM
    assert wrapping_of(path).reminder == REMINDER
    with pytest.raises(TaskError, match=rf"has 20 characters and SHA-256 {sha256}, not {SYSTEM_SHA256}"):
        system_prompt(path)


def test_rows_that_differ_are_told(tmp_path):
    other = original_row(2)
    other["prompt"][0]["content"] = "Another planner."
    with pytest.raises(TaskError, match="row 2 has another system message or reminder than row 1"):
        system_prompt(write_parquet(tmp_path / "t.parquet", [original_row(1), other]), None)


def test_rows_without_a_system_message(tmp_path):
    bare = original_row(prompt=[{"role": "user", "content": "<image>What is the largest bar?"}])
    with pytest.raises(TaskError, match="no system message"):
        system_prompt(write_parquet(tmp_path / "t.parquet", [bare]))
    with pytest.raises(TaskError, match="has no column prompt"):
        system_prompt(write_jsonl(tmp_path / "t.jsonl", [{"question": "Q?"}]))
    with pytest.raises(TaskError, match="does not end in"):
        system_prompt(tmp_path / "t.txt")
    with pytest.raises(TaskError, match="line 1, prompt: must be a list"):
        system_prompt(write_jsonl(tmp_path / "u.jsonl", [{"prompt": "Q?"}]))
    with pytest.raises(TaskError, match="line 1, prompt: must have a user message"):
        system_prompt(write_jsonl(tmp_path / "v.jsonl", [{"prompt": ["Q?"]}]))
