from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro.errors import CheckpointError
from maestro.train.config.run import TrainConfig
from maestro.train.folder.checkpoint import Checkpoints, Position
from maestro.train.folder.layout import RunFolder


def write(text: str) -> object:
    return lambda folder: (folder / "trainer.pt").write_text(text)


class Killed(Exception):
    pass


def dies(folder: Path) -> None:
    (folder / "trainer.pt").write_text("half")
    raise Killed


def test_a_checkpoint_that_was_being_written_does_not_exist(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=3)
    checkpoints.save(Position(step=1), write("one"))  # type: ignore[arg-type]
    with pytest.raises(Killed):
        checkpoints.save(Position(step=2), dies)
    again = Checkpoints(tmp_path, keep=3)
    latest = again.latest()
    assert latest is not None
    assert (latest.position.step, latest.trainer.read_text()) == (1, "one")
    assert not list(tmp_path.glob(".writing*"))


def test_only_the_newest_are_kept_and_the_ends_of_stages_without_their_trainer_state(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.save(Position(stage=0, step=9, finished=True), write("x"))  # type: ignore[arg-type]
    for step in (1, 2, 3):
        checkpoints.save(Position(stage=1, step=step), write("x"))  # type: ignore[arg-type]
    found = checkpoints.all()
    assert [(one.position.stage, one.position.step) for one in found] == [(0, 9), (1, 2), (1, 3)]
    assert [one.trainer.exists() for one in found] == [False, True, True]


def test_the_best_is_replaced_and_is_not_the_latest(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.save(Position(step=1, best=0.1), write("a"), name="best")  # type: ignore[arg-type]
    checkpoints.save(Position(step=2, best=0.2), write("b"), name="best")  # type: ignore[arg-type]
    best = checkpoints.best()
    assert best is not None
    assert (best.position.best, best.trainer.read_text()) == (0.2, "b")
    assert checkpoints.latest() is None


def test_a_run_is_taken_up_only_under_the_same_config_and_registry(tmp_path: Path) -> None:
    lock = {"name": "toy", "digest": "1"}
    RunFolder(tmp_path / "run", TrainConfig(), lock, resume=False).close()
    RunFolder(tmp_path / "run", TrainConfig(), lock, resume=True).close()
    with pytest.raises(CheckpointError, match="already holds a run"):
        RunFolder(tmp_path / "run", TrainConfig(), lock, resume=False)
    with pytest.raises(CheckpointError, match="seed: 1 -> 2"):
        RunFolder(tmp_path / "run", TrainConfig(seed=2), lock, resume=True)
    with pytest.raises(CheckpointError, match="digest: '1' -> '2'"):
        RunFolder(tmp_path / "run", TrainConfig(), {**lock, "digest": "2"}, resume=True)
    with pytest.raises(CheckpointError, match="no run to resume"):
        RunFolder(tmp_path / "other", TrainConfig(), lock, resume=True)


def test_a_kill_while_an_old_checkpoint_is_removed_leaves_no_half_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(Position(step=1), write("one"))  # type: ignore[arg-type]

    def half(folder: Path, **_: object) -> None:
        if folder.exists():
            (folder / "position.json").unlink()
            raise Killed

    monkeypatch.setattr("maestro.train.folder.checkpoint.shutil.rmtree", half)
    with pytest.raises(Killed):
        checkpoints.save(Position(step=2), write("two"))  # type: ignore[arg-type]
    monkeypatch.undo()
    again = Checkpoints(tmp_path, keep=1)
    assert [one.position.step for one in again.all()] == [2]
    assert [path.name for path in tmp_path.iterdir()] == ["00-00000002"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(Position(step=1, best=0.1), write("a"), name="best")  # type: ignore[arg-type]
    rename = Path.rename

    def once(path: Path, target: Path) -> Path:
        if path.name.startswith(".writing-"):
            raise Killed
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(Killed):
        checkpoints.save(Position(step=2, best=0.2), write("b"), name="best")  # type: ignore[arg-type]
    monkeypatch.undo()
    best = Checkpoints(tmp_path, keep=1).best()
    assert best is not None
    assert best.trainer.read_text() == "a"


def truncate(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink], ids=["truncated", "a bit flipped", "gone"])
@pytest.mark.parametrize("file", ["trainer.pt", "position.json", "SHA256SUMS"])
def test_a_damaged_newest_checkpoint_is_set_aside_for_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], file: str
) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in (1, 2):
        checkpoints.save(Position(step=step), write(f"state {step}"))  # type: ignore[arg-type]
    damage(tmp_path / "00-00000002" / file)
    found = checkpoints.newest_whole()
    assert found is not None
    assert (found.position.step, found.trainer.read_text()) == (1, "state 1")
    assert "the one before it is used" in caplog.text
    assert (tmp_path / ".damaged-00-00000002").is_dir()
    latest = checkpoints.latest()
    assert latest is not None
    assert latest.position.step == 1
    checkpoints.save(Position(step=2), write("state 2 again"))  # type: ignore[arg-type]
    again = Checkpoints(tmp_path, keep=2).newest_whole()
    assert again is not None
    assert again.trainer.read_text() == "state 2 again"


