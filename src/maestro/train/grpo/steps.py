"""What happens around TRL's steps: seeding, metrics, alarms, validation, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from maestro.train.bench import Workbench
from maestro.train.config.run import GrpoStage
from maestro.train.processes.sharded_weights import ShardedWeights
from maestro.train.seeding import seed_all

_FROM_TRL = {
    "loss": "loss",
    "grad_norm": "grad_norm",
    "learning_rate": "lr",
    "entropy": "token_entropy",
    "reward_std": "reward_std",
    "frac_reward_zero_std": "groups_without_spread",
    "clip_ratio/region_mean": "clipped",
    "kl": "kl",
    "step_time": "step_seconds",
}


class Steps(TrainerCallback):  # type: ignore[misc]
    """Keeps the run's position in step with TRL's."""

    def __init__(
        self, bench: Workbench, stage: GrpoStage, rollout: Any, optimizer: Any, schedule: Any, twin: ShardedWeights | None = None
    ) -> None:
        """`twin` is what is trained in the place of the policy's own model."""
        self.bench = bench
        self.stage = stage
        self.rollout = rollout
        self.optimizer = optimizer
        self.schedule = schedule
        self.twin = twin
        self._told: Any = None

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Seed the step; TRL clips and shuffles from the global generators."""
        reseed(self.bench)

    def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
        """No episode taught anything: no update either, not even by what the optimiser remembers of earlier ones."""
        if self.rollout.numbers.get("signal", {}).get("trained") == 0:
            (self.bench.policy.model if self.twin is None else self.twin.trained).zero_grad(set_to_none=True)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """One more optimiser step is done; the policy samples with it."""
        if self.twin is not None:
            self.twin.refresh()
        self.bench.position.step += 1

    def on_log(self, _args: Any, _state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        """Metrics of the step, ours and TRL's; then whatever is due after it."""
        logs = logs or {}
        if "loss" not in logs:
            return
        bench, step = self.bench, self.bench.position.step
        numbers = {
            **self._sampled(),
            **{ours: float(logs[theirs]) for theirs, ours in _FROM_TRL.items() if logs.get(theirs) is not None},
        }
        bench.log("step", step, numbers)
        if bench.check(step, numbers):
            control.should_training_stop = True
        if step % bench.config.validation.every == 0 or step == self.stage.steps or control.should_training_stop:
            bench.look(step)
        if step % bench.config.checkpoint.every == 0 and step < self.stage.steps and step % self.stage.iterations == 0:
            bench.save(self.saving())

    def _sampled(self) -> dict[str, Any]:
        """What there is to say about the episodes of this step. Further passes over the same ones (`iterations`) do not tell it again."""
        if self.rollout.numbers is self._told:
            return {}
        self._told = self.rollout.numbers
        return {**self.rollout.numbers, **self.rollout.drift.numbers()}

    def saving(self) -> Callable[[Path], None]:
        """Writes the state of optimiser and schedule. Where every process has a part of it, they put it together here."""
        if self.twin is not None:
            found = self.twin.state(self.optimizer)
        else:
            found = getattr(self.optimizer, "collected", self.optimizer.state_dict)()
        state = {"optimizer": found, "schedule": self.schedule.state_dict()}
        return lambda path: torch.save(state, path)


def reseed(bench: Workbench) -> None:
    """Global generators for the coming step (TRL shuffles with them)."""
    seed_all(bench.config.seed, "grpo", bench.position.stage, bench.position.step)
