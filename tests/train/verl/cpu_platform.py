"""verl on a CPU: a platform for tests. verl ships none, and nothing of this is part of the product.

Loaded through `VERL_USE_EXTERNAL_MODULES`; the engine registry is told that the device is CUDA, whose FSDP engine is plain PyTorch.
"""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch
from verl.plugin.platform.platform_base import PlatformBase
from verl.plugin.platform.platform_manager import PlatformRegistry
from verl.workers.rollout.base import _ROLLOUT_REGISTRY
from verl.workers.rollout.replica import RolloutReplicaRegistry


def _nothing(*_: Any, **__: Any) -> None:
    return None


MODULE = SimpleNamespace(
    **dict.fromkeys(("set_device", "synchronize", "empty_cache", "manual_seed", "manual_seed_all", "ipc_collect"), _nothing),
    **{name: lambda *_, **__: 0 for name in ("current_device", "memory_allocated", "memory_reserved", "max_memory_allocated")},
    max_memory_reserved=lambda *_, **__: 0,
    reset_peak_memory_stats=_nothing,
    mem_get_info=lambda *_, **__: (0, 0),
    device_count=lambda: 1,
    is_available=lambda: True,
    get_rng_state=torch.get_rng_state,
    set_rng_state=torch.set_rng_state,
    is_bf16_supported=lambda *_: True,
    get_device_name=lambda *_: "CPU",
)


@PlatformRegistry.register(platform="processor")
class ProcessorPlatform(PlatformBase):
    """A CPU that says what a device has to say."""

    device_name = "cpu"
    vendor_name = "nvidia"
    device_module = MODULE  # type: ignore[assignment]

    def is_available(self) -> bool:
        return True

    def is_platform_available(self, use_smi_check=False) -> bool:
        return True

    def current_device(self):
        return "cpu"  # verl moves models to it

    def device_count(self) -> int:
        return 1

    set_device = synchronize = manual_seed = manual_seed_all = set_allocator_settings = empty_cache = _nothing
    profiler_start = profiler_stop = cudart = _nothing

    def get_device_capability(self, device_index: int = 0):
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "CUDA_VISIBLE_DEVICES"

    @contextmanager
    def nvtx_range(self, msg: str):
        yield

    def ray_resource_name(self) -> str:
        return "GPU"  # one that Ray is told of; verl counts cards by this name

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False


def _replica() -> Any:
    from tests.train.verl.in_process_server import ProcessorReplica

    return ProcessorReplica


RolloutReplicaRegistry.register("processor", _replica)
_ROLLOUT_REGISTRY["processor", "async"] = "tests.train.verl.in_process_server.ProcessorRollout"
_open_group = torch.distributed.init_process_group


def _open_once(backend: str | None = None, **settings: Any) -> None:
    """verl asks for a backend of the CPU and one of the device, which here are the same, and PyTorch takes none twice."""
    _open_group("gloo" if backend == "cpu:gloo,cpu:gloo" else backend, **settings)


torch.distributed.init_process_group = _open_once
