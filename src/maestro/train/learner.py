"""The policy that a run trains, loaded as its config says: device, number format, dialect, adapters."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.control import TAGS
from maestro.policy.local import LocalPolicy, Sampling
from maestro.policy.local_model import load_model, save_model
from maestro.policy.options import TokenOptions, sizes, token_dialect
from maestro.policy.spoken import spoken, write_spoken
from maestro.registry.menu import Menu
from maestro.train.adapters import Adapters
from maestro.train.config.compute import ComputeConfig
from maestro.train.config.run import TrainConfig
from maestro.train.seeding import number

PICTURES = 4096
"""Prepared pictures a run keeps: as many as a warm start goes through again and again."""
LARGE_BYTES = 400_000_000
"""A checkpoint with heavier weights goes to the graphics card when there is one; a tiny one is faster without."""


@dataclass
class Learner:
    """A policy, its adapters if it has any, and how it speaks."""

    policy: LocalPolicy
    adapters: Adapters | None
    options: TokenOptions

    @property
    def trained(self) -> Any:
        """What a trainer takes: the model, or the model with its adapters around it."""
        return self.policy.model if self.adapters is None else self.adapters.wrapped

    def save(self, folder: Path) -> None:
        """Write the whole policy as a Hugging Face folder, adapters merged in, and beside it the adapters alone."""
        if self.adapters is None:
            self.policy.save(folder)
        else:
            save_model(self.policy.model, self.policy.processor, folder, weights=self.adapters.merged())
            self.adapters.save(folder)
        if self.policy.dialect.name != "maestro":  # a vocabulary made for it says so by itself
            write_spoken(folder, self.options)


def load_learner(config: TrainConfig, source: Path, adapters: Path | None, menu: Menu, images: ImageStore) -> Learner:
    """Load `source`, with the adapters of the checkpoint `adapters` when a run is taken up.

    Raises CheckpointError, or ConfigError for settings that cannot be met.
    """
    device = training_device(config.compute, source)
    model, processor = load_model(source, dtype=_dtype(config))
    model.to(device)
    single = all(len(processor.tokenizer.encode(tag, add_special_tokens=False)) == 1 for tag in TAGS)
    options = spoken(source, config.policy.speech.options)
    dialect = token_dialect(options, menu, single_tags=single)
    if dialect.name == "maestro" and not single:
        raise ConfigError(f"the vocabulary of {source} lacks the grammar tags as single tokens; say policy.speech.dialect=maestro-4b.")
    if dialect.name == "maestro-4b":
        options = options.model_copy(update={"dialect": dialect.name, "history": options.history or "whole"})
        dialect = token_dialect(options, menu, single_tags=False)
    limits = sizes(options, dialect.name)
    options = options.model_copy(update={name: limits[name] for name in ("max_new_tokens", "max_tokens", "observation_tokens")})
    added = None
    if config.policy.lora is not None:
        added = Adapters(model, config.policy.lora, number(config.seed, "lora"))
        if adapters is not None:
            added.load(adapters)
    policy = LocalPolicy(
        model,
        processor,
        images,
        Sampling(seed=config.seed, max_new_tokens=limits["max_new_tokens"]),
        name=config.name,
        dialect=dialect,
        max_tokens=limits["max_tokens"],
        observation_tokens=limits["observation_tokens"],
        reserve=limits["reserve"],
        blank_images=config.policy.blank_images,
        threads=config.threads,
        image_capacity=PICTURES,
        largest_batch=config.compute.generation_batch,
    )
    if config.compute.precision == "bfloat16":
        policy.generator.autocast = torch.bfloat16
    policy.batcher.lockstep = True
    return Learner(policy, added, options)


def training_device(compute: ComputeConfig, folder: Path) -> torch.device:
    """Where this process trains; with several processes each has its own card. Raises ConfigError without one."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    heavy = sum(file.stat().st_size for file in folder.glob("*.safetensors")) > LARGE_BYTES or "LOCAL_RANK" in os.environ
    if compute.device == "cpu" or (compute.device == "auto" and not (cards and heavy)):
        return torch.device("cpu")
    place = int(os.environ.get("LOCAL_RANK", "0"))
    if place >= cards:
        raise ConfigError(f"compute.device {compute.device}: process {place} has no graphics card; PyTorch sees {cards}.")
    return torch.device("cuda", place)


def _dtype(config: TrainConfig) -> torch.dtype:
    """Of the loaded weights: bfloat16 only where they are frozen, because small updates vanish in it."""
    frozen = config.policy.lora is not None and config.compute.precision == "bfloat16"
    return torch.bfloat16 if frozen else torch.float32
