"""Groups stay whole when TRL shuffles: what a micro batch shares is what its rows have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def whole_groups(members: int) -> Iterator[None]:
    """While open, TRL shuffles a step's episodes as groups of `members` neighbours instead of one by one.

    The micro batches of a step then hold whole groups (or, where they are smaller than a group, parts of one). The gradient of a step
    is a sum over all of its episodes, so their order changes it only by rounding, except under the loss `bnpo`, which averages
    within micro batches and depends on their make-up either way.
    """
    from trl.trainer import grpo_trainer

    before = grpo_trainer.shuffle_sequence_dict  # trl is pinned, and has no setting for it

    def shuffle(columns: Mapping[str, Any]) -> dict[str, Any]:
        order = shuffled(len(next(column for column in columns.values() if column is not None)), members)
        return {name: _taken(column, order) for name, column in columns.items()}

    grpo_trainer.shuffle_sequence_dict = shuffle
    try:
        yield
    finally:
        grpo_trainer.shuffle_sequence_dict = before


def shuffled(count: int, members: int) -> torch.Tensor:
    """An order of `count` episodes that keeps neighbours of a group together; drawn from PyTorch's global generator."""
    groups = torch.arange(count).split(members)
    return torch.cat([groups[place] for place in torch.randperm(len(groups)).tolist()])


def _taken(column: Any, order: torch.Tensor) -> Any:
    """A column in another order; what is no column (a number, nothing) as it is."""
    if column is None or (isinstance(column, torch.Tensor) and column.ndim == 0):
        return column
    return column[order] if isinstance(column, torch.Tensor) else [column[place] for place in order.tolist()]
