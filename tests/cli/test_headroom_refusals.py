"""What `maestro headroom` says of a path it cannot judge: what is lacking there, and what to do."""

import pytest

from tests.tasks.recorded_folders import task_row, write_folder


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_folder(tmp_path / "shapes", [task_row(number) for number in range(4)])


def refused(maestro, path):
    code, printed = maestro("headroom", str(path))
    assert code == 1
    assert "Traceback" not in printed.err
    return printed.err


def test_a_path_where_nothing_is(maestro, tmp_path):
    assert "there is nothing at" in refused(maestro, tmp_path / "gone")


def test_a_folder_without_outcomes_says_how_its_questions_can_be_asked(maestro, folder):
    (folder / "outcomes.parquet").unlink()
    error = refused(maestro, folder)
    assert "lacks outcomes.parquet" in error
    assert "maestro eval --tasks" in error


def test_a_folder_without_tasks(maestro, folder):
    (folder / "tasks.jsonl").unlink()
    assert "lacks tasks.jsonl:" in refused(maestro, folder)


def test_plain_rows_beside_outcomes(maestro, folder):
    (folder / "tasks.jsonl").write_text('{"id": "a", "question": "What?", "answer": "b"}\n')
    assert "have no task_id" in refused(maestro, folder)


def test_a_file_that_is_no_store(maestro, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    assert "is no recorded store" in refused(maestro, tmp_path / "notes.txt")
