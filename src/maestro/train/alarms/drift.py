"""Log-prob drift: whether the trainer, before it changes anything, gives sampled ids the probabilities that the sampler gave them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import torch


class DriftMeter:
    """Compares what TRL computes in its passes over a batch with what the sampler reported, the first time that it sees a row.

    In later passes (`iterations` above 1) the policy has moved, and a difference would be no fault. Ids that were forced, and those
    that the sampler was certain of, have a log-prob of exactly 0 and are left out. The reference model's passes are not looked at.
    """

    def __init__(self) -> None:
        self._rows: dict[bytes, tuple[list[float], list[int]]] = {}
        self._differences: list[torch.Tensor] = []

    def expect(self, rows: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        """Take note of a step's rows as TRL takes them: `prompt_ids`, `completion_ids`, `logprobs`, `env_mask`."""
        self._differences = []
        self._rows = {
            _key([*prompt, *completion]): (list(logprobs), list(mask))
            for prompt, completion, logprobs, mask in zip(
                rows["prompt_ids"], rows["completion_ids"], rows["logprobs"], rows["env_mask"], strict=True
            )
        }

    def watch(self, trainer: Any) -> None:
        """Listen to a `GRPOTrainer`; TRL has no hook for it, so its method is replaced on this one object."""
        plain = trainer._get_per_token_logps_and_entropies  # noqa: SLF001 (no public way; trl is pinned)

        def listening(model: Any, input_ids: Any, attention_mask: Any, logits_to_keep: int, *rest: Any, **named: Any) -> Any:
            found = plain(model, input_ids, attention_mask, logits_to_keep, *rest, **named)
            if model is not getattr(trainer, "ref_model", None):
                self._compare(input_ids, attention_mask, found[0].detach())
            return found

        trainer._get_per_token_logps_and_entropies = listening  # noqa: SLF001

    def numbers(self) -> dict[str, float]:
        """`drift` and `drift_max`, mean and largest difference in nats a token, of the rows compared since `expect`."""
        if not self._differences:
            return {}
        every = torch.cat(self._differences)
        return {"drift": float(every.mean()), "drift_max": float(every.max())}

    def _compare(self, ids: torch.Tensor, attention: torch.Tensor, logprobs: torch.Tensor) -> None:
        """`ids` and `attention` (B, T) with prompt and completion, `logprobs` (B, C) of the completion, padded on the right."""
        for row, kept, computed in zip(ids.cpu(), attention.cpu().bool(), logprobs.float().cpu(), strict=True):
            known = self._rows.pop(_key(row[kept].tolist()), None)
            if known is None:
                continue
            said, mask = torch.tensor(known[0]), torch.tensor(known[1], dtype=torch.bool)
            chosen = mask & (said != 0.0)
            if bool(chosen.any()):
                self._differences.append((computed[: len(said)] - said)[chosen].abs())


def _key(ids: Sequence[int]) -> bytes:
    return array("q", ids).tobytes()
