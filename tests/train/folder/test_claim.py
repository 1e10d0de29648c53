"""Two trainings never share a run folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from maestro.errors import CheckpointError
from maestro.train.folder.claim import check_free, claimed
from maestro.train.run import train
from tests.train.test_run import config, materials

HOLD = """
import sys
from pathlib import Path
from maestro.train.folder.claim import claimed
with claimed(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_another_process_trains_in_is_refused_until_that_is_killed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        for attempt in (lambda: check_free(run), lambda: claimed(run).__enter__(), lambda: train(config(), materials(), run)):
            with pytest.raises(CheckpointError, match=f"process {other.pid} on .* is training in .*--resume"):
                attempt()
        assert [path.name for path in run.iterdir()] == [".claim"]
        other.kill()
        other.wait()
    check_free(run)
    with claimed(run), pytest.raises(CheckpointError, match="is training in"):
        check_free(run)
    check_free(run)


def test_a_folder_that_is_not_there_is_free(tmp_path: Path) -> None:
    check_free(tmp_path / "run")
    assert not (tmp_path / "run").exists()
