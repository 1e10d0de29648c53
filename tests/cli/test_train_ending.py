from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path

import pytest

from maestro.cli.train_ending import taken_up_later
from maestro.errors import CheckpointError


def _waits(number: signal.Signals, cleaned: list[bool]) -> None:
    """Work that is ended while it waits."""
    try:
        os.kill(os.getpid(), number)
        time.sleep(60)
    except Exception:  # noqa: BLE001 (what catches failures of episodes)
        pytest.fail("taken for a failure of an episode")
    finally:
        cleaned.append(True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_as_ctrl_c_does_and_says_how_to_go_on(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("")
    cleaned: list[bool] = []
    began = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    expected = rf"ended by {number.name}; take the run up with: maestro train --resume {tmp_path}"
    try:
        with pytest.raises(CheckpointError, match=expected), taken_up_later(tmp_path):
            _waits(number, cleaned)
        assert cleaned
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, began)


def test_what_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with taken_up_later(tmp_path):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_stays_ctrl_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt), taken_up_later(tmp_path):
        raise KeyboardInterrupt
    assert "nothing was begun" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("begun", "further"), [(True, "take the run up with: maestro train --resume '.*a run'"), (False, "nothing was begun")]
)
def test_a_full_disk_is_told_with_how_to_go_on(tmp_path: Path, *, begun: bool, further: str) -> None:
    run = tmp_path / "a run"
    run.mkdir()
    if begun:
        (run / "config.yaml").write_text("")
    with pytest.raises(CheckpointError, match=rf"No space left on device. Make room; {further}"), taken_up_later(run):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), taken_up_later(run):
        raise PermissionError(errno.EACCES, "no")
