"""A forward pass that reads what rows share only once: the menu of a batch, the whole prompt of a group, its pictures included.

Rows become one packed sequence (`tree`) with attention to match (`attention`); nothing is padded. What comes out,
and the gradients, are those of the plain pass. Under TRL's fused output layer only the positions that are scored reach it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from maestro.train.prefix.attention import TreeMask, no_mask, tree_attention
from maestro.train.prefix.pictures import Pictures, look
from maestro.train.prefix.tree import PrefixTree, grow

_WORTH = 0.95
"""A packed sequence longer than this share of the plain batch, padding included, is not worth packing."""

_logger = logging.getLogger(__name__)


@dataclass
class Hidden:
    """What a packed pass hands out in the place of a model's output."""

    packed: torch.Tensor
    """(packed, width)"""
    places: torch.Tensor
    """(B, T): where a token stands in `packed`; -1 for padding."""

    @property
    def last_hidden_state(self) -> torch.Tensor:
        """(B, T, width); zero for padding."""
        return self.packed[self.places.clamp(min=0)] * (self.places >= 0)[..., None]

    def at(self, wanted: torch.Tensor) -> torch.Tensor:
        """(wanted, width) of the positions that are true in `wanted` (B, T), row by row."""
        return self.packed[self.places[wanted]]


@dataclass
class _Scored:
    """A model's output cut down to the positions that are scored."""

    last_hidden_state: torch.Tensor
    """(1, wanted, width)"""


def hidden_at(output: Any, wanted: torch.Tensor) -> torch.Tensor:
    """Last hidden states (wanted, width) of the positions that are true in `wanted` (B, T), whichever pass made the output."""
    found: torch.Tensor = output.at(wanted) if isinstance(output, Hidden) else output.last_hidden_state[wanted]
    return found


@contextmanager
def shared_prefix(model: Any, *, share: bool = True) -> Iterator[None]:
    """While open, `model` and `model.model` read what rows have in common once; with `share` off, nothing changes.

    `model` is a Qwen3-VL, bare or under PEFT. Calls that cannot be packed go the plain way, and why is logged once. Backward
    passes belong inside. Rows should come with the members of a group in one batch: what is apart cannot be shared.
    """
    if not share:
        yield
        return
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    with tree_attention(base.model.language_model.config):
        sharing = _Sharing(base.model, base.model.forward, base.forward, base.config.image_token_id)
        with _replaced(base.model, sharing.read), _replaced(base, sharing.score):
            yield


