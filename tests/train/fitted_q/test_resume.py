"""Training of the feature policy, killed and resumed, equals one that was never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maestro.errors import CheckpointError
from maestro.images import ImageStore
from maestro.rollout.pool import RecordedPool
from maestro.tasks.source import TaughtTask
from maestro.train.fitted_q.iteration import FittedQConfig
from maestro.train.fitted_q.training import train_features
from maestro.train.progress import Silent
from maestro.types import Task
from tests.train.fitted_q.test_iteration import CONFIG, MENU, recorded

TRAIN = RecordedPool([recorded(index) for index in range(60)], MENU, "toy", 20.0)
VAL = RecordedPool([recorded(index) for index in range(500, 530)], MENU, "toy", 20.0)
SMALL = CONFIG.model_copy(update={"rounds": 6, "epochs": 6, "scenes": 20, "returns_from": 2})


class Toy:
    """The task source of the toy pools."""

    name = "toy"

    def load(self, split: str, count: int, images: ImageStore) -> list[Task]:
        return [one.task for one in (TRAIN if split == "train" else VAL).tasks.values()][:count]

    def teach(self, split: str, count: int, images: ImageStore) -> list[TaughtTask]:
        return [TaughtTask(one.task, ("read",), "plain") for one in TRAIN.tasks.values()][:count]


class PowerCut(Exception):
    pass


class CutsPower(Silent):
    """Raises at its so manieth record."""

    def __init__(self, after: int) -> None:
        self.left = after

    def step(self, record: Mapping[str, Any]) -> None:
        self.left -= 1
        if self.left < 0:
            raise PowerCut


def run(folder: Path, config: FittedQConfig = SMALL, cut: int | None = None, *, resume: bool = False) -> Path:
    torch.set_num_threads(1)
    watcher = Silent() if cut is None else CutsPower(cut)
    return train_features(TRAIN, VAL, Toy(), ImageStore(), folder, config, watcher, resume=resume)  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, Any]:
    with np.load(folder / "features.npz") as arrays:
        weights = {name: arrays[name].tobytes() for name in arrays.files}
    return {"weights": weights, "card": (folder / "README.md").read_text(), "space": (folder / "features.json").read_text()}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("whole") / "policy")


def test_cut_at_every_record_and_resumed_it_ends_with_the_same_policy(uninterrupted: Path, tmp_path: Path) -> None:
    folder, resume = tmp_path / "policy", False
    for cut in range(1, 40):  # two records a round; each life gets one round further, or none
        try:
            run(folder, cut=1 + cut % 3, resume=resume)
        except PowerCut:
            resume = True
        else:
            break
    else:
        pytest.fail("never finished")
    assert cut > 5
    assert contents(folder) == contents(uninterrupted)
    assert not (folder / "checkpoints").exists()


@pytest.mark.slow
def test_kill_minus_nine_at_any_moment(uninterrupted: Path, tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    code = f"from tests.train.fitted_q.test_resume import *; run(Path({str(folder)!r}), resume=True)"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = 0
    for wait in (0.1, 0.4, 0.9, 1.6):
        process = subprocess.Popen([sys.executable, "-c", code], env=environment)
        reached = time.monotonic() + 120
        while process.poll() is None and not (folder / "checkpoints").exists() and time.monotonic() < reached:
            time.sleep(0.02)
        time.sleep(wait)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert killed
    assert contents(folder) == contents(uninterrupted)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "policy"
    with pytest.raises(PowerCut):
        run(folder, cut=3)
    with pytest.raises(CheckpointError, match="other settings"):
        run(folder, SMALL.model_copy(update={"seed": 2}), resume=True)
    assert (folder / "checkpoints").exists()  # nothing is lost by asking
