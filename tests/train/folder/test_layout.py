"""A run folder whose own files were damaged: said clearly, or gone on from, and never made worse."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from maestro.errors import CheckpointError
from maestro.train.config.run import EnsembleConfig, TrainConfig
from maestro.train.folder.data_lock import store_digest, tasks_digest
from maestro.train.folder.layout import Journal, RunFolder, check_place, read_metrics
from maestro.types import Task

LOCK = {"name": "toy", "digest": "1"}


@pytest.mark.parametrize("file", ["config.sha256", "registry.lock"])
@pytest.mark.parametrize("left", [None, 0.0, 0.5])
def test_a_run_that_cannot_say_what_it_began_with_is_not_taken_up(tmp_path: Path, file: str, left: float | None) -> None:
    RunFolder(tmp_path, TrainConfig(), LOCK, resume=False).close()
    path = tmp_path / file
    whole = path.read_bytes()
    path.unlink()
    if left is not None:
        path.write_bytes(whole[: int(len(whole) * left)])
    with pytest.raises(CheckpointError, match=rf"{file}.*so it is unknown whether .* is the same; begin another run"):
        RunFolder(tmp_path, TrainConfig(), LOCK, resume=True)


def test_a_new_folder_has_nothing_half_written_in_it(tmp_path: Path) -> None:
    RunFolder(tmp_path, TrainConfig(), LOCK, resume=False).close()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"config.yaml", "config.sha256", "data.lock", "registry.lock", "metrics.jsonl", "episodes.jsonl", "checkpoints"}


def test_a_journal_that_has_lost_its_end_goes_on_behind_its_last_whole_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Cutting it to a length that it no longer has would fill it with zeros."""
    path = tmp_path / "metrics.jsonl"
    journal = Journal(path)
    for step in range(3):
        journal.append({"step": step})
    size = journal.size
    journal.close()
    path.write_bytes(path.read_bytes()[:-5])
    again = Journal(path)
    with caplog.at_level(logging.WARNING):
        again.cut(size)
    again.append({"step": 3})
    again.close()
    assert "has lost its end" in caplog.text
    assert [record["step"] for record in read_metrics(path)] == [0, 1, 3]
    assert b"\0" not in path.read_bytes()


def test_what_came_after_the_checkpoint_is_forgotten(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path / "metrics.jsonl")
    journal.append({"step": 1})
    journal.to_disk()
    size = journal.size
    journal.append({"step": 2})
    journal.cut(size)
    journal.append({"step": 2, "again": True})
    journal.close()
    assert list(read_metrics(journal.path)) == [{"step": 1}, {"step": 2, "again": True}]
    assert not caplog.records


def test_a_place_that_can_hold_no_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(CheckpointError, match=r"link is a link to .*nowhere, which does not exist"):
        check_place(tmp_path / "link", resume=False)
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(CheckpointError, match=r"file is a file, so no run can be in"):
            check_place(path, resume=False)


def test_a_run_that_has_lost_its_config_is_no_empty_folder(tmp_path: Path) -> None:
    RunFolder(tmp_path / "run", TrainConfig(), LOCK, resume=False).close()
    (tmp_path / "run" / "config.yaml").unlink()
    with pytest.raises(CheckpointError, match=r"has lost its config.yaml. Put it back"):
        check_place(tmp_path / "run", resume=True)


def test_what_a_run_learns_from_may_not_change_under_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = {"tasks.train": "a" * 64, "ensemble.store": None}
    RunFolder(tmp_path, TrainConfig(), LOCK, data=data, resume=False).close()
    RunFolder(tmp_path, TrainConfig(), LOCK, data=data, resume=True).close()
    with pytest.raises(CheckpointError, match=r"has changed since it began(.|\n)*tasks.train: 'aaa.*' -> 'bbb"):
        RunFolder(tmp_path, TrainConfig(), LOCK, data={**data, "tasks.train": "b" * 64}, resume=True)
    (tmp_path / "data.lock").write_bytes(b"{")
    with pytest.raises(CheckpointError, match=r"data.lock is damaged"):
        RunFolder(tmp_path, TrainConfig(), LOCK, data=data, resume=True)
    (tmp_path / "data.lock").unlink()  # as of a run that began before there was one
    RunFolder(tmp_path, TrainConfig(), LOCK, data=data, resume=True).close()
    assert "are taken as such" in caplog.text


def test_tasks_and_recorded_replies_have_digests_of_their_content(tmp_path: Path) -> None:
    tasks = [Task(id="a", question="how many?", references=("1",)), Task(id="b", question="how many?", references=("2",))]
    other = [tasks[0], tasks[1].model_copy(update={"references": ("3",)})]
    assert len({tasks_digest(some) for some in (tasks, other, tasks[::-1], tasks[:1], [])}) == 5
    store = tmp_path / "pool.sqlite"
    store.write_bytes(b"one")
    replayed, added_to = (EnsembleConfig(store=store, mode=mode) for mode in ("replay", "cache"))
    before = store_digest(replayed)
    store.write_bytes(b"two")
    assert before != store_digest(replayed)
    assert store_digest(added_to) is store_digest(EnsembleConfig()) is None
