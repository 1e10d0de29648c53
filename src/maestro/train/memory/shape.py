"""What of a checkpoint decides how much memory it takes, read from config.json and the headers of its weights; no weight is loaded."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from maestro.errors import CheckpointError
from maestro.train.config.lora import LoraConfig

_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True)
class Shape:
    """Sizes of a Qwen3-VL checkpoint; parameters by the name of their tensor."""

    tensors: Mapping[str, tuple[int, ...]]
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_width: int
    intermediate: int
    vocabulary: int
    vision_layers: int
    vision_hidden: int
    vision_intermediate: int

    @property
    def parameters(self) -> int:
        """All of them."""
        return sum(prod(shape) for shape in self.tensors.values())

    @property
    def largest_layer(self) -> int:
        """Parameters of the layer, or of the embedding, that a sharded run has to have whole at a time."""
        sizes: dict[str, int] = {}
        for name, shape in self.tensors.items():
            parts = name.split(".")
            unit = next((".".join(parts[: at + 1]) for at, part in enumerate(parts) if part.isdigit()), name)
            sizes[unit] = sizes.get(unit, 0) + prod(shape)
        return max(sizes.values())

    def adapted(self, lora: LoraConfig) -> int:
        """Parameters of the adapters."""
        wanted = tuple(f".{target}.weight" for target in lora.targets)
        return sum(lora.rank * sum(shape) for name, shape in self.tensors.items() if name.endswith(wanted) and len(shape) == 2)


def read_shape(folder: Path) -> Shape:
    """The shape of a checkpoint folder. Raises CheckpointError when it is none, or not one of Qwen3-VL."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        text, vision = config["text_config"], config["vision_config"]
        return Shape(
            tensors=dict(_tensors(folder)),
            layers=text["num_hidden_layers"],
            hidden=text["hidden_size"],
            heads=text["num_attention_heads"],
            kv_heads=text["num_key_value_heads"],
            head_width=text.get("head_dim") or text["hidden_size"] // text["num_attention_heads"],
            intermediate=text["intermediate_size"],
            vocabulary=text["vocab_size"],
            vision_layers=vision["depth"],
            vision_hidden=vision["hidden_size"],
            vision_intermediate=vision["intermediate_size"],
        )
    except FileNotFoundError as error:
        raise CheckpointError(f"no checkpoint in {folder}: {Path(str(error.filename)).name} is missing.") from error
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{folder}/config.json is not that of a Qwen3-VL: {error!r}") from error


def _tensors(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Name and shape of every tensor. Raises CheckpointError without weights, or with damaged ones."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise CheckpointError(f"no weights (*.safetensors) in {folder}.")
    for file in files:
        for name, described in _header(file).items():
            if name != "__metadata__":
                yield name, tuple(described["shape"])


def _header(file: Path) -> dict[str, Any]:
    """The header of a safetensors file: eight bytes of length, little-endian, then JSON."""
    with file.open("rb") as opened:
        start = opened.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else _LONGEST_HEADER
        if length >= _LONGEST_HEADER:
            raise CheckpointError(f"{file} is no safetensors file.")
        try:
            header: dict[str, Any] = json.loads(opened.read(length))
        except ValueError as error:
            raise CheckpointError(f"{file} is damaged: {error}") from error
    return header
