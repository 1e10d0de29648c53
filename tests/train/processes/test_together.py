"""Two processes over gloo, launched as users launch them, take the same steps as one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from maestro.errors import ConfigError
from maestro.train.config.compute import ComputeConfig
from maestro.train.config.run import TrainConfig
from maestro.train.folder.layout import read_metrics
from maestro.train.processes.shares import check_shares
from maestro.train.processes.start import Processes
from tests.train.planner import experts
from tests.train.test_maestro_4b import RECIPES, overrides

LAUNCH = ("accelerate.commands.launch", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no")
PLAIN = (
    "compute.precision=float32",
    "compute.gradient_checkpointing=false",
    "stages.0.optimizer.warmup_steps=4",
    "validation.every=1",
    "stages.0.prompts=2",
    "stages.0.members=2",
)


def launched(
    count: int, planner: Path, rows: Path, folder: Path, environment: dict[str, str], *more: str, way: str = "--multi_gpu"
) -> subprocess.CompletedProcess[str]:
    """`maestro train` by the recipe, in `count` processes; a run folder that is there is taken up."""
    settings = [word for one in (*overrides(planner, rows), *PLAIN, *more) for word in ("--set", one)]
    begun = ["--resume", str(folder)] if folder.exists() else [str(RECIPES / "maestro_4b.yaml"), "--run", str(folder), *settings]
    verb = ["maestro", "train", *begun, "--json"]
    how = [*LAUNCH, way, "--num_processes", str(count), "--main_process_port", "0", "-m"] if count > 1 else []
    source = str(Path(__file__).parents[3] / "src")
    variables = {**os.environ, **environment, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-m", *how, *verb], env=variables, capture_output=True, text=True, check=False, timeout=1800)


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Euclidean, over all weights."""
    total: float = sum(float((one[name] - other[name]).square().sum()) for name in one) ** 0.5
    return total


@pytest.fixture(scope="module")
def alone(planner: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    folder = tmp_path_factory.mktemp("alone") / "one"
    with experts() as (_, environment):
        done = launched(1, planner, rows, folder, environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("way", ["--multi_gpu", "--use_fsdp"])
def test_two_processes_take_the_same_steps_as_one(alone: Path, planner: Path, rows: Path, tmp_path: Path, way: str) -> None:
    folder = tmp_path / "two"
    with experts() as (_, environment):
        two = launched(2, planner, rows, folder, environment, "stages.0.micro_batch=1", way=way)
    assert two.returncode == 0, two.stderr[-3000:]
    assert two.stdout.count('"policy"') == 1, "more than one process printed a result"
    by_one, by_two = (load_file(run / "policy" / "model.safetensors") for run in (alone, folder))
    before = load_file(planner / "model.safetensors")
    moved, apart = distance(by_one, before), distance(by_one, by_two)
    print(f"moved by {moved:.3g}, apart by {apart:.3g}")  # noqa: T201  with pytest -s, for the docs
    assert moved > 1e-3
    assert apart < 0.01 * moved  # sums are formed in another order, and AdamW makes that large where a gradient is nearly nothing
    records = [
        [{name: value for name, value in record.items() if not name.endswith("seconds")} for record in read_metrics(run / "metrics.jsonl")]
        for run in (alone, folder)
    ]
    assert [record["kind"] for record in records[0]] == [record["kind"] for record in records[1]]
    for alone_record, together_record in zip(*records, strict=True):
        for name in ("reward", "calls", "episodes", "loss", "grad_norm", "lr"):
            assert together_record.get(name) == (pytest.approx(alone_record[name], rel=1e-3, abs=1e-5) if name in alone_record else None)
    said = [(run / "episodes.jsonl").read_text().splitlines() for run in (alone, folder)]
    assert len(said[0]) == len(said[1]) == 2 * 4, "an episode was lost or written twice"
    assert [line.split('"turns"')[0] for line in said[0]] == [line.split('"turns"')[0] for line in said[1]]
    if way == "--use_fsdp":
        shutil.rmtree(folder / "checkpoints" / "00-00000002")
        shutil.rmtree(folder / "policy")
        with experts() as (_, environment):
            again = launched(2, planner, rows, folder, environment, way=way)
        assert again.returncode == 0, again.stderr[-3000:]
        assert distance(load_file(folder / "policy" / "model.safetensors"), by_two) == 0.0, "taken up, it went elsewhere"


def test_shares_are_contiguous_and_even() -> None:
    jobs = list(range(11))
    shares = [Processes(rank, 3).share(jobs) for rank in range(3)]
    assert [job for share in shares for job in share] == jobs
    assert [len(share) for share in shares] == [4, 4, 3]
    assert Processes().collect(jobs) == jobs


@pytest.mark.parametrize(
    ("stage", "complaint"),
    [
        ({"kind": "warm_start"}, "warm_start runs in one process"),
        ({"kind": "grpo", "prompts": 3, "members": 4, "micro_batch": 6}, "micro_batch 6 x 4 processes"),
        ({"kind": "grpo", "prompts": 2, "members": 8, "micro_batch": 2}, "groups stay whole"),
    ],
)
def test_stages_that_several_processes_cannot_share_are_refused(stage: dict[str, object], complaint: str) -> None:
    config = TrainConfig.model_validate({"stages": [stage]})
    check_shares(config, 1)
    with pytest.raises(ConfigError, match=complaint):
        check_shares(config, 4)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"ACCELERATE_USE_DEEPSPEED": "true"}, "DeepSpeed.*compute.shard_weights"),
        ({"ACCELERATE_USE_FSDP": "true", "FSDP_OFFLOAD_PARAMS": "true"}, "fsdp_offload_params"),
    ],
)
def test_a_launch_that_spreads_weights_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch, said: dict[str, str], complaint: str) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=complaint):
        Processes.joined(ComputeConfig())


def test_adapters_are_not_sharded() -> None:
    config = TrainConfig.model_validate({"policy": {"load": "somewhere", "lora": {}}, "stages": [{"kind": "grpo", "prompts": 4}]})
    with pytest.raises(ConfigError, match="too few to be sharded"):
        check_shares(config, 2, sharded=True)
