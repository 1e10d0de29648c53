"""How long one GRPO step takes on our episodes beside one on TRL's own generation, on the same work.

One `GRPOTrainer` over one untrained tiny policy takes both roads in turns: a step whose completions come from our episodes
(`rollout_func`, with the loss reading shared prompts and pictures once), then one whose completions TRL generates itself by
Transformers (`rollout_func` unset, the loss read plainly). Same prompts, members and number of new tokens; episodes are one
decision long because TRL's own generation knows no second turn. The first step of each road is not counted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from maestro.bench.measurement import Measurement
from maestro.bench.toy import InstantEnsemble, tasks, tiny_policy
from maestro.errors import MaestroError
from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.local import LocalPolicy  # before trl, which transformers lets in only with the torchvision that this installs
from maestro.reward import RewardRule
from maestro.rollout.limits import Limits
from maestro.train.bench import Workbench
from maestro.train.config.run import CheckpointConfig, GrpoStage, TrainConfig
from maestro.train.episodes.sampling import Sampler
from maestro.train.folder.checkpoint import Position
from maestro.train.folder.layout import RunFolder
from maestro.train.grpo.groups import whole_groups
from maestro.train.grpo.stage import Rollout, build_trainer
from maestro.train.grpo.steps import Steps
from maestro.train.prefix.forward import shared_prefix
from maestro.train.progress import Silent
from maestro.train.supervised import build_optimizer
from maestro.types import Answer

OURS, TRL = "our episodes", "TRL's own generation"


def measure(rounds: int = 5, prompts: int = 8, members: int = 8, tokens: int = 32, micro_batch: int = 32) -> list[Measurement]:
    """Seconds of a whole step and of its generation: `prompts` x `members` completions of exactly `tokens` new tokens."""
    stage = GrpoStage(steps=2 * (rounds + 1), prompts=prompts, members=members, micro_batch=min(micro_batch, prompts * members))
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner, _quiet():
        bench = _workbench(Path(folder) / "run", runner, stage, tokens)
        rollout = Rollout(bench, stage)
        optimizer, schedule = build_optimizer(bench.policy.model, stage.optimizer, stage.steps)
        trainer = build_trainer(bench, stage, rollout, optimizer, schedule)
        turns = TakingTurns(bench, stage, rollout, optimizer, schedule)
        turns.attach(trainer, tokens)
        try:
            with whole_groups(stage.members):
                trainer.train()
        finally:
            bench.folder.close()
    return [
        Measurement.of(name, "s", seconds[OURS][1:], TRL, seconds[TRL][1:])
        for name, seconds in (("GRPO step", turns.step_seconds), ("generation in it", turns.generation_seconds))
    ]


class TakingTurns(Steps):
    """Lets our road and TRL's take turns, step by step, and times both."""

    trainer: Any
    road = TRL
    started = 0.0

    def attach(self, trainer: Any, tokens: int) -> None:
        """Take the place of the trainer's own `Steps`, and time its generation of `tokens` new tokens a completion."""
        self.trainer = trainer
        self.step_seconds: dict[str, list[float]] = {OURS: [], TRL: []}
        self.generation_seconds: dict[str, list[float]] = {OURS: [], TRL: []}
        self._shared = ExitStack()
        trainer.remove_callback(Steps)
        trainer.add_callback(self)
        trainer.reward_funcs = [_reward]
        for settings in (trainer.generation_config.__dict__, trainer.generation_kwargs):
            settings.update(max_new_tokens=tokens, min_new_tokens=tokens)
        generate = trainer._generate  # noqa: SLF001 (TRL times it nowhere, and trl is pinned)

        def timed(prompts: list[Any]) -> Any:
            started = time.perf_counter()
            result = generate(prompts)
            self.generation_seconds[self.road].append(time.perf_counter() - started)
            if found := {len(ids) for ids in result[1]} - {tokens}:
                raise MaestroError(f"{self.road} gave completions of {sorted(found)} tokens instead of {tokens}; the work is not the same")
            return result

        trainer._generate = timed  # noqa: SLF001

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Change the road."""
        super().on_step_begin()
        self.road = TRL if self.road == OURS else OURS
        self.trainer.rollout_func = self.rollout if self.road == OURS else None
        if self.road == OURS:
            self._shared.enter_context(shared_prefix(self.bench.policy.model))
        self.started = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Take the time."""
        self.step_seconds[self.road].append(time.perf_counter() - self.started)
        self._shared.close()
        super().on_step_end()

    def on_log(self, *_: Any, **__: Any) -> None:
        """Nothing: a benchmark keeps no metrics."""


class AnythingAnswers(MaestroDialect):
    """Takes whatever is said as the answer: an untrained policy speaks no grammar, and an episode shall be one decision."""

    def parse(self, text: str) -> Answer:
        """The text as it stands."""
        return Answer(text=text)


def _workbench(path: Path, runner: asyncio.Runner, stage: GrpoStage, tokens: int) -> Workbench:
    """As a training run has it, without validation and checkpoints."""
    images = ImageStore()
    policy: LocalPolicy = tiny_policy(images, tokens)
    policy.batcher.lockstep = True
    policy.dialect = AnythingAnswers()
    policy.generator.stops = frozenset()  # every completion is as long as the other road's
    config = TrainConfig(stages=(stage,), checkpoint=CheckpointConfig(every=10**9))
    sampler = Sampler(policy, InstantEnsemble(), RewardRule(), Limits(turns=1, seconds=3600), runner)
    folder = RunFolder(path, config, {"name": "toy"}, resume=False)
    return Workbench(config, sampler, folder, tasks(images, stage.prompts), (), (), (), (), Silent(), Position(), path)


def _reward(completions: list[Any], **_: Any) -> list[float]:
    """Every second completion is good, whatever it says: the loss has an advantage to work on, the same on both roads."""
    return [float(index % 2) for index in range(len(completions))]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings about what is meant here: an experimental `rollout_func`, a data set that is rendered row by row."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    import datasets  # it sets its own level when it is imported

    for name in ("transformers", datasets.__name__):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)
        yield
