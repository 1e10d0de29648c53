"""Batches as TRL makes them for GRPO: groups under one prompt, padded on the left before and on the right behind the completion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from maestro.policy.local_model import build_tiny, load_model

SIZES = {
    "hidden": 48,
    "layers": 3,
    "heads": 4,
    "kv_heads": 2,
    "head_width": 16,
    "intermediate": 96,
    "vision_hidden": 32,
    "vision_heads": 2,
    "vision_depth": 2,
    "vision_intermediate": 64,
    "deepstack": (0, 1),
    "vocabulary": 700,
    "initializer_range": 0.15,
}


def build(folder: Path) -> tuple[Any, Any]:
    """A model whose random weights are large enough that every position matters, and its processor."""
    return load_model(build_tiny(folder, 3, **SIZES))


def batch(model: Any, groups: int = 3, members: int = 4, *, pictures: bool = True, turns: int = 1, seed: int = 0) -> dict[str, Any]:
    """Keyword arguments of a scored forward pass.

    Group 1 has two pictures, group 2 none, the others one each, of unequal sizes. With `turns` above 1, observations stand in the
    completions and carry no label.
    """
    draw = torch.Generator().manual_seed(seed)
    config = model.config
    made = []
    menu = _words(draw, 40)
    for group in range(groups):
        grids = [(1, 4 + 2 * group, 6)] * (0 if group == 2 or not pictures else 2 if group == 1 else 1)
        pixels = [torch.randn(h * w, 3 * 2 * 16 * 16, generator=draw) for _, h, w in grids]
        prompt = [*menu, *_words(draw, 3 + group)]
        for _, height, width in grids:
            prompt += [config.vision_start_token_id, *[config.image_token_id] * (height * width // 4), config.vision_end_token_id]
        prompt += _words(draw, 20 + 7 * group)
        for member in range(members):
            spoken = [(_words(draw, 4 + (member * 3 + turn) % 5), turn < turns - 1) for turn in range(turns)]
            completion, mask = [], []
            for said, observed in spoken:
                seen = _words(draw, 6) if observed else []
                completion += said + seen
                mask += [1] * len(said) + [0] * len(seen)
            made.append((prompt, completion, mask, grids, pixels))
    return _padded(made, config)


def _padded(made: list[tuple[Any, ...]], config: Any) -> dict[str, Any]:
    before, behind = max(len(row[0]) for row in made), max(len(row[1]) for row in made)
    shape = len(made), before + behind
    ids, attention, labels = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long), torch.full(shape, -100)
    for index, (prompt, completion, mask, _, _) in enumerate(made):
        start, stop = before - len(prompt), before + len(completion)
        ids[index, start:stop] = torch.tensor(prompt + completion)
        attention[index, start:stop] = 1
        labels[index, before:stop] = torch.where(torch.tensor(mask).bool(), torch.tensor(completion), -100)
    inputs = {"input_ids": ids, "attention_mask": attention, "labels": labels}
    if any(row[3] for row in made):
        inputs["pixel_values"] = torch.cat([piece for row in made for piece in row[4]])
        inputs["image_grid_thw"] = torch.tensor([grid for row in made for grid in row[3]])
        inputs["mm_token_type_ids"] = (ids == config.image_token_id).int()
    return inputs


def _words(draw: torch.Generator, count: int) -> list[int]:
    words: list[int] = torch.randint(300, 600, (count,), generator=draw).tolist()
    return words
