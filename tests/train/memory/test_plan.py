"""The memory plan: the shape is that of the weights, and the parts move as the settings say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from maestro.cli.main import cli
from maestro.config import load_config
from maestro.errors import CheckpointError
from maestro.train.config.run import GrpoStage, TrainConfig
from maestro.train.memory.plan import Layout, Plan, layouts, plan
from maestro.train.memory.shape import read_shape
from tests.train.planner import random_checkpoint, rows_folder

RECIPES = Path(__file__).parents[3] / "recipes"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_checkpoint(tmp_path_factory.mktemp("shape"))


def planned(checkpoint: Path, *overrides: str, layout: Layout | None = None) -> Plan:
    config = load_config(TrainConfig, RECIPES / "maestro_4b.yaml", overrides)
    stage = config.stages[0]
    assert isinstance(stage, GrpoStage)
    return plan(config, stage, read_shape(checkpoint), layout or layouts(1)[0])


def test_the_shape_counts_what_the_weights_hold(checkpoint: Path) -> None:
    from safetensors.torch import load_file

    assert read_shape(checkpoint).parameters == sum(tensor.numel() for tensor in load_file(checkpoint / "model.safetensors").values())


def test_a_folder_without_weights_or_with_damaged_ones_is_no_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        read_shape(tmp_path)
    (tmp_path / "config.json").write_bytes((checkpoint / "config.json").read_bytes())
    with pytest.raises(CheckpointError, match="no weights"):
        read_shape(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 16)
    with pytest.raises(CheckpointError, match="no safetensors file"):
        read_shape(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="not that of a Qwen3-VL"):
        read_shape(tmp_path)


def test_settings_move_their_part_of_the_plan(checkpoint: Path) -> None:
    usual = planned(checkpoint)
    assert planned(checkpoint, "compute.gradient_checkpointing=false").activations > usual.activations
    assert planned(checkpoint, "stages.0.micro_batch=2").logits == 2 * usual.logits
    assert planned(checkpoint, "compute.open_episodes=8").sampling > usual.sampling
    adapters = planned(checkpoint, "policy.lora.rank=4")
    assert adapters.gradients < usual.gradients / 4
    assert adapters.weights < usual.weights
    one, whole, optimiser, twin, everything = layouts(8)
    assert one.processes == 1
    parts = [planned(checkpoint, layout=layout) for layout in (whole, optimiser, twin, everything)]
    assert parts[0].optimizer == 8 * parts[1].optimizer
    assert parts[3].gradients == parts[2].gradients < parts[1].gradients
    assert parts[2].weights > parts[1].weights > parts[3].weights  # a twin stands beside a whole copy
    assert parts[0].peak > parts[1].peak > parts[2].peak > parts[3].peak
    assert usual.fits(24)


def test_the_dry_run_says_who_reads_what_and_what_memory_it_takes(checkpoint: Path, tmp_path: Path) -> None:
    rows = rows_folder(tmp_path / "rows")
    words = ["train", str(RECIPES / "maestro_4b.yaml"), "--dry-run", "--set", f"policy.load={checkpoint}", "--set", f"tasks.source={rows}"]
    said = CliRunner().invoke(cli, words)
    assert said.exit_code == 0, said.output
    assert "stages.0.clip_high" in said.output
    assert "8 processes, compute.shard_optimizer" in said.output
    record = json.loads(CliRunner().invoke(cli, [*words, "--processes", "2", "--json"]).stdout)
    assert record["readers"]["stages.0.members"] == ["maestro.train.grpo.stage", "maestro.train.processes.shares"]
    assert "limits.seconds" in record["unread"]
    assert {plan["processes"] for plan in record["memory"]} == {1, 2}
    assert all(plan["fits_gb"] == [24, 40, 80] for plan in record["memory"])
    refused = CliRunner().invoke(cli, [*words, "--set", "limits.seconds=5"])
    assert refused.exit_code == 1
    assert "limits.seconds: wall-clock" in refused.output


def test_a_model_that_is_not_there_says_how_to_fetch_it(tmp_path: Path) -> None:
    rows = rows_folder(tmp_path / "rows")
    words = [
        "train",
        str(RECIPES / "maestro_4b.yaml"),
        "--dry-run",
        "--set",
        "policy.load=nobody/no-model",
        "--set",
        f"tasks.source={rows}",
    ]
    said = CliRunner().invoke(cli, words)
    assert said.exit_code == 1
    assert "hf download nobody/no-model" in said.output
