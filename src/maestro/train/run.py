"""A whole training run: build what the config names, take the stages in order, hand over a policy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.registry.menu import Menu
from maestro.rollout.episode import Performs
from maestro.train.bench import Workbench
from maestro.train.config.run import ExpertIterationStage, GrpoStage, TrainConfig, WarmStartStage
from maestro.train.episodes.encounters import told
from maestro.train.episodes.memo import RememberingEnsemble
from maestro.train.episodes.outages import check_outages
from maestro.train.episodes.sampling import Sampler
from maestro.train.folder.checkpoint import Checkpoint, Position
from maestro.train.folder.claim import claimed
from maestro.train.folder.data_lock import store_digest, tasks_digest
from maestro.train.folder.layout import RunFolder, check_place
from maestro.train.handover import describe, hand_over
from maestro.train.order import check_enough
from maestro.train.processes.shares import check_shares
from maestro.train.processes.start import Processes
from maestro.train.progress import Progress, Silent
from maestro.train.seeding import generator
from maestro.train.start import starting_folder
from maestro.train.warm_start.synthetic import Scene
from maestro.types import Task

HELD_OUT = 0.1
"""Share of the warm scenes that only probes see."""


@dataclass
class Materials:
    """What a run works on, made by the caller: `train/` knows no ensemble by name."""

    images: ImageStore
    ensemble: Performs
    train: Sequence[Task]
    validation: Sequence[Task]
    scenes: Sequence[Scene]
    """Scenes of the warm split; may be empty when no stage is a warm start and none rehearses."""
    wordings: Sequence[Scene] = field(default=(), kw_only=True)
    """Questions without pictures for the warm start's drills; may be empty."""
    registry: dict[str, Any]
    """What `registry.lock` shall hold: name, digest, and whatever pins the experts."""


def train(
    config: TrainConfig,
    materials: Materials,
    path: Path,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    runner: asyncio.Runner | None = None,
    processes: Processes | None = None,
) -> Path:
    """Run every stage and return the folder of the resulting policy.

    `runner` owns the event loop that the ensemble lives on; None makes one. With `resume` the run in `path` goes on from its last
    checkpoint and ends with exactly the weights that an uninterrupted run has. `processes` are those that train together; None:
    this one alone. Raises ConfigError, CheckpointError (also when another process is at the folder).
    """
    processes = processes or Processes()
    check_shares(config, processes.count, sharded=processes.sharded)
    check_enough(config, materials.train)
    if processes.main:
        check_place(path, resume=resume)
    with claimed(path) if processes.main else nullcontext():
        return _train(config, materials, path, processes, runner, progress or Silent(), resume=resume)