class _Sharing:
    """The two forwards that stand in for the model's own."""

    def __init__(self, core: Any, plain: Callable[..., Any], whole: Callable[..., Any], image_id: int) -> None:
        self.core = core
        self.image_id = image_id
        self._plain = plain
        self._whole = whole
        self._wanted: torch.Tensor | None = None
        self._told: set[str] = set()

    def read(self, input_ids: Any = None, attention_mask: Any = None, **rest: Any) -> Any:
        """In the place of `core.forward`: `Hidden`, or the plain output for calls that are not to be packed."""
        wanted, self._wanted = self._wanted, None
        output = None
        if (reason := self._obstacle(input_ids, attention_mask, rest)) is None:
            output = read(self.core, self.image_id, input_ids, attention_mask, rest.get("pixel_values"), rest.get("image_grid_thw"))
        elif reason not in self._told:
            self._told.add(reason)
            _logger.warning("this forward pass reads every row on its own: %s", reason)
        if output is None:
            output = self._plain(input_ids=input_ids, attention_mask=attention_mask, **rest)
        return output if wanted is None else _Scored(hidden_at(output, wanted)[None])

    def score(self, *arguments: Any, **named: Any) -> Any:
        """In the place of `model.forward`: for TRL's fused output layer only what has a label is carried to it.

        TRL does that by itself only on a GPU; elsewhere it scores every position of every prompt.
        """
        labels = named.get("labels")
        if not named.get("fused_lm_head") or labels is None or named.get("shift_labels") is not None:
            return self._whole(*arguments, **named)
        shifted = labels[:, 1:]
        scored = shifted != -100
        if not bool(scored.any()):
            return self._whole(*arguments, **named)
        self._wanted = torch.nn.functional.pad(scored, (0, 1))  # the last position predicts nothing
        try:
            output = self._whole(*arguments, **{**named, "labels": None, "shift_labels": shifted[scored][None]})
        finally:
            self._wanted = None
        for name in ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1"):
            if (values := getattr(output, name)) is not None:
                output[name] = values.new_zeros(scored.shape).masked_scatter(scored, values)
        output["label_mask"] = scored
        return output

    def _obstacle(self, ids: Any, attention: Any, rest: Mapping[str, Any]) -> str | None:
        """Why a call cannot be packed; None when it can."""
        if ids is None or attention is None or attention.ndim != 2:
            return "it has no ids, or a mask that is not one of padding"
        if self.core.language_model.config.attention_dropout and self.core.training:
            return "attention_dropout would draw otherwise than in a plain pass"
        known = {"pixel_values", "image_grid_thw", "mm_token_type_ids", "return_dict"}
        if others := sorted(name for name, value in rest.items() if name not in known and value is not None and value is not False):
            return f"packing does not know its arguments {', '.join(others)}"
        visual = (ids == self.image_id) & attention.bool()
        types, grids = rest.get("mm_token_type_ids"), rest.get("image_grid_thw")
        if grids is not None and types is not None and bool(((types == 1) != visual).logical_and(attention.bool()).any()):
            return "mm_token_type_ids are not those of the placeholders"
        merged = self.core.visual.spatial_merge_size**2
        if int(visual.sum()) != (0 if grids is None else int(grids.prod(-1).sum()) // merged):
            return "its pictures have not as many features as there are placeholders"
        return None


def read(
    core: Any, image_id: int, ids: torch.Tensor, attention: torch.Tensor, pixels: torch.Tensor | None, grids: torch.Tensor | None
) -> Hidden | None:
    """Last hidden states of rows `ids` (B, T), whatever side their padding (0 in `attention`) is on; None when nothing is gained.

    `pixels` and `grids` are those of all pictures, row by row. Inside `tree_attention` only.
    """
    real = attention.bool()
    visual = (ids == image_id) & real
    pictures = None if pixels is None or grids is None else Pictures.sort(pixels, grids, core.visual.spatial_merge_size**2)
    keys = ids if pictures is None else ids.masked_scatter(visual, -1 - pictures.slots)
    tree = grow([row[kept].numpy() for row, kept in zip(keys.cpu(), real.cpu(), strict=True)])
    if tree.length > _WORTH * ids.numel():
        _logger.debug("%d rows share too little: %d of %d positions would be left", len(ids), tree.length, ids.numel())
        return None
    rows, columns = _sources(tree, real)
    embeds = core.get_input_embeddings()(ids[rows, columns])[None]
    extra: dict[str, Any] = {}
    if pictures is not None and grids is not None:
        features, deep = look(core, pictures, grids)
        index = torch.full_like(ids, -1).masked_scatter(visual, pictures.features)[rows, columns]
        seen = index >= 0
        embeds = embeds.masked_scatter(seen[None, :, None], features[index[seen]].to(embeds.dtype))
        extra = {"visual_pos_masks": seen[None], "deepstack_visual_embeds": [layer[index[seen]] for layer in deep]}
    positions, _ = core.get_rope_index(ids, visual.int(), image_grid_thw=grids, attention_mask=real.int())
    output = core.language_model(
        inputs_embeds=embeds,
        position_ids=positions[:, None, rows, columns],
        attention_mask=no_mask(ids.device),
        use_cache=False,
        tree=TreeMask(tree),
        **extra,
    )
    packed = torch.cat([torch.from_numpy(row) for row in tree.packed]).to(ids.device)
    return Hidden(output.last_hidden_state[0], torch.full_like(ids, -1).masked_scatter(real, packed))


def _sources(tree: PrefixTree, real: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and column, in the plain batch, of every packed token."""
    tokens = real.nonzero()
    counts = real.sum(1)
    starts = counts.cumsum(0) - counts
    chosen = tokens[starts[torch.from_numpy(tree.rows).to(real.device)] + torch.from_numpy(tree.places).to(real.device)]
    return chosen[:, 0], chosen[:, 1]


@contextmanager
def _replaced(module: Any, forward: Callable[..., Any]) -> Iterator[None]:
    """With another `forward` on this one module; what stood there before, if anything but the class's, is put back."""
    before = vars(module).get("forward")

    @functools.wraps(type(module).forward)  # Transformers looks at the signature to see what a model takes
    def standing_in(*arguments: Any, **named: Any) -> Any:
        return forward(*arguments, **named)

    module.forward = standing_in
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before
