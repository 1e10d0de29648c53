"""A run folder for verl, the command, and what is said where it cannot start."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from maestro.cli.main import cli
from maestro.errors import CheckpointError, ConfigError, MaestroError
from maestro.train.config.run import TrainConfig
from maestro.train.verl.launch import check_machine, command, environment, hand_over, prepare
from maestro.train.verl.rows import pictures, read_tasks
from tests.registry.folders import small_registry

NO_GPU = importlib.util.find_spec("vllm") is None


def settings(folder: Path, count: int = 3, **changes: object) -> TrainConfig:
    """A run on drawn questions of the playground, whose pictures are nowhere but in memory."""
    stage = {"kind": "grpo", "steps": 2, "prompts": 2, "members": 2, "micro_batch": 1}
    return TrainConfig.model_validate(
        {
            "engine": "verl",
            "policy": {"load": "maestro-mini-vl"},
            "tasks": {"train_limit": count, "validation_limit": 1},
            "verl": {"gpus": 1},
            "stages": [stage],
            **changes,
        }
    ).located()


def test_pictures_lie_beside_small_rows_and_none_is_lost(tmp_path: Path) -> None:
    run = tmp_path / "run"
    prepare(settings(run, count=70), run, resume=False)  # more than are kept in memory meanwhile
    tasks = read_tasks(run, "train")
    store = pictures(run)
    assert len(tasks) == 70
    assert all(store.pixels(name) for task in tasks for name in task.images)
    assert (run / "data" / "train.parquet").stat().st_size < 200_000


def test_a_run_folder_is_complete(tmp_path: Path) -> None:
    run = tmp_path / "run"
    made = prepare(settings(run), run, resume=False)
    assert {path.name for path in run.iterdir()} >= {"config.yaml", "config.sha256", "registry.lock", "agent_loop.yaml", "data"}
    assert "MaestroAgentLoop" in (run / "agent_loop.yaml").read_text()
    assert str(run) in (run / "agent_loop.yaml").read_text()
    assert any(part.endswith(f'VERL_FILE_LOGGER_PATH="{run / "verl-001.jsonl"}"') for part in made.command)


def test_a_second_start_has_a_log_of_its_own_and_the_same_data(tmp_path: Path) -> None:
    run = tmp_path / "run"
    first = prepare(settings(run), run, resume=False)
    first.log.write_bytes(b"")
    data = (run / "data" / "train.parquet").read_bytes()
    assert prepare(settings(run), run, resume=True).log.name == "verl-002.jsonl"
    assert (run / "data" / "train.parquet").read_bytes() == data
    with pytest.raises(CheckpointError, match="already holds a run"):
        prepare(settings(run), run, resume=False)
    with pytest.raises(CheckpointError, match="seed"):
        prepare(settings(run, seed=5), run, resume=True)


def test_too_few_questions_for_a_step_leave_no_run_behind(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(ConfigError, match=r"has 1 tasks, fewer than the 2 of one step"):
        prepare(settings(run, count=1), run, resume=False)
    prepare(settings(run), run, resume=False)


def test_a_prompt_without_room_is_told_before_anything_starts(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(ConfigError, match=r"verl.prompt_tokens is 64, and the prompt of task \S+ has \d{3} tokens"):
        prepare(settings(run, verl={"gpus": 1, "prompt_tokens": 64}), run, resume=False)
    prepare(settings(run), run, resume=False)


def test_several_machines_join_a_cluster_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert "RAY_ADDRESS" not in environment(TrainConfig())
    two = TrainConfig.model_validate({"verl": {"nodes": 2}})
    assert environment(two)["RAY_ADDRESS"] == "auto"
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert environment(two)["RAY_ADDRESS"] == "10.0.0.1:6379"


@pytest.mark.skipif(not NO_GPU, reason="vLLM is installed here")
def test_a_machine_that_cannot_start_it_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MaestroError, match=r"needs .*vllm.*--dry-run"):
        check_machine(settings(tmp_path))


def recipe(folder: Path) -> Path:
    """A config file over a small registry."""
    (folder / "sums.jsonl").write_bytes(b"".join(orjson.dumps({"question": f"2 + {n}?", "answer": str(n + 2)}) + b"\n" for n in range(4)))
    path = folder / "train.yaml"
    path.write_text(
        "engine: verl\npolicy: {load: maestro-mini-vl}\nverl: {gpus: 1}\n"
        f"ensemble: {{registry: {small_registry(folder / 'small')}}}\n"
        f"tasks: {{source: {folder / 'sums.jsonl'}, train: all, validation: all}}\n"
        "stages:\n  - {kind: grpo, steps: 2, prompts: 2, members: 2, micro_batch: 1}\n"
    )
    return path


@pytest.mark.skipif(not NO_GPU, reason="vLLM is installed here")
def test_the_command_line_says_so_too_and_writes_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = CliRunner().invoke(cli, ["train", str(recipe(tmp_path)), "--run", str(run)])
    assert done.exit_code == 1
    assert "vllm" in done.output
    assert "--dry-run" in done.output
    assert not run.exists()


def test_a_dry_run_prints_the_command_and_who_reads_what(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = CliRunner().invoke(cli, ["train", str(recipe(tmp_path)), "--run", str(run), "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["command"][2] == "verl.trainer.main_ppo"
    assert 'algorithm.adv_estimator="maestro_grpo"' in told["command"]
    assert told["readers"]["verl.gpus"] == ["maestro.train.verl.overrides"]
    assert told["unread"]["shared_prefix"] == "the engine verl does not read it"
    assert not run.exists()


def test_a_setting_that_verl_does_not_read_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["train", str(recipe(tmp_path)), "--set", "policy.lora={rank: 8}", "--dry-run"])
    assert done.exit_code == 1
    assert "policy.lora" in done.output


def test_the_command_is_the_same_every_time(tmp_path: Path) -> None:
    assert command(settings(tmp_path), tmp_path) == command(settings(tmp_path), tmp_path)


def checkpoint(run: Path, step: int) -> None:
    folder = run / "checkpoints" / f"global_step_{step}" / "actor" / "huggingface"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(str(step))


def look(run: Path, step: int, utility: float) -> None:
    record = {"kind": "validation", "stage": 0, "name": "grpo", "step": step, "greedy": {"utility": utility}}
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(orjson.dumps(record) + b"\n")


@pytest.mark.parametrize(("result", "chosen"), [("best", "20"), ("last", "30")])
def test_which_checkpoint_is_handed_over(tmp_path: Path, result: str, chosen: str) -> None:
    run = tmp_path / "run"
    prepare(settings(run, result=result), run, resume=False)
    with pytest.raises(CheckpointError, match="no checkpoint of verl"):
        hand_over(run)
    for step, utility in ((10, 0.9), (20, 0.5), (30, 0.3)):  # the first one is not kept any more
        look(run, step, utility)
        if step > 10:
            checkpoint(run, step)
    checkpoint(run, 25)
    assert (hand_over(run) / "config.json").read_text() == chosen
    assert (hand_over(run) / "config.json").read_text() == chosen  # again: nothing is in the way
