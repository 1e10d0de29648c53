"""On what a run computes, and how it saves memory."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from maestro.config import Config


class ComputeConfig(Config):
    """Device, number format and memory of a run. With several processes (`accelerate launch`) each takes its own card."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the graphics card when there is one and the weights are heavier than 400 MB, or several processes train."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16`: matrix products in bfloat16; trained weights and their optimiser stay float32, frozen ones are kept in bfloat16."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass instead of keeping them (policy gradients)."""
    generation_batch: int = Field(default=64, ge=1)
    """Episodes of one process that decide in one batch."""
    open_episodes: int = Field(default=512, ge=1)
    """Episodes of one process that are under way at a time; each holds its keys and values."""
    shard_optimizer: bool = False
    """Several processes: each keeps the optimiser state of its share of the weights (ZeRO stage 1)."""
    shard_weights: bool = False
    """Several processes: each keeps its share of weights, gradients and optimiser state (FSDP), beside a whole copy of the weights that
    samples. `accelerate launch --use_fsdp` says the same."""
