"""A checkpoint folder as a policy in this process: which dialect, number format and device it gets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.control import TAGS
from maestro.policy.local import LocalPolicy, Sampling
from maestro.policy.local_model import load_model
from maestro.policy.options import LocalOptions, sizes, token_dialect
from maestro.policy.spoken import spoken
from maestro.registry.menu import Menu

LARGE_BYTES = 400_000_000
"""A checkpoint with heavier weights goes to the graphics card when there is one; a tiny one is faster without."""


def load_checkpoint(
    folder: Path, menu: Menu, images: ImageStore, options: LocalOptions, *, greedy: bool, seed: int, name: str
) -> LocalPolicy:
    """Load a Qwen3-VL folder. Raises CheckpointError, or ConfigError for options that cannot be met."""
    device = _device(options.device, folder)
    on_card = device.type == "cuda"
    dtype = getattr(torch, options.dtype) if options.dtype != "auto" else torch.bfloat16 if on_card else torch.float32
    model, processor = load_model(folder, dtype=dtype)
    model.to(device)
    options = spoken(folder, options)
    single = _single_tags(processor.tokenizer)
    dialect = token_dialect(options, menu, single_tags=single)
    if dialect.name == "maestro" and not single:
        where = "" if options.dialect else " registry.yaml asks for it; say ?dialect=maestro-4b behind its name, or change the file."
        raise ConfigError(
            f"the vocabulary of {name} lacks the grammar tags as single tokens; only a policy trained here speaks maestro.{where}"
        )
    limits = sizes(options, dialect.name)
    sampling = Sampling(temperature=options.temperature, seed=seed, max_new_tokens=limits["max_new_tokens"], greedy=greedy)
    return LocalPolicy(
        model,
        processor,
        images,
        sampling,
        name=name,
        dialect=dialect,
        max_tokens=limits["max_tokens"],
        observation_tokens=limits["observation_tokens"],
        reserve=limits["reserve"],
        threads=options.threads or (os.cpu_count() or 1 if _heavy(folder) else 1),
    )


def _device(wanted: str, folder: Path) -> torch.device:
    """The device asked for. Raises ConfigError when this PyTorch has no such device."""
    if wanted == "auto":
        return torch.device("cuda" if _heavy(folder) and torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device={wanted}: {str(error).splitlines()[0]}. Use cpu, cuda or cuda:N.") from error
    return device


def _heavy(folder: Path) -> bool:
    """Whether the weights are those of a large model."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors")) > LARGE_BYTES


def _single_tags(tokenizer: Any) -> bool:
    """Whether every grammar tag is a single token."""
    return all(len(tokenizer.encode(tag, add_special_tokens=False)) == 1 for tag in TAGS)
