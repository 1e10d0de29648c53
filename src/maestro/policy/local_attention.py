"""Attention for decoding token by token: reads every cached key and value once instead of copying it per query head."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

NAME = "maestro_grouped"


@contextmanager
def generating(model: Any) -> Iterator[None]:
    """Within: the model is in evaluation mode and its language part decodes with grouped attention; put back afterwards."""
    _register()
    config = model.model.language_model.config
    training, implementation = model.training, config._attn_implementation  # noqa: SLF001 (where Transformers looks it up)
    model.eval()
    config._attn_implementation = NAME  # noqa: SLF001
    try:
        yield
    finally:
        config._attn_implementation = implementation  # noqa: SLF001
        model.train(training)


def grouped_attention(
    _module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    scaling: float,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of `query` (rows, heads, new, width) over `key`, `value` (rows, key-value heads, all, width).

    `attention_mask` is boolean, (rows, 1, new, all). For a single new token the heads that share a key head form one small
    matrix product; for more, it is PyTorch's own. Returns (rows, new, heads, width).
    """
    rows, heads, new, width = query.shape
    if new > 1:
        output = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=attention_mask, scale=scaling, enable_gqa=key.shape[1] != heads
        )
        return output.transpose(1, 2), None
    grouped = query.reshape(rows, key.shape[1], -1, width)
    scores = torch.matmul(grouped, key.transpose(2, 3)).mul_(scaling)
    # In single precision, as the model's own attention has it; bfloat16 weights would not sum to one.
    weights = torch.softmax(scores.masked_fill_(~attention_mask, -torch.inf), dim=-1, dtype=torch.float32).to(query.dtype)
    return torch.matmul(weights, value).view(rows, 1, heads, width), None


def _register() -> None:
    """Make the implementation known to Transformers."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    if NAME not in AttentionInterface().valid_keys():
        AttentionInterface.register(NAME, grouped_attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
