"""Attention for decoding token by token.

It reads every cached key and value once instead of copying it per query head, and those of a prompt once for all rows on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from maestro.policy.local_cache import PromptBlock

NAME = "maestro_grouped"

_LARGEST = 1 << 26
"""Scores held at once; a longer observation is attended to in pieces."""


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


def causal_only(device: torch.device) -> torch.Tensor:
    """Stands for a mask that hides nothing but the future, and is not made."""
    return torch.zeros(1, 1, 0, 0, dtype=torch.bool, device=device)


def grouped_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    scaling: float,
    *,
    shared: PromptBlock | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of `query` (rows, heads, new, width) over `key`, `value` (rows, key-value heads, all, width).

    `attention_mask` is boolean, (rows, 1, new, all), or `causal_only`. With `shared`, rows also see the prompt that they stand on, and
    `key`, `value` hold what came behind it. Returns (rows, new, heads, width).
    """
    if shared is None:
        causal = attention_mask.numel() == 0
        output = torch.nn.functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if causal else attention_mask,
            is_causal=causal,
            scale=scaling,
            enable_gqa=key.shape[1] != query.shape[1],
        )
        return output.transpose(1, 2), None
    prompt_key, prompt_value = shared.states[2 * module.layer_idx : 2 * module.layer_idx + 2]
    rows, heads, new, width = query.shape
    step = max(1, _LARGEST // (rows * heads * (prompt_key.shape[2] + key.shape[2])))
    pieces = []
    for start in range(0, new, step):
        piece = query[:, :, start : start + step].reshape(rows, key.shape[1], -1, width)
        repeats = heads // key.shape[1]
        mask = attention_mask[:, :, start : start + step].repeat(1, 1, repeats, 1)
        own = _weighed(piece, key, value, scaling, ~mask)
        asked = piece[shared.order].transpose(1, 2).flatten(2, 3)
        prompt = _weighed(asked, prompt_key, prompt_value, scaling, shared.hidden)
        lines, most = shared.order.shape
        back = [part.view(lines, key.shape[1], most, -1, part.shape[-1]).transpose(1, 2).flatten(0, 1)[shared.places] for part in prompt]
        pieces.append(_merged(own, back).view(rows, heads, -1, width).to(query.dtype))
    return torch.cat(pieces, dim=2).transpose(1, 2), None


def _weighed(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float, hidden: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Part of an attention: values summed by their weights, the sum of the weights, and what the weights were scaled by.

    `query` (batch, heads, queries, width), `key` and `value` (batch, heads, all, width); `hidden` is true where nothing is seen. In single
    precision, as the model's own attention has it; bfloat16 weights would not sum to one.
    """
    scores = torch.matmul(query, key.transpose(2, 3)).mul_(scaling).float()
    if hidden is not None:
        scores.masked_fill_(hidden, -torch.inf)
    highest = scores.amax(-1, keepdim=True)
    # A query that sees nothing here must not become a NaN: it gets weight 0 when the parts are put together.
    weights = scores.sub_(highest.clamp(min=torch.finfo(torch.float32).min)).exp_()
    return torch.matmul(weights.to(value.dtype), value).float(), weights.sum(-1, keepdim=True), highest


def _merged(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> torch.Tensor:
    """Two parts of an attention as one."""
    highest = torch.maximum(one[2], other[2])
    first, second = (one[2] - highest).exp(), (other[2] - highest).exp()
    return (one[0] * first + other[0] * second) / (one[1] * first + other[1] * second)


def _register() -> None:
    """Make the implementation known to Transformers."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    if NAME not in AttentionInterface().valid_keys():
        AttentionInterface.register(NAME, grouped_attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
