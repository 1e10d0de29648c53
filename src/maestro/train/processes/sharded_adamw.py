"""AdamW of which every process that trains together keeps the state of its share of the weights (ZeRO stage 1)."""

from __future__ import annotations

from typing import Any

import torch
from torch.distributed.optim import ZeroRedundancyOptimizer


class ShardedAdamW(ZeroRedundancyOptimizer):  # type: ignore[misc]
    """PyTorch's `ZeroRedundancyOptimizer` over AdamW; reading its state is something that all processes do together."""

    def __init__(self, groups: list[dict[str, Any]], *, lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, torch.optim.AdamW, lr=lr, betas=betas)

    def state_dict(self) -> dict[str, Any]:
        """The whole state, on every process. A collective call: Accelerate makes it once, when it prepares the optimiser."""
        whole: dict[str, Any] = {}
        for rank in range(self.world_size):
            self.consolidate_state_dict(to=rank)
            if rank == self.rank:
                whole = self._whole()
        return whole

    def collected(self) -> dict[str, Any]:
        """The whole state on the first process, nothing on the others. A collective call."""
        self.consolidate_state_dict(to=0)
        return self._whole() if self.rank == 0 else {}

    def _whole(self) -> dict[str, Any]:
        whole: dict[str, Any] = super().state_dict()
        self._all_state_dicts: list[dict[str, Any]] = []  # the parts are not needed any more, and are as large as the whole
        return whole
