"""What a service needs: GPU memory, download and host memory, from its card.

Everything computed here is an estimate (parameters times bytes, cache length times bytes a token, a flat overhead); a card
that knows better says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from maestro.registry.serving import QUANTIZED_BYTES
from maestro.types import Serve

GIB = 2**30
OVERHEAD_GIB = 2.5
"""Of each GPU: CUDA context (about 0.5), activations of a long prompt with a picture, CUDA graphs."""
CPU_OVERHEAD_GIB = 2.0
KV_KIB_PER_TOKEN_PER_BILLION = 18.0
"""On the safe side: a dense 8-billion model with eight KV heads has 144 KiB a token in 16 bits, one with four has 56."""
ASLEEP_GIB = 1.5
"""What vLLM keeps of a GPU while asleep (context, graphs); users report 0.8 to 1.2."""
_DTYPE_BYTES = {"auto": 2.0, "bfloat16": 2.0, "float16": 2.0, "float32": 4.0}
_QUANTIZED_WHILE_LOADING = {"fp8", "int8", "bitsandbytes"}
"""Methods that also take an ordinary checkpoint: what is downloaded may have two bytes a parameter."""


@dataclass(frozen=True)
class Need:
    """Memory and download of one replica, in GiB."""

    gpus: int
    """How many GPUs it needs; 0 for a service of the CPU."""
    gpu_gib: float
    """On each of them."""
    weights_gib: float
    """Over all its GPUs; 0 when the card gives only `gpu_gib` or starts a command without sizes."""
    kv_cache_gib: float
    """Over all its GPUs."""
    overhead_gib: float
    """On each GPU, or once on a CPU."""
    host_gib: float
    """Main memory: everything for a service of the CPU, 0 for one on GPUs that is awake."""
    download_gib: float
    can_sleep: bool
    """Whether vLLM's sleep mode can take it off its GPU: one GPU, and no `command` of its own."""


def need_of(serve: Serve) -> Need:
    """What one replica needs. A `command` without any size counts as a service of the CPU that needs nothing known."""
    weights = _weights_gib(serve)
    sized = bool(weights or serve.gpu_gib)
    on_gpu = serve.device == "gpu" and (sized or not serve.command)
    kv_cache = _kv_cache_gib(serve, weights)
    overhead = serve.overhead_gib
    if overhead is None:
        overhead = OVERHEAD_GIB if on_gpu else CPU_OVERHEAD_GIB if sized else 0.0
    whole = weights + kv_cache
    return Need(
        gpus=serve.tensor_parallel if on_gpu else 0,
        gpu_gib=(serve.gpu_gib or whole / serve.tensor_parallel + overhead) if on_gpu else 0.0,
        weights_gib=weights,
        kv_cache_gib=kv_cache,
        overhead_gib=overhead,
        host_gib=0.0 if on_gpu else whole + overhead,
        download_gib=_download_gib(serve, weights),
        can_sleep=on_gpu and serve.tensor_parallel == 1 and not serve.command,
    )


def _weights_gib(serve: Serve) -> float:
    if serve.weights_gib is not None:
        return serve.weights_gib
    if serve.parameters_billions is None:
        return 0.0
    per_parameter = _DTYPE_BYTES[serve.dtype]
    if serve.device == "cpu" and serve.dtype == "auto":
        per_parameter = _DTYPE_BYTES["float32"]
    if serve.quantization is not None:
        per_parameter = QUANTIZED_BYTES[serve.quantization]
    return serve.parameters_billions * 1e9 * per_parameter / GIB


def _kv_cache_gib(serve: Serve, weights_gib: float) -> float:
    if serve.kv_cache_gib is not None:
        return serve.kv_cache_gib
    billions = serve.parameters_billions or weights_gib * GIB / 2e9
    kib = serve.kv_kib_per_token or KV_KIB_PER_TOKEN_PER_BILLION * billions
    return serve.context_tokens * serve.sequences * kib / 2**20


def _download_gib(serve: Serve, weights_gib: float) -> float:
    if serve.download_gib is not None:
        return serve.download_gib
    if serve.model is None:
        return 0.0
    if serve.parameters_billions and (serve.quantization is None or serve.quantization in _QUANTIZED_WHILE_LOADING):
        return serve.parameters_billions * 2e9 / GIB
    return weights_gib
