"""A forward pass that reads what all rows begin with, and every picture, only once. Gradients are those of the plain pass.

Every prompt of a registry begins with the same menu, and the members of a group look at the same picture; with a tiny model
that is more than half of the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

_SHORTEST = 16
"""A shorter common beginning is not worth a pass of its own."""


@dataclass
class Hidden:
    """As much of a model's output as scoring needs."""

    last_hidden_state: torch.Tensor


@contextmanager
def shared_prefix(model: Any) -> Iterator[None]:
    """While open, `model.model(...)` shares what rows have in common; calls it cannot help go the plain way."""
    core = model.model
    plain = core.forward

    def forward(
        input_ids: Any = None, attention_mask: Any = None, pixel_values: Any = None, image_grid_thw: Any = None, **rest: Any
    ) -> Any:
        if input_ids is not None and attention_mask is not None and attention_mask.ndim == 2 and rest.get("past_key_values") is None:
            length = common_prefix(input_ids, attention_mask, model.config.image_token_id)
            if length and not rest.get("use_cache"):
                return Hidden(read(core, model.config.image_token_id, input_ids, attention_mask, pixel_values, image_grid_thw, length))
        return plain(input_ids=input_ids, attention_mask=attention_mask, pixel_values=pixel_values, image_grid_thw=image_grid_thw, **rest)

    core.forward = forward
    try:
        yield
    finally:
        del core.forward


def common_prefix(ids: torch.Tensor, attention: torch.Tensor, image_id: int) -> int:
    """How many tokens all rows begin with, images and every row's last token left out; 0 when it is not worth sharing."""
    if len(ids) < 2:
        return 0
    lengths = attention.sum(1)
    rows = _aligned(ids, attention, int(lengths.max()))
    most = int(lengths.min()) - 1
    stop = (rows[:, :most] != rows[:1, :most]).any(0) | (rows[0, :most] == image_id)
    length = int(stop.int().argmax()) if bool(stop.any()) else most
    return length if length >= _SHORTEST else 0


def read(
    core: Any,
    image_id: int,
    ids: torch.Tensor,
    attention: torch.Tensor,
    pixels: torch.Tensor | None,
    grids: torch.Tensor | None,
    shared: int,
) -> torch.Tensor:
    """Last hidden states (B, T, width); those of the shared beginning and of padding are zero and carry no gradient."""
    from transformers import DynamicCache

    lengths = attention.sum(1)
    width = int(lengths.max())
    rows = _aligned(ids, attention, width)
    real = torch.arange(width) < lengths[:, None]
    visual = (rows == image_id) & real
    positions, _ = core.get_rope_index(rows, visual.int(), image_grid_thw=grids, attention_mask=real.int())
    cache = DynamicCache(config=core.language_model.config)
    embed = core.get_input_embeddings()
    everywhere = torch.arange(shared).expand(3, 1, -1)
    core.language_model(inputs_embeds=embed(rows[:1, :shared]), position_ids=everywhere, past_key_values=cache, use_cache=True)
    for layer in cache.layers:
        layer.keys = layer.keys.expand(len(rows), -1, -1, -1)
        layer.values = layer.values.expand(len(rows), -1, -1, -1)
    new = width - shared
    causal = torch.ones(new, width, dtype=torch.bool).tril(shared)
    rest = embed(rows[:, shared:])
    extra: dict[str, Any] = {}
    if pixels is not None and grids is not None:
        features, deep = look(core, pixels, grids)
        extra = {"visual_pos_masks": visual[:, shared:], "deepstack_visual_embeds": deep}
        rest = rest.masked_scatter(visual[:, shared:, None], features.to(rest.dtype))
    output = core.language_model(
        inputs_embeds=rest,
        position_ids=positions[:, :, shared:],
        attention_mask=causal.expand(len(rows), 1, -1, -1),  # right-padded rows: what is real never looks at padding
        past_key_values=cache,
        use_cache=True,
        **extra,
    ).last_hidden_state
    return _put_back(output, ids, attention, shared)


def look(core: Any, pixels: torch.Tensor, grids: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Features of the pictures in order, and those of the deep stack; equal pictures go through the tower once."""
    pieces = torch.split(pixels, grids.prod(-1).tolist())
    unique: list[int] = []
    which: list[int] = []
    slots: dict[tuple[Any, ...], list[int]] = {}
    for index, piece in enumerate(pieces):
        # A checksum finds candidates, comparison of the pixels decides.
        candidates = slots.setdefault((*grids[index].tolist(), float(piece.double().sum())), [])
        found = next((slot for slot in candidates if torch.equal(pieces[unique[slot]], piece)), None)
        if found is None:
            found = len(unique)
            unique.append(index)
            candidates.append(found)
        which.append(found)
    output = core.get_image_features(torch.cat([pieces[index] for index in unique]), grids[torch.tensor(unique)], return_dict=True)
    sizes = [len(features) for features in output.pooler_output]
    deep = [torch.split(layer, sizes) for layer in output.deepstack_features]
    return torch.cat([output.pooler_output[slot] for slot in which]), [torch.cat([layer[slot] for slot in which]) for layer in deep]


def _aligned(ids: torch.Tensor, attention: torch.Tensor, width: int) -> torch.Tensor:
    """Rows moved to start in column 0, whatever side their padding was on; (B, width)."""
    starts = attention.int().argmax(1)
    columns = (starts[:, None] + torch.arange(width)).clamp(max=ids.shape[1] - 1)
    return ids.gather(1, columns)


def _put_back(hidden: torch.Tensor, ids: torch.Tensor, attention: torch.Tensor, shared: int) -> torch.Tensor:
    """Hidden states (B, new, width) of rows that start in column 0, at the places their tokens have in `ids`."""
    starts = attention.int().argmax(1)
    columns = torch.arange(ids.shape[1])[None] - starts[:, None] - shared
    inside = (columns >= 0) & (columns < hidden.shape[1]) & attention.bool()
    index = columns.clamp(0, hidden.shape[1] - 1)[..., None].expand(-1, -1, hidden.shape[2])
    return hidden.gather(1, index) * inside[..., None]
