"""From a placed service to a command line and its environment."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from maestro.experts.fleet.placement import Placed
from maestro.registry.serving import PLACEHOLDERS

INNER_PORT_OFFSET = 10_000
"""Services that take turns listen this much higher; at their card's endpoint the gate listens."""
_SERVER = "vllm.entrypoints.openai.api_server"
_PLACEHOLDER = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")


@dataclass(frozen=True)
class Launch:
    """One process to start."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    """Added to ours."""
    secrets: dict[str, str] = field(default_factory=dict)
    """Variable of the service to the variable of ours that holds its value; the value is written nowhere."""
    placed: Placed | None = None
    """None for a gate."""
    host: str = "127.0.0.1"
    port: int = 0
    """Where the process itself listens."""


def launch_of(placed: Placed, python: str) -> Launch:
    """The process of a placed service; `python` is the interpreter that has vLLM."""
    service = placed.service
    host = "127.0.0.1" if placed.takes_turns else service.host  # vLLM's sleep endpoints must not be reachable from outside
    port = service.port + INNER_PORT_OFFSET if placed.takes_turns else service.port
    serve = service.serve
    if serve.command:
        values = {"host": host, "port": str(port), "target": service.target, "model": serve.model or "", "python": python}
        command = tuple(_PLACEHOLDER.sub(lambda found: values[found[1]], word) for word in serve.command)
    else:
        command = _vllm(placed, python, host, port)
    secrets = {"VLLM_API_KEY": service.card.api_key_env} if service.card.api_key_env and not serve.command else {}
    return Launch(service.name, command, _environment(placed), secrets, placed, host, port)


def _vllm(placed: Placed, python: str, host: str, port: int) -> tuple[str, ...]:
    service, serve = placed.service, placed.service.serve
    assert serve.model is not None
    words = [python, "-m", _SERVER, "--model", serve.model, "--served-model-name", service.target, "--host", host, "--port", str(port)]
    on_cpu = not placed.gpus
    dtype = "float32" if on_cpu and serve.dtype == "auto" else serve.dtype
    if serve.revision:
        words += ["--revision", serve.revision]
    words += ["--dtype", dtype, "--max-model-len", str(serve.context_tokens)]
    if serve.quantization:
        words += ["--quantization", serve.quantization]
    if placed.utilization is not None:
        words += ["--gpu-memory-utilization", f"{placed.utilization:.3f}"]
    if serve.tensor_parallel > 1:
        words += ["--tensor-parallel-size", str(serve.tensor_parallel)]
    if placed.takes_turns:
        words.append("--enable-sleep-mode")
    if on_cpu and "--enforce-eager" not in serve.arguments:
        words.append("--enforce-eager")
    return (*words, *serve.arguments)


def _environment(placed: Placed) -> dict[str, str]:
    serve = placed.service.serve
    # Compute apps are told their cards; a service of the CPU sees none.
    found = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(map(str, placed.gpus)), "PYTHONUNBUFFERED": "1"}
    if placed.takes_turns:
        found["VLLM_SERVER_DEV_MODE"] = "1"
    if not placed.gpus and not serve.command:
        found |= {"VLLM_CPU_KVCACHE_SPACE": str(math.ceil(placed.service.need.kv_cache_gib)), "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    return found | serve.environment
