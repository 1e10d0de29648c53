"""A run on verl: its folder, its data, and the command that trains it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import orjson
import yaml

from maestro.config import load_config
from maestro.errors import CheckpointError, ConfigError, MissingDependency
from maestro.policy.spoken import spoken, write_spoken
from maestro.registry.registry import Registry
from maestro.tasks.opening import task_source
from maestro.train.card import write_card
from maestro.train.checkpoint import to_disk
from maestro.train.config import TrainConfig
from maestro.train.folder import RunFolder, check_place
from maestro.train.materials import scorable_tasks
from maestro.train.start import starting_folder
from maestro.train.verl.overrides import agent_loops, only_stage, overrides
from maestro.train.verl.rows import pictures, write_rows

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
    made = [*command(config, run), *log_file(run)]
    registry = Registry.load(config.ensemble.registry)
    check_place(run, resume=resume)
    if not resume:  # before the folder counts as a run: what fails here can be tried again
        _write_data(config, run)
    RunFolder(run, config, dict(registry.lock()), resume=resume).close()
    (run / "agent_loop.yaml").write_text(yaml.safe_dump(agent_loops(run), sort_keys=False))
    return Prepared(run, starting_folder(config.policy.load or ""), made)


def _write_data(config: TrainConfig, run: Path) -> None:
    """Rows and pictures of the run. Raises ConfigError when they are not enough for a step."""
    images, source = pictures(run, capacity=64), task_source(config.tasks.source)
    train = scorable_tasks(source, config.tasks.train, config.tasks.train_limit, images)
    prompts = only_stage(config).prompts
    if len(train) < prompts:
        raise ConfigError(
            f"{config.tasks.source}/{config.tasks.train} has {len(train)} tasks, fewer than the {prompts} of one step (stages.0.prompts)."
        )
    validation = scorable_tasks(source, config.tasks.validation, config.tasks.validation_limit, images)
    write_rows(train, images, run / "data" / "train.parquet", training=True)
    write_rows(validation, images, run / "data" / "validation.parquet", training=False)


def log_file(run: Path) -> list[str]:
    """Overrides that give this start a log of its own, because verl empties the file it logs to."""
    number = len(list(run.glob("verl-*.jsonl"))) + 1
    path = (run / f"verl-{number:03d}.jsonl").absolute()
    folder = f"hydra.run.dir={run.absolute() / 'hydra'}"  # else Hydra makes one wherever the command is started
    return [folder, f"+ray_kwargs.ray_init.runtime_env.env_vars.VERL_FILE_LOGGER_PATH={path}"]


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


def environment(config: TrainConfig) -> dict[str, str]:
    """What verl is started in: a run over several machines joins the Ray cluster of this one, and never begins one of its own."""
    return {**os.environ, **({"RAY_ADDRESS": "auto"} if config.verl.nodes > 1 and "RAY_ADDRESS" not in os.environ else {})}


def launch(config: TrainConfig, run: Path, *, resume: bool) -> Path:
    """Train, and hand over the newest checkpoint as a Hugging Face folder. Raises CheckpointError when verl fails."""
    check_machine(config)
    prepared = prepare(config, run, resume=resume)
    done = subprocess.run(prepared.command, env=environment(config), check=False)  # noqa: S603 (our own command)
    if done.returncode:
        raise CheckpointError(f"verl ended with exit code {done.returncode}; take the run up again with maestro train --resume {run}")
    return hand_over(run)


def hand_over(run: Path) -> Path:
    """The newest checkpoint's Hugging Face folder as the run's policy, with its registry, its card and how it speaks.

    Raises CheckpointError when there is none.
    """
    found = sorted(run.glob("checkpoints/global_step_*/actor/huggingface"), key=lambda path: int(path.parts[-3].rsplit("_", 1)[1]))
    if not found:
        raise CheckpointError(f"{run / 'checkpoints'} holds no checkpoint of verl to hand over")
    config = load_config(TrainConfig, run / "config.yaml")
    final, writing = run / "policy", run / ".writing-policy"
    shutil.rmtree(writing, ignore_errors=True)
    shutil.copytree(found[-1], writing)
    lock = (run / "registry.lock").read_bytes()
    (writing / "registry.lock").write_bytes(lock)
    said = spoken(starting_folder(config.policy.load or ""), config.policy.speech.options)
    if said.dialect == "maestro-4b":
        write_spoken(writing, said.model_copy(update={"history": said.history or "whole"}))
    write_card(writing, config, orjson.loads(lock), run / "metrics.jsonl", found[-1].parts[-3])
    to_disk(writing)
    shutil.rmtree(final, ignore_errors=True)
    writing.rename(final)
    return final
