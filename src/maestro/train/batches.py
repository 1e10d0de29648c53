"""Token rows and the padded batches made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from maestro.types import Tokens

ImageInputs = Callable[[tuple[str, ...]], dict[str, Any]]
"""Content hashes to `pixel_values` (patches, features) and `image_grid_thw` (images, 3)."""


@dataclass(frozen=True)
class Row:
    """One episode as supervised training sees it."""

    prompt_ids: tuple[int, ...]
    completion_ids: tuple[int, ...]
    mask: tuple[int, ...]
    """1 where the loss applies, same length as `completion_ids`; never on an observation."""
    images: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Tokens in all."""
        return len(self.prompt_ids) + len(self.completion_ids)

    @classmethod
    def of(cls, tokens: Tokens, images: tuple[str, ...]) -> Row:
        """The row of an episode: loss on every token the policy wrote."""
        return cls(tokens.prompt_ids, tokens.completion_ids, tokens.mask, images)


@dataclass
class Batch:
    """Right-padded rows as tensors; B rows, T positions."""

    inputs: dict[str, torch.Tensor]
    """`input_ids` and `attention_mask` (B, T), with images also `pixel_values`, `image_grid_thw`, `mm_token_type_ids` (B, T)."""
    targets: torch.Tensor
    """(B, T): position t holds 1 where the token at t is a target."""

    @property
    def count(self) -> int:
        """How many tokens the loss is over."""
        return int(self.targets.sum())


def collate(rows: Sequence[Row], pad_id: int, image_id: int, image_inputs: ImageInputs) -> Batch:
    """Pad rows to one length and stack their images."""
    width = max(row.length for row in rows)
    ids = torch.full((len(rows), width), pad_id, dtype=torch.long)
    attention = torch.zeros((len(rows), width), dtype=torch.long)
    targets = torch.zeros((len(rows), width), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : row.length] = torch.tensor(row.prompt_ids + row.completion_ids)
        attention[index, : row.length] = 1
        targets[index, len(row.prompt_ids) : row.length] = torch.tensor(row.mask)
    inputs = {"input_ids": ids, "attention_mask": attention}
    hashes = tuple(name for row in rows for name in row.images)
    if hashes:
        inputs |= image_inputs(hashes)
        inputs["mm_token_type_ids"] = (ids == image_id).long() * attention
    return Batch(inputs, targets)


def micro_batches(rows: Sequence[Row], size: int) -> list[list[Row]]:
    """Rows cut into groups of similar length, so that little is padding."""
    ordered = sorted(range(len(rows)), key=lambda index: (rows[index].length, index))
    return [[rows[index] for index in ordered[start : start + size]] for start in range(0, len(rows), size)]
