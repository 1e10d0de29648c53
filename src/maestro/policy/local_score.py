"""Log-probs of finished rows by one plain forward of the model: what training differentiates and the tests compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from maestro.policy.local_images import ImageEncoder
from maestro.types import Tokens


def score(
    model: Any, encoder: ImageEncoder, rows: Sequence[tuple[Tokens, Sequence[str]]], temperature: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probs of every completion id given what stands before it, and the mask of those the policy sampled.

    `rows` are (tokens, image hashes). Both results are (rows, longest completion), padded with 0 on the right. Gradients flow
    unless switched off by the caller.
    """
    longest_prompt = max(len(tokens.prompt_ids) for tokens, _ in rows)
    longest = max(len(tokens.completion_ids) for tokens, _ in rows)
    pad = model.config.text_config.pad_token_id or 0
    ids, attention, mask = [], [], []
    for tokens, _ in rows:
        left, right = longest_prompt - len(tokens.prompt_ids), longest - len(tokens.completion_ids)
        real = len(tokens.prompt_ids) + len(tokens.completion_ids)
        ids.append([pad] * left + [*tokens.prompt_ids, *tokens.completion_ids] + [pad] * right)
        attention.append([0] * left + [1] * real + [0] * right)
        mask.append([*tokens.mask] + [0] * right)
    input_ids = torch.tensor(ids, device=model.device)
    inputs = {name: value.to(model.device) for name, value in encoder.inputs([name for _, names in rows for name in names]).items()}
    logits = model(
        input_ids=input_ids,
        attention_mask=torch.tensor(attention, device=model.device),
        mm_token_type_ids=(input_ids == model.config.image_token_id).int(),
        logits_to_keep=longest + 1,
        use_cache=False,
        **inputs,
    ).logits[:, :-1]
    logprobs = functional.log_softmax(logits.float() / temperature, dim=-1)
    chosen = logprobs.gather(2, input_ids[:, longest_prompt:, None])[..., 0]
    completion = torch.tensor(attention, device=model.device)[:, longest_prompt:]
    return chosen * completion, torch.tensor(mask, device=model.device)