def _train(
    config: TrainConfig,
    materials: Materials,
    path: Path,
    processes: Processes,
    runner: asyncio.Runner | None,
    progress: Progress,
    *,
    resume: bool,
) -> Path:
    """`train` in a folder that is this process's."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()  # a bar for each file of a tiny checkpoint hides what matters
    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    folder = RunFolder(path, config, materials.registry, data=_data(config, materials), resume=resume, writes=processes.main)
    processes.wait()  # before anybody looks at the folder, what a killed run left there is put in order
    try:
        found = folder.checkpoints.newest_whole() if resume and processes.main else None
        latest = processes.collect([found])[0]  # of the first process, which alone may set damaged ones aside
        if latest is not None and _over(latest.position, config) and folder.final.exists():
            return folder.final
        _cut(folder, latest)
        adapted = config.policy.lora is not None
        source = latest.path if latest is not None and not adapted else _start(config, materials, path)
        with nullcontext(runner) if runner is not None else asyncio.Runner() as loop:
            bench = _bench(config, materials, folder, source, latest, loop, progress, processes)
            for index in range(bench.position.stage, len(config.stages)):
                if bench.position.stopped is None:
                    run_stage(bench, index)
            return hand_over(bench)
    finally:
        folder.close()


def _data(config: TrainConfig, materials: Materials) -> dict[str, str | None]:
    """Digests of what the run learns from."""
    tasks = {"train": materials.train, "validation": materials.validation, "warm": [scene.task for scene in materials.scenes]}
    return {**{f"tasks.{name}": tasks_digest(some) for name, some in tasks.items()}, "ensemble.store": store_digest(config.ensemble)}


def run_stage(bench: Workbench, index: int) -> None:
    """Run or finish one stage and mark it as finished in a checkpoint."""
    stage = bench.config.stages[index]
    match stage:
        case WarmStartStage():
            from maestro.train.warm_start.stage import warm_start

            warm_start(bench, stage)
        case ExpertIterationStage():
            from maestro.train.expert_iteration import expert_iteration

            expert_iteration(bench, stage)
        case GrpoStage():
            from maestro.train.grpo.stage import grpo

            grpo(bench, stage)
    bench.position.finished = True
    bench.save(None)
    if not _over(bench.position, bench.config):
        bench.next_stage()


def _over(position: Position, config: TrainConfig) -> bool:
    """Whether the last stage is done, or an alarm has ended the run."""
    return position.finished and (position.stopped is not None or position.stage == len(config.stages) - 1)


def _bench(
    config: TrainConfig,
    materials: Materials,
    folder: RunFolder,
    source: Path,
    latest: Checkpoint | None,
    runner: asyncio.Runner,
    progress: Progress,
    processes: Processes,
) -> Workbench:
    from maestro.train.learner import load_learner

    learner = load_learner(config, source, latest.path if latest else None, materials.ensemble.menu, materials.images)
    learner.policy.generator.share = config.shared_prefix
    # Wall clock must not decide what is learned: a paused or slow machine gets the same episodes.
    limits = config.limits.model_copy(update={"seconds": 3600.0})
    check_outages(config.ensemble.outages, materials.ensemble.menu)
    ensemble, together = RememberingEnsemble(materials.ensemble), config.compute.open_episodes
    sampler = Sampler(learner.policy, ensemble, config.reward, limits, runner, together, cost_weight=told(config))
    kept, held_out = split_scenes(materials.scenes)
    bench = Workbench(
        config,
        sampler,
        folder,
        materials.train,
        materials.validation,
        kept,
        materials.wordings,
        held_out,
        progress,
        latest.position if latest else Position(),
        start_folder(config, folder.path),
        describe=partial(describe, folder, config),
        learner=learner,
        processes=processes,
    )
    if bench.position.finished and not _over(bench.position, config):
        bench.next_stage()
    return bench


def split_scenes(scenes: Sequence[Scene]) -> tuple[list[Scene], list[Scene]]:
    """Scenes for traces, and those held out for probes; by task id, so that adding scenes moves none."""
    held = [scene for scene in scenes if generator("held out", scene.task.id).random() < HELD_OUT]
    names = {scene.task.id for scene in held}
    return [scene for scene in scenes if scene.task.id not in names], held


def _start(config: TrainConfig, materials: Materials, path: Path) -> Path:
    """The policy that the run starts from, built when it is not loaded."""
    if config.policy.load is not None:
        return starting_folder(config.policy.load)
    if not any(isinstance(stage, WarmStartStage) for stage in config.stages):
        raise ConfigError("an untrained policy needs a warm_start stage first, or name a trained one in policy.load.")
    from maestro.policy.local_model import build_tiny

    menu = materials.ensemble.menu
    return build_tiny(
        start_folder(config, path),
        config.seed,
        texts=vocabulary_texts([*materials.scenes, *materials.wordings], menu, config.seed),
        experts=[expert.id for expert in menu.experts],
        skills=[skill.id for skill in menu.skills],
        **config.policy.sizes,
    )


def vocabulary_texts(scenes: Sequence[Scene], menu: Menu, seed: int, count: int = 4000) -> list[str]:
    """What the vocabulary is made from: questions, synthetic observations and looks of the warm split. No answers of other splits."""
    from maestro.train.warm_start.synthetic import SyntheticEnsemble, topic
    from maestro.types import Call

    ensemble = SyntheticEnsemble(menu, scenes, seed)
    texts: list[str] = []
    for scene in scenes[:count]:
        texts += [scene.task.question, f"{topic(scene.plan)}; {scene.look}"]
        texts += [ensemble.result(Call(expert="", skill=skill), scene.task.id).text for skill in scene.plan]
    return texts


def start_folder(config: TrainConfig, run: Path) -> Path:
    """Folder of the policy that a run starts from, whether it is there already or not."""
    return run / "untrained" if config.policy.load is None else starting_folder(config.policy.load)


def _cut(folder: RunFolder, latest: Checkpoint | None) -> None:
    """Forget what was logged after the checkpoint; it will happen again."""
    folder.metrics.cut(latest.position.metrics_bytes if latest else 0)
    folder.episodes.cut(latest.position.episodes_bytes if latest else 0)
