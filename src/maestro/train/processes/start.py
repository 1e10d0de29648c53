"""The processes that train together, as `accelerate launch` or `torchrun` started them.

Every process runs the same program on the same config. Each runs its share of the episodes; what is measured is collected on all
of them, so that all take the same decisions (an alarm, the best policy so far); only the first one writes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

from maestro.errors import ConfigError
from maestro.train.config.compute import ComputeConfig

Item = TypeVar("Item")

PATIENCE = timedelta(hours=2)
"""How long one process waits for another: episodes wait for experts, and no process may be given up for a slow one."""
_FSDP, _DEEPSPEED, _OFFLOAD = "ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED", "FSDP_OFFLOAD_PARAMS"
"""What a launcher says of how the weights shall be spread."""


class Processes:
    """This process among `count`; alone unless started by a launcher."""

    def __init__(self, rank: int = 0, count: int = 1, group: Any = None, *, sharded: bool = False) -> None:
        """`group` is the process group (gloo) over which Python objects travel; None for a single process."""
        self.rank = rank
        self.count = count
        self.sharded = sharded and count > 1
        """Each process trains its share of the weights."""
        self._group = group

    @classmethod
    def joined(cls, compute: ComputeConfig) -> Processes:
        """The processes of the launcher's environment. Raises ConfigError for a launch that spreads weights as this engine does not."""
        if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
            return cls()
        sharded = _shards(compute)
        from accelerate import PartialState
        from torch import cuda, distributed

        state = PartialState(cpu=compute.device == "cpu" or not cuda.is_available())
        group = distributed.new_group(backend="gloo", timeout=PATIENCE)
        return cls(state.process_index, state.num_processes, group, sharded=sharded)

    @property
    def main(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> list[Item]:
        """This process's contiguous share; shares differ by one at most, and in the order of ranks make up all items."""
        size, more = divmod(len(items), self.count)
        start = self.rank * size + min(self.rank, more)
        return list(items[start : start + size + (self.rank < more)])

    def collect(self, items: Sequence[Item]) -> list[Item]:
        """The items of all processes, in the order of ranks, on each of them."""
        if self.count == 1:
            return list(items)
        from torch import distributed

        found: list[list[Item]] = [[] for _ in range(self.count)]
        distributed.all_gather_object(found, list(items), group=self._group)
        return [item for part in found for item in part]

    def any(self, flag: bool) -> bool:
        """Whether the flag is up on any process."""
        return any(self.collect([flag]))

    def wait(self) -> None:
        """Until every process is here."""
        self.collect([])


def _shards(compute: ComputeConfig) -> bool:
    """Whether config or launcher want the weights sharded. Accelerate is not told: it would wrap the model that samples."""
    if _said(_DEEPSPEED):
        raise ConfigError(
            "the launch asks for DeepSpeed, which this engine has not. Launch with --multi_gpu, and save memory with compute.shard_weights "
            "(FSDP), policy.lora or compute.gradient_checkpointing, or train with engine: verl. See docs/training-large.md."
        )
    launched = _said(_FSDP)
    if launched and _said(_OFFLOAD):
        raise ConfigError("the launch asks for weights in main memory (fsdp_offload_params), which this engine has not; leave it out.")
    os.environ.pop(_FSDP, None)
    return launched or compute.shard_weights


def _said(variable: str) -> bool:
    return os.environ.get(variable, "").lower() == "true"
