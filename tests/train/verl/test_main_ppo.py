"""verl's own trainer from end to end on a CPU: data, servers, agent loop, queue, advantages, update, weights back, checkpoint."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import orjson
import pytest

from maestro.config import load_config
from maestro.evaluate.training_report import write_training_report
from maestro.policy.local_model import load_model
from maestro.train.config.run import TrainConfig
from maestro.train.folder.layout import read_metrics
from maestro.train.progress import Silent
from maestro.train.verl.chronicle import Chronicle
from maestro.train.verl.launch import hand_over, prepare
from tests.train.verl.on_cpu import ROOT, WHOLE, environment

pytestmark = [
    pytest.mark.verl,
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("verl") is None, reason="verl is not installed: pip install 'maestro-orchestrator[verl]'"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps on six questions, validated before and after."""
    folder = tmp_path_factory.mktemp("main_ppo") / "run"
    stage = {"kind": "grpo", "steps": 3, "prompts": 3, "members": 4, "micro_batch": 2, "optimizer": {"lr": 1e-4, "warmup_steps": 0}}
    config = TrainConfig.model_validate(
        {
            "engine": "verl",
            "policy": {"load": "maestro-mini-vl"},
            "ensemble": {"store": str(ROOT / "src/maestro/ensembles/playground/pool")},
            "tasks": {"train_limit": 6, "validation_limit": 2},
            "verl": {"gpus": 1, "prompt_tokens": 512, "workers": 1},
            "checkpoint": {"every": 2, "keep": 1},
            "validation": {"every": 3},
            "stages": [stage],
        }
    ).located()
    made = prepare(config, folder, resume=False)
    done = subprocess.run([*made.command, *WHOLE], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return folder


@pytest.fixture(scope="module")
def logged(run: Path) -> dict[int, dict[str, float]]:
    """What verl's trainer logged, by step."""
    lines = [orjson.loads(line) for line in (run / "verl-001.jsonl").read_bytes().splitlines()]
    return {line["step"]: line["data"] for line in lines}


def test_every_step_is_logged_and_updates(logged: dict[int, dict[str, float]]) -> None:
    assert set(logged) == {0, 1, 2, 3}
    assert all(logged[step]["actor/grad_norm"] > 0 for step in (1, 2, 3))


def test_the_actor_agrees_with_the_server_before_and_after_weights_were_handed_back(logged: dict[int, dict[str, float]]) -> None:
    # steps 2 and 3 are sampled with weights that verl's trainer has sent to the server
    assert all(logged[step]["training/rollout_probs_diff_max"] < 1e-4 for step in (1, 2, 3))


def test_episodes_are_those_of_the_weights_of_the_step(logged: dict[int, dict[str, float]]) -> None:
    assert all(logged[step]["training/off_policy/trajectory_staleness_worst/max"] == 0 for step in (1, 2, 3))


def test_validation_has_our_numbers(logged: dict[int, dict[str, float]]) -> None:
    for step in (0, 3):
        assert logged[step]["val-aux/playground/val/episode/trained/mean@1"] == 1.0
        # The stand-in server draws by the order in which requests arrive, so three steps end a little differently each time.
        assert 0.0 < logged[step]["val-core/playground/val/reward/mean@1"] <= 1.0


def test_every_episode_is_kept(run: Path) -> None:
    lines = [orjson.loads(line) for file in (run / "episodes").glob("*.jsonl") for line in file.read_bytes().splitlines()]
    assert sum(line["training"] for line in lines) == 3 * 3 * 4
    assert sum(not line["training"] for line in lines) == 2 * 2
    assert {line["step"] for line in lines if line["training"]} == {1, 2, 3}


def test_the_run_is_told_like_any_other(run: Path) -> None:
    chronicle = Chronicle(load_config(TrainConfig, run / "config.yaml"), run, run / "verl-001.jsonl")
    chronicle.tell(Silent())
    chronicle.close()
    records = list(read_metrics(run / "metrics.jsonl"))
    steps = [record for record in records if record["kind"] == "step"]
    assert [record["step"] for record in steps] == [1, 2, 3]
    assert all(record["episodes"] == 12 and record["drift"] < 1e-4 and record["grad_norm"] > 0 for record in steps)
    assert all({"oracle_gap", "lift_per_call", "experts", "reward"} <= set(record) for record in steps)
    assert [record["step"] for record in records if record["kind"] == "validation"] == [0, 3]
    assert write_training_report(run).is_file()


def test_the_last_checkpoint_is_handed_over_as_a_policy(run: Path) -> None:
    final = hand_over(run)
    assert {"README.md", "registry.lock", "config.json", "model.safetensors"} <= {path.name for path in final.iterdir()}
    assert "global_step_3" in (final / "README.md").read_text()
    model, _ = load_model(final)
    before, _ = load_model(ROOT / "src/maestro/ensembles/playground/maestro-mini-vl")
    moved = max((one - other).abs().max().item() for one, other in zip(model.parameters(), before.parameters(), strict=True))
    assert 0 < moved < 0.01
