"""How much memory a run needs on each device, estimated from its config and the shape of its checkpoint.

An upper bound for rows as long as the config allows, in the phases of a policy-gradient step: episodes are sampled, the update's
activations are kept, the optimiser steps. `docs/training-large.md` has what was measured beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from maestro.train.config.run import GrpoStage, TrainConfig
from maestro.train.memory.shape import Shape

GIB = 2**30
CARDS = (24, 40, 80)
"""Sizes of graphics cards, GiB."""
USABLE = 0.92
"""Of a card: the rest goes to the driver, to libraries and to what fragments."""
PICTURE = 1024
"""Tokens that a row's picture is assumed to take; four patches each."""
_FULL = 4
"""Bytes of a float32."""

Sharding = Literal["whole", "optimiser", "twin", "everything"]
"""What processes share out: nothing, the optimiser, all beside a whole copy that samples, or all."""


@dataclass(frozen=True)
class Layout:
    """How a run is spread over devices."""

    name: str
    processes: int
    sharding: Sharding


@dataclass(frozen=True)
class Plan:
    """Bytes on each device, by what they are for."""

    layout: Layout
    weights: int
    gradients: int
    optimizer: int
    sampling: int
    """Keys and values while episodes are sampled."""
    activations: int
    logits: int
    step: int
    """What the optimiser needs besides while it steps."""

    @property
    def peak(self) -> int:
        """The largest phase, with what stays through all of them."""
        kept = self.gradients if self.layout.processes > 1 else 0  # buckets of gradients stay between steps
        update = self.gradients + max(self.activations + self.logits, self.step)
        return self.weights + self.optimizer + max(kept + self.sampling, update)

    def fits(self, card_gib: int) -> bool:
        """Whether a card of this size is enough."""
        return self.peak <= card_gib * GIB * USABLE


def layouts(processes: int) -> tuple[Layout, ...]:
    """One device, and the ways in which several share a run."""
    several = (
        Layout(f"{processes} processes, whole weights", processes, "whole"),
        Layout(f"{processes} processes, compute.shard_optimizer", processes, "optimiser"),
        Layout(f"{processes} processes, compute.shard_weights", processes, "twin"),
        Layout(f"{processes} processes, FSDP and vLLM (engine: verl)", processes, "everything"),
    )
    return (Layout("1 process", 1, "whole"), *(several if processes > 1 else ()))


def plan(config: TrainConfig, stage: GrpoStage, shape: Shape, layout: Layout) -> Plan:
    """The memory of one stage under one layout."""
    half = config.compute.precision == "bfloat16"
    trained = shape.adapted(config.policy.lora) if config.policy.lora is not None else shape.parameters
    frozen = shape.parameters if config.policy.lora is not None else 0
    # Mixed precision keeps the products' copy of trained weights for as long as a pass lasts.
    weights = frozen * (2 if half else _FULL) + trained * (_FULL + (2 if half else 0))
    gradients = trained * _FULL
    optimizer = trained * 2 * _FULL
    step = trained * _FULL
    if layout.sharding != "whole":
        optimizer, step = optimizer // layout.processes, step // layout.processes
    if layout.sharding in {"twin", "everything"}:
        gathered = shape.largest_layer * 2 * _FULL  # one layer gathered, the next one on its way
        kept = weights if layout.sharding == "twin" else 0
        weights, gradients = kept + weights // layout.processes + gathered, gradients // layout.processes
    return Plan(
        layout,
        weights,
        gradients,
        optimizer,
        sampling=_sampling(config, stage, shape, layout),
        activations=_activations(config, stage, shape),
        logits=_logits(config, stage, shape),
        step=step,
    )


def row_tokens(config: TrainConfig) -> tuple[int, int]:
    """The longest row, and how much of it a policy and its observations can write."""
    from maestro.policy.options import sizes

    speech = config.policy.speech
    limits = sizes(speech.options, speech.dialect or "maestro")
    written = config.limits.turns * (limits["max_new_tokens"] + limits["observation_tokens"])
    return limits["max_tokens"], min(limits["max_tokens"], written)


def _sampling(config: TrainConfig, stage: GrpoStage, shape: Shape, layout: Layout) -> int:
    """Keys and values: what every open episode holds, and the block of the batch that decides, twice while it is put together."""
    width = 2 if config.compute.precision == "bfloat16" else _FULL
    token = 2 * shape.layers * shape.kv_heads * shape.head_width * width
    row, _ = row_tokens(config)
    episodes = min(-(-stage.prompts * stage.members // layout.processes), config.compute.open_episodes)
    return (episodes + 2 * min(episodes, config.compute.generation_batch)) * row * token


def _activations(config: TrainConfig, stage: GrpoStage, shape: Shape) -> int:
    """What the backward pass needs of every layer, for one micro-batch of the longest rows."""
    row, _ = row_tokens(config)
    tokens, patches = stage.micro_batch * row, stage.micro_batch * min(PICTURE, row) * 4
    width = 2 if config.compute.precision == "bfloat16" else _FULL
    stream = width if config.policy.lora is not None else _FULL
    queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
    layer = tokens * (_block(shape.hidden, shape.intermediate, width) + (width * 4 + 3 * _FULL) * (queries + keys))
    looked = patches * (_block(shape.vision_hidden, shape.vision_intermediate // 2, width) + width * 8 * shape.vision_hidden)
    mask = stage.micro_batch * row * row * width
    if config.compute.gradient_checkpointing:
        kept = shape.layers * tokens * shape.hidden * stream + shape.vision_layers * patches * shape.vision_hidden * stream
        return kept + max(layer, looked) + mask
    seen = 0 if config.policy.lora is not None else shape.vision_layers * looked  # a frozen tower keeps nothing
    return shape.layers * layer + seen + mask


def _block(hidden: int, intermediate: int, width: int) -> int:
    """Bytes a token that the norms and the feed-forward part of one layer keep."""
    return hidden * (6 * _FULL + 2 * width) + 4 * width * intermediate


def _logits(config: TrainConfig, stage: GrpoStage, shape: Shape) -> int:
    """Logits of what was written, in float32: themselves, over the temperature, and the gradients of both."""
    _, written = row_tokens(config)
    width = 4 * _FULL + (2 if config.compute.precision == "bfloat16" else 0)
    return stage.micro_batch * written * shape.vocabulary * width
