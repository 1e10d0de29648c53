"""A run on verl: its folder, its data, and the command that trains it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import orjson
import yaml

from maestro.config import load_config
from maestro.errors import CheckpointError, ConfigError, MissingDependency
from maestro.policy.local_model import load_processor
from maestro.policy.spoken import spoken, write_spoken
from maestro.registry.registry import Registry
from maestro.rollout.systems import offered_menu
from maestro.tasks.opening import task_source
from maestro.train.card import write_card
from maestro.train.config.run import TrainConfig
from maestro.train.folder.checkpoint import to_disk
from maestro.train.folder.claim import claimed
from maestro.train.folder.data_lock import store_digest
from maestro.train.folder.layout import RunFolder, check_place
from maestro.train.materials import scorable_tasks
from maestro.train.progress import Progress, Silent
from maestro.train.start import starting_folder
from maestro.train.verl.chronicle import Chronicle, latest_step, looks
from maestro.train.verl.overrides import agent_loops, only_stage, override, overrides
from maestro.train.verl.rows import pictures, write_rows
from maestro.train.verl.speech import check_prompts, speaking

MODULE = "verl.trainer.main_ppo"
PLUGIN = "maestro.train.verl.plugin"
"""What verl has to import in each of its processes; the installation says so by an entry point."""
POLL_SECONDS = 5.0
"""Between looks at what verl has logged."""
PATIENCE_SECONDS = 60.0
"""That verl may take to end when it is asked to."""


@dataclass(frozen=True)
class Prepared:
    """A run folder that verl can train from."""

    run: Path
    policy: Path
    """The checkpoint that it starts from."""
    command: list[str]
    log: Path
    """Where verl will log what it measures."""


def command(config: TrainConfig, run: Path) -> list[str]:
    """What trains the run, on one machine or from the head of a Ray cluster. Raises ConfigError for what verl cannot do."""
    return [sys.executable, "-m", MODULE, *overrides(config, run)]


def prepare(config: TrainConfig, run: Path, *, resume: bool) -> Prepared:
    """Write config, registry lock, data and agent loops into the run folder. Raises what loading them raises."""
    log = (run / f"verl-{len(list(run.glob('verl-*.jsonl'))) + 1:03d}.jsonl").absolute()  # verl empties the file it logs to
    made = [
        *command(config, run),
        override("hydra.run.dir", str(run.absolute() / "hydra")),  # else Hydra makes one wherever the command is started
        override("+ray_kwargs.ray_init.runtime_env.env_vars.VERL_FILE_LOGGER_PATH", str(log)),
    ]
    registry = Registry.load(config.ensemble.registry)
    check_place(run, resume=resume)
    if not resume:  # before the folder counts as a run: what fails here can be tried again
        _write_data(config, run)
    data = {"ensemble.store": store_digest(config.ensemble)}  # questions and pictures lie in the run folder itself
    RunFolder(run, config, dict(registry.lock()), data=data, resume=resume).close()
    (run / "agent_loop.yaml").write_text(yaml.safe_dump(agent_loops(run), sort_keys=False))
    return Prepared(run, starting_folder(config.policy.load or ""), made, log)


def _write_data(config: TrainConfig, run: Path) -> None:
    """Rows and pictures of the run. Raises ConfigError when they are not enough for a step, or a prompt is too long."""
    images, source = pictures(run, capacity=64), task_source(config.tasks.source)
    train = scorable_tasks(source, config.tasks.train, config.tasks.train_limit, images)
    prompts = only_stage(config).prompts
    if len(train) < prompts:
        raise ConfigError(
            f"{config.tasks.source}/{config.tasks.train} has {len(train)} tasks, fewer than the {prompts} of one step (stages.0.prompts)."
        )
    validation = scorable_tasks(source, config.tasks.validation, config.tasks.validation_limit, images)
    menu, processor = (
        offered_menu(Registry.load(config.ensemble.registry), source),
        load_processor(starting_folder(config.policy.load or "")),
    )
    check_prompts(config, speaking(config, processor, images, menu), menu, [*train, *validation])
    write_rows(train, images, run / "data" / "train.parquet", training=True)
    write_rows(validation, images, run / "data" / "validation.parquet", training=False)


def check_machine(config: TrainConfig) -> None:
    """Whether this machine can start the run. Raises MissingDependency or ConfigError saying what is missing."""
    missing = [name for name in ("verl", "ray", "vllm") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependency(
            f"engine verl needs {', '.join(missing)}; install verl with pip install 'maestro-orchestrator[verl]' and vLLM for your CUDA "
            "(docs/verl.md). Add --dry-run to see what would run."
        )
    if PLUGIN not in {point.value for point in metadata.entry_points(group="verl.plugins")}:
        raise ConfigError(f"verl would not find {PLUGIN}: the installation of Maestro is older than its engine verl. Install it again.")
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


def launch(config: TrainConfig, run: Path, *, resume: bool, progress: Progress | None = None) -> Path:
    """Train, and hand over a Hugging Face folder; `progress` is told of every step, look and alarm.

    Raises CheckpointError when verl fails, or another process is at the folder.
    """
    check_machine(config)
    check_place(run, resume=resume)
    with claimed(run):
        return _launch(config, run, progress or Silent(), resume=resume)


def _launch(config: TrainConfig, run: Path, watching: Progress, *, resume: bool) -> Path:
    """`launch` in a folder that is this process's."""
    prepared = prepare(config, run, resume=resume)
    chronicle = Chronicle(config, run, prepared.log)
    output = prepared.log.with_suffix(".txt")
    stage = only_stage(config)
    watching.stage(0, stage.kind, stage.steps, latest_step(run))
    try:
        with output.open("wb") as file:
            command, here = prepared.command, environment(config)
            verl = subprocess.Popen(command, env=here, stdout=file, stderr=subprocess.STDOUT)  # noqa: S603 (our own command)
            follow(verl, chronicle, watching)
    finally:
        chronicle.close()
    if verl.returncode and chronicle.stopped is None:
        end = "\n".join(output.read_text(errors="replace").splitlines()[-20:])
        raise CheckpointError(
            f"verl ended with exit code {verl.returncode}; all that it said is in {output}, and ends with\n{end}\n"
            f"Take the run up again with: maestro train --resume {run}"
        )
    return hand_over(run)