def test_when_every_checkpoint_is_damaged_nothing_is_lost_and_the_error_says_so(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.save(Position(step=1), write("one"))  # type: ignore[arg-type]
    truncate(tmp_path / "00-00000001" / "trainer.pt")
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* is whole; the damaged ones are kept"):
        checkpoints.newest_whole()
    assert (tmp_path / ".damaged-00-00000001" / "trainer.pt").read_text() == "o"


def test_an_end_of_a_stage_is_whole_without_its_trainer_state(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(Position(stage=0, step=9, finished=True), write("x"))  # type: ignore[arg-type]
    checkpoints.save(Position(stage=1, step=1), write("y"))  # type: ignore[arg-type]
    truncate(tmp_path / "01-00000001" / "trainer.pt")
    found = checkpoints.newest_whole()
    assert found is not None
    assert (found.position.stage, found.position.finished) == (0, True)


def test_a_damaged_best_is_not_handed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    checkpoints.save(Position(step=1, best=0.1), write("a"), name="best")  # type: ignore[arg-type]
    truncate(tmp_path / "best" / "trainer.pt")
    assert checkpoints.best() is None
    assert "trainer.pt has other bytes" in caplog.text


def test_digests_are_those_of_sha256sum(tmp_path: Path) -> None:
    found = Checkpoints(tmp_path, keep=1).save(Position(step=1), write("one"))  # type: ignore[arg-type]
    lines = dict(reversed(line.split("  ")) for line in (found.path / "SHA256SUMS").read_text().splitlines())
    assert lines["trainer.pt"] == hashlib.sha256(b"one").hexdigest()
    assert set(lines) == {"trainer.pt", "position.json"}


@pytest.mark.parametrize("damage", [truncate, Path.unlink], ids=["truncated", "gone"])
def test_an_older_checkpoint_that_cannot_say_where_it_stands_does_not_end_a_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None]
) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in (1, 2):
        checkpoints.save(Position(step=step), write(f"state {step}"))  # type: ignore[arg-type]
    damage(tmp_path / "00-00000001" / "position.json")
    found = checkpoints.newest_whole()
    assert found is not None
    assert found.position.step == 2
    assert "the run does not need it" in caplog.text
    checkpoints.save(Position(step=3), write("state 3"))  # type: ignore[arg-type]
    assert [one.position.step for one in checkpoints.all()] == [2, 3]
    assert (tmp_path / ".damaged-00-00000001").is_dir()


def test_a_checkpoint_that_could_not_be_written_leaves_the_room_it_took(tmp_path: Path) -> None:
    def full(folder: Path) -> None:
        (folder / "trainer.pt").write_text("half")
        raise OSError(28, "No space left on device")

    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(Position(step=1), write("one"))  # type: ignore[arg-type]
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(Position(step=2), full)
    assert [path.name for path in tmp_path.iterdir()] == ["00-00000001"]
