"""Supervised steps on token rows: what the warm start and expert iteration share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maestro.train.batches import Batch, Row, collate, micro_batches
from maestro.train.config.run import OptimizerConfig
from maestro.train.prefix.forward import hidden_at, shared_prefix


def build_optimizer(
    model: torch.nn.Module, config: OptimizerConfig, total_steps: int, *, shards: bool = False
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    """AdamW (no decay on norms and biases) with warm-up, then cosine to `final_lr` or constant.

    With `shards` each of the processes that train together keeps the state of its share of the weights.
    """
    matrices = [parameter for parameter in model.parameters() if parameter.requires_grad and parameter.ndim > 1]
    vectors = [parameter for parameter in model.parameters() if parameter.requires_grad and parameter.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    groups = [group for group in groups if group["params"]]
    betas = (0.9, config.beta2)
    optimizer: torch.optim.Optimizer
    if shards:
        from maestro.train.processes.sharded_adamw import ShardedAdamW

        optimizer = ShardedAdamW(groups, lr=config.lr, betas=betas)
    else:
        optimizer = torch.optim.AdamW(groups, lr=config.lr, betas=betas)

    def factor(step: int) -> float:
        if step < config.warmup_steps:
            return (step + 1) / config.warmup_steps
        if config.schedule == "constant":
            return 1.0
        progress = min(1.0, (step - config.warmup_steps) / max(1, total_steps - config.warmup_steps))
        low = config.final_lr / config.lr
        return low + (1 - low) * 0.5 * (1 + math.cos(math.pi * progress))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


@dataclass(frozen=True)
class StepReport:
    """What one step did."""

    loss: float
    """Mean negative log-likelihood per target token, in nats."""
    grad_norm: float
    lr: float
    tokens: int
    """Positions computed, padding included."""
    targets: int

    @property
    def numbers(self) -> dict[str, float]:
        """The report for metrics and alarms."""
        return {"loss": self.loss, "grad_norm": self.grad_norm, "lr": self.lr, "tokens": self.tokens, "targets": self.targets}


class Supervised:
    """A model, its optimiser and schedule, and how to take one step on rows."""

    def __init__(self, policy: Any, config: OptimizerConfig, total_steps: int, *, micro_batch: int, share: bool = True) -> None:
        """`share`: read what the rows of a micro batch have in common only once."""
        self.policy = policy
        self.model = policy.model
        self.config = config
        self.micro_batch = micro_batch
        self.share = share
        self.optimizer, self.schedule = build_optimizer(self.model, config, total_steps)

    def step(self, rows: Sequence[Row]) -> StepReport:
        """One optimiser step on all rows; every target token weighs the same whatever row it is in."""
        self.model.train()
        pad, image = self.policy.tokenizer.pad_token_id, self.model.config.image_token_id
        batches = [collate(group, pad, image, self.policy.image_inputs) for group in micro_batches(rows, self.micro_batch)]
        count = sum(batch.count for batch in batches)
        total = 0.0
        with shared_prefix(self.model, share=self.share):
            for batch in batches:
                loss = token_losses(self.model, batch).sum() / count
                loss.backward()
                total += float(loss.detach())
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm))
        lr = self.schedule.get_last_lr()[0]
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.model.eval()
        return StepReport(total, norm, lr, sum(batch.targets.numel() for batch in batches), count)

    def save(self, path: Path) -> None:
        """Write the state of optimiser and schedule."""
        torch.save({"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}, path)

    def load(self, path: Path) -> None:
        """Take up a saved state."""
        state = torch.load(path, weights_only=True)
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def token_losses(model: Any, batch: Batch) -> torch.Tensor:
    """Negative log-likelihood of every target token, shape (targets,). Only those positions reach the output layer."""
    inputs = {name: tensor.to(model.device) for name, tensor in batch.inputs.items()}
    chosen = batch.targets[:, 1:].bool().to(model.device)
    output = model.model(**inputs, use_cache=False)
    logits = model.lm_head(hidden_at(output, torch.nn.functional.pad(chosen, (0, 1)))).float()
    return torch.nn.functional.cross_entropy(logits, inputs["input_ids"][:, 1:][chosen], reduction="none")
