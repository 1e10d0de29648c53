"""Attention over a packed prefix tree: every token sees its own stretch up to itself and the stretches above it, and nothing else.

Each block of the tree is one call of PyTorch's attention, so no kernel looks at more than the block may see, and the keys and
values of a shared stretch are neither computed nor stored once per row.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from maestro.train.prefix.tree import Block, PrefixTree, Span

_PREFIX = "maestro_tree_over_"


@dataclass
class TreeMask:
    """Who sees whom in a packed sequence; travels as an argument through the model's layers to the attention."""

    tree: PrefixTree
    _biases: dict[tuple[int, torch.dtype, torch.device], torch.Tensor] = field(default_factory=dict)

    def attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
        """Attention of `query` (1, heads, packed, width) over `key`, `value` (1, key-value heads, packed, width); as `query`."""
        pieces = []
        for number, block in enumerate(self.tree.blocks):
            own = query[:, :, block.start : block.stop]
            keys, values = _spans(key, block.keys), _spans(value, block.keys)
            grouped = key.shape[1] != query.shape[1]
            if not block.seen and len(block.lengths) == 1:
                pieces.append(functional.scaled_dot_product_attention(own, keys, values, is_causal=True, scale=scaling, enable_gqa=grouped))
                continue
            if grouped:  # with a mask, the kernels that need little memory want as many key heads as query heads
                times = query.shape[1] // key.shape[1]
                keys, values = keys.repeat_interleave(times, 1), values.repeat_interleave(times, 1)
            bias = self._bias(number, block, query)
            pieces.append(functional.scaled_dot_product_attention(own, keys, values, attn_mask=bias, scale=scaling))
        return torch.cat(pieces, dim=2)

    def _bias(self, number: int, block: Block, query: torch.Tensor) -> torch.Tensor:
        """What is added to a block's scores, (1, 1, queries, keys): made once, used in every layer."""
        name = (number, query.dtype, query.device)
        if name not in self._biases:
            length, seen = block.stop - block.start, block.seen
            bias = torch.full((length, seen + length), float("-inf"), dtype=query.dtype, device=query.device)
            bias[:, :seen] = 0
            at = 0
            for one in block.lengths:
                bias[at : at + one, seen + at : seen + at + one].triu_(1)  # 0 on and below the diagonal
                at += one
            self._biases[name] = bias[None, None]
        return self._biases[name]


@contextmanager
def tree_attention(config: Any) -> Iterator[None]:
    """While open, a language model of this configuration attends by the `tree` it is called with, and as ever when called without.

    The backward pass of a model with gradient checkpointing runs the layers again, so it belongs inside too.
    """
    before = config._attn_implementation  # noqa: SLF001 (where Transformers looks it up)
    config._attn_implementation = _registered(before)  # noqa: SLF001
    try:
        yield
    finally:
        config._attn_implementation = before  # noqa: SLF001


def no_mask(device: torch.device) -> torch.Tensor:
    """Stands where Transformers wants a mask: it makes none then, and a layer that took this for one would fail on its shape."""
    return torch.zeros(1, 1, 0, 0, dtype=torch.bool, device=device)


def _registered(plain: str) -> str:
    """The name of an implementation that is `plain` for all calls without a tree."""
    from transformers import AttentionInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, AttentionMaskInterface
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
    from transformers.models.qwen3_vl.modeling_qwen3_vl import eager_attention_forward

    if plain.startswith(_PREFIX):
        return plain
    name = _PREFIX + plain
    if name not in AttentionInterface().valid_keys():
        without = ALL_ATTENTION_FUNCTIONS.get_interface(plain, eager_attention_forward)

        def attention(
            module: Any,
            query: torch.Tensor,
            key: torch.Tensor,
            value: torch.Tensor,
            attention_mask: torch.Tensor | None,
            scaling: float,
            *,
            tree: TreeMask | None = None,
            **rest: Any,
        ) -> tuple[torch.Tensor, Any]:
            if tree is not None:
                return tree.attend(query, key, value, scaling).transpose(1, 2), None
            result: tuple[torch.Tensor, Any] = without(module, query, key, value, attention_mask, scaling=scaling, **rest)
            return result

        AttentionInterface.register(name, attention)
        AttentionMaskInterface.register(name, ALL_MASK_ATTENTION_FUNCTIONS[plain])
    return name


def _spans(states: torch.Tensor, spans: tuple[Span, ...]) -> torch.Tensor:
    """Those positions of (1, heads, packed, width); a view where they are one span."""
    parts = [states[:, :, start:stop] for start, stop in spans]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