def follow(verl: subprocess.Popen[bytes], chronicle: Chronicle, progress: Progress, every_seconds: float = POLL_SECONDS) -> None:
    """Tell what verl does until it ends, and end it when an alarm says so."""
    try:
        running = True
        while running:
            running = _runs(verl, every_seconds)
            chronicle.tell(progress)
            if running and chronicle.stopped is not None:
                return
    finally:
        _end(verl)


def _runs(verl: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether it still runs after so long."""
    try:
        verl.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(verl: subprocess.Popen[bytes]) -> None:
    """See to it that verl has ended: asked as by Ctrl-C, upon which Ray lets go of its machines, and made to when it does not heed."""
    if verl.poll() is None:
        verl.send_signal(signal.SIGINT)
        if _runs(verl, PATIENCE_SECONDS):
            verl.kill()
            verl.wait()


def hand_over(run: Path) -> Path:
    """A checkpoint's Hugging Face folder as the run's policy, with its registry, its card and how it speaks.

    The newest, or with `result: best`, of those that are kept, the one with the best validation utility, where verl looked at their
    steps. Raises CheckpointError when there is none.
    """
    config = load_config(TrainConfig, run / "config.yaml")
    found = {int(path.parts[-3].rsplit("_", 1)[1]): path for path in run.glob("checkpoints/global_step_*/actor/huggingface")}
    if not found:
        raise CheckpointError(f"{run / 'checkpoints'} holds no checkpoint of verl to hand over")
    looked = looks(run, config.alarms.grammar_floor) if config.result == "best" else ()
    seen = {step: reached for step, reached in looked if step in found}
    step = max(seen, key=lambda place: (seen[place], place)) if seen else max(found)
    final, writing = run / "policy", run / ".writing-policy"
    shutil.rmtree(writing, ignore_errors=True)
    shutil.copytree(found[step], writing)
    lock = (run / "registry.lock").read_bytes()
    (writing / "registry.lock").write_bytes(lock)
    said = spoken(starting_folder(config.policy.load or ""), config.policy.speech.options)
    if said.dialect == "maestro-4b":
        write_spoken(writing, said.model_copy(update={"history": said.history or "whole"}))
    write_card(writing, config, orjson.loads(lock), run / "metrics.jsonl", f"global_step_{step}")
    to_disk(writing)
    shutil.rmtree(final, ignore_errors=True)
    writing.rename(final)
    return final
