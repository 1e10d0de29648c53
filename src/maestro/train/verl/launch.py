"""A run on verl: its folder, its data, and the command that trains it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from maestro.errors import CheckpointError, ConfigError, MissingDependency
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.tasks.opening import task_source
from maestro.train.config import TrainConfig
from maestro.train.folder import RunFolder
from maestro.train.materials import scorable_tasks
from maestro.train.start import starting_folder
from maestro.train.verl.overrides import agent_loops, overrides
from maestro.train.verl.rows import write_rows

MODULE = "verl.trainer.main_ppo"


@dataclass(frozen=True)
class Prepared:
    """A run folder that verl can train from."""

    run: Path
    policy: Path
    """The checkpoint that it starts from."""
    command: list[str]


def command(config: TrainConfig, run: Path) -> list[str]:
    """What trains the run, on one machine or from the head of a Ray cluster. Raises ConfigError for what verl cannot do."""
    return [sys.executable, "-m", MODULE, *overrides(config, run)]


def prepare(config: TrainConfig, run: Path, *, resume: bool) -> Prepared:
    """Write config, registry lock, data and agent loops into the run folder. Raises what loading them raises."""
    made = command(config, run)
    registry = Registry.load(config.ensemble.registry)
    RunFolder(run, config, dict(registry.lock()), resume=resume).close()
    if not resume:
        images, source = ImageStore(capacity=64), task_source(config.tasks.source)
        train = scorable_tasks(source, config.tasks.train, config.tasks.train_limit, images)
        validation = scorable_tasks(source, config.tasks.validation, config.tasks.validation_limit, images)
        write_rows(train, images, run / "data" / "train.parquet", training=True)
        write_rows(validation, images, run / "data" / "validation.parquet", training=False)
    (run / "agent_loop.yaml").write_text(yaml.safe_dump(agent_loops(run), sort_keys=False))
    return Prepared(run, starting_folder(config.policy.load or ""), made)


def check_machine(config: TrainConfig) -> None:
    """Whether this machine can start the run. Raises MissingDependency or ConfigError saying what is missing."""
    missing = [name for name in ("verl", "ray", "vllm") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependency(
            f"engine verl needs {', '.join(missing)}; install verl with pip install 'maestro-orchestrator[verl]' and vLLM for your CUDA "
            "(docs/verl.md). Add --dry-run to see what would run."
        )
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if config.verl.nodes == 1 and cards < config.verl.gpus:
        raise ConfigError(
            f"verl.gpus is {config.verl.gpus}, and PyTorch sees {cards} here. Set verl.gpus, or train with engine trl, which also runs "
            "on one card or none. Add --dry-run to see what would run."
        )


def launch(config: TrainConfig, run: Path, *, resume: bool) -> Path:
    """Train, and hand over the newest checkpoint as a Hugging Face folder. Raises CheckpointError when verl fails."""
    check_machine(config)
    prepared = prepare(config, run, resume=resume)
    environment: dict[str, Any] = {**os.environ, "VERL_FILE_LOGGER_PATH": str(run.absolute() / "verl.jsonl")}
    done = subprocess.run(prepared.command, env=environment, check=False)  # noqa: S603 (our own command)
    if done.returncode:
        raise CheckpointError(f"verl ended with exit code {done.returncode}; take the run up again with maestro train --resume {run}")
    return hand_over(run)


def hand_over(run: Path) -> Path:
    """The newest checkpoint's Hugging Face folder as the run's policy. Raises CheckpointError when there is none."""
    found = sorted(run.glob("checkpoints/global_step_*/actor/huggingface"), key=lambda path: int(path.parts[-3].rsplit("_", 1)[1]))
    if not found:
        raise CheckpointError(f"{run / 'checkpoints'} holds no checkpoint of verl to hand over")
    final = run / "policy"
    if final.is_symlink():
        final.unlink()
    final.symlink_to(found[-1].relative_to(run))
    return final
