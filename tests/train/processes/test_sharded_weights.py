"""Sharded weights move as whole ones do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    out = tmp_path_factory.mktemp("sharded") / "found.json"
    how = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE.parents[1] / "src")}
    command = [*how, str(HERE / "sharded_steps.py"), str(out)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    numbers: dict[str, float] = json.loads(out.read_text())
    return numbers


def test_steps_are_those_of_whole_weights_where_only_one_process_has_a_picture(found: dict[str, float]) -> None:
    assert found["moved"] > 1e-3
    assert found["apart"] < 0.01 * found["moved"]


def test_each_process_holds_its_share(found: dict[str, float]) -> None:
    assert found["share"] < 0.55


def test_an_optimiser_taken_up_from_its_whole_state_goes_on_bit_for_bit(found: dict[str, float]) -> None:
    assert found["cut"] == 0.0
