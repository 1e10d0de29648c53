"""verl's own worker, advantages, FSDP2 update and weights back, for real, on a CPU."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

from maestro.train.config.run import TrainConfig
from maestro.train.verl.launch import prepare
from tests.train.verl.on_cpu import ALONE, ROOT, environment

pytestmark = [
    pytest.mark.verl,
    pytest.mark.skipif(importlib.util.find_spec("verl") is None, reason="verl is not installed: pip install 'maestro-orchestrator[verl]'"),
]


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    run = tmp_path_factory.mktemp("verl") / "run"
    config = TrainConfig.model_validate(
        {
            "engine": "verl",
            "policy": {"load": "maestro-mini-vl"},
            "ensemble": {"store": str(ROOT / "src/maestro/ensembles/playground/pool")},
            "tasks": {"train_limit": 3, "validation_limit": 1},
            "verl": {"gpus": 1, "prompt_tokens": 512, "workers": 1},
            "stages": [
                {"kind": "grpo", "steps": 2, "prompts": 3, "members": 4, "micro_batch": 2, "optimizer": {"lr": 1e-4, "warmup_steps": 0}}
            ],
        }
    ).located()
    policy = prepare(config, run, resume=False).policy
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.verl.steps", str(run), str(policy)],
        cwd=ROOT,
        env=environment(**ALONE),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return run, json.loads(result.removeprefix("RESULT "))


def test_every_member_of_every_group_is_an_episode(steps):
    _, found = steps
    assert [one["episodes"] for one in found] == [12, 12]
    assert all(one["taught"] > 0 for one in found)


def test_pictures_reach_the_update(steps):
    _, found = steps
    assert all(one["with_pictures"] > 0 for one in found)


def test_another_picture_is_another_log_prob(steps):
    _, found = steps
    assert min(one["inverted_picture"] for one in found) > 1e-3


def test_the_actor_scores_what_was_sampled_as_it_was_sampled(steps):
    _, found = steps
    assert max(one["drift"] for one in found) < 1e-4


def test_the_update_moves_the_policy_and_the_server_follows(steps):
    _, found = steps
    assert all(one["moved"] > 1e-5 for one in found)
    assert all(one["grad_norm"] > 0 for one in found)
    assert max(one["served_drift"] for one in found) < 1e-4


def test_a_step_that_was_lost_as_a_whole_moves_nothing(steps):
    _, found = steps
    assert found[-1]["moved_by_a_lost_step"] == 0.0


def test_advantages_of_a_group_sum_to_nothing(steps):
    _, found = steps
    assert all(abs(total) < 1e-4 for one in found for total in one["advantage_sums"])


def test_every_episode_is_written_down(steps):
    run, _ = steps
    lines = [json.loads(line) for file in (run / "episodes").glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(lines) == 24
    assert {line["step"] for line in lines} == {0, 1}
    assert all(line["reward"] for line in lines)
