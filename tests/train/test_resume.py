"""Killed and resumed equals never stopped, byte for byte."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from maestro.train.alarms.watch import Alarm
from maestro.train.run import train
from tests.train.test_run import config, materials


class PowerCut(Exception):
    pass


class CutsPower:
    """Raises after so many records, in the middle of whatever goes on."""

    def __init__(self, after: int) -> None:
        self.left = after

    def stage(self, index: int, kind: str, steps: int, done: int) -> None:
        pass

    def step(self, record: Mapping[str, Any]) -> None:
        self.left -= 1
        if self.left < 0:
            raise PowerCut

    def alarm(self, alarm: Alarm) -> None:
        pass


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def without_times(path: Path) -> list[str]:
    return [line.split('"seconds"')[0].split('"step_seconds"')[0] for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def uninterrupted(speaking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("whole") / "run"
    train(config(policy={"load": str(speaking)}), materials(), run)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("rhythm", [1, 9])
def test_a_run_cut_again_and_again_ends_with_the_same_weights(speaking: Path, uninterrupted: Path, tmp_path: Path, rhythm: int) -> None:
    run, after, resume = tmp_path / "run", rhythm, False
    for _ in range(60):
        try:
            final = train(config(policy={"load": str(speaking)}), materials(), run, resume=resume, progress=CutsPower(after))
        except PowerCut:
            resume, after = True, after + rhythm
        else:
            break
    else:
        pytest.fail("never finished")
    assert weights(final) == weights(uninterrupted / "policy")
    assert without_times(run / "metrics.jsonl") == without_times(uninterrupted / "metrics.jsonl")


@pytest.mark.slow
def test_kill_minus_nine_in_every_stage(speaking: Path, uninterrupted: Path, tmp_path: Path) -> None:
    """The process dies a moment after its so manieth record, wherever that is: in a rollout, a step or a half-written checkpoint."""
    run = tmp_path / "run"
    metrics = run / "metrics.jsonl"
    whole = len((uninterrupted / "metrics.jsonl").read_text().splitlines())
    script = "import sys; from tests.train.test_resume import go; go(*sys.argv[1:])"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    for records, pause in ((4, 0.0), (whole // 2, 0.05), (whole - 4, 0.3), (10**9, 0.0)):
        begun = str((run / "config.yaml").exists())
        process = subprocess.Popen([sys.executable, "-c", script, str(speaking), str(run), begun], env=environment)
        time.sleep(1.0)
        while process.poll() is None and (not metrics.exists() or len(metrics.read_bytes().splitlines()) < records):
            time.sleep(0.02)
        if records < 10**9:
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == 0
    assert weights(run / "policy") == weights(uninterrupted / "policy")


def go(policy: str, run: str, resume: str) -> None:
    train(config(policy={"load": policy}), materials(), Path(run), resume=resume == "True")
