"""Checks of an expert's `serve` block: what `maestro experts up` could not start, said before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from maestro.document import Document, Location, Problem
from maestro.types import Expert, Serve

REPLICA_PORT_STEP = 1000
"""From one replica's port to the next when `ports` names none."""
PLACEHOLDERS = ("host", "port", "target", "model", "python")
"""What is filled in where a `command` has it in braces."""
QUANTIZED_BYTES = {
    "fp8": 1.0,
    "int8": 1.0,
    "modelopt": 1.0,
    "awq": 0.6,
    "awq_marlin": 0.6,
    "gptq": 0.6,
    "gptq_marlin": 0.6,
    "bitsandbytes": 0.6,
    "mxfp4": 0.6,
}
"""Bytes a parameter; of the four-bit methods half a byte and what stays unquantised (embeddings, vision encoder). Estimates."""
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_OWNED_ARGUMENTS = {
    "--model": "serve.model",
    "--revision": "serve.revision",
    "--served-model-name": "target",
    "--host": "endpoint",
    "--port": "endpoint",
    "--uds": "endpoint",
    "--api-key": "api_key_env",
    "--dtype": "serve.dtype",
    "--quantization": "serve.quantization",
    "-q": "serve.quantization",
    "--max-model-len": "serve.context_tokens",
    "--tensor-parallel-size": "serve.tensor_parallel",
    "-tp": "serve.tensor_parallel",
    "--data-parallel-size": "serve.replicas",
    "-dp": "serve.replicas",
    "--gpu-memory-utilization": "serve.gpu_gib",
    "--enable-sleep-mode": "nothing: the plan decides who sleeps",
}
_OWNED_VARIABLES = {
    "CUDA_VISIBLE_DEVICES": "the plan decides which GPUs a service sees",
    "CUDA_DEVICE_ORDER": "GPUs are numbered as nvidia-smi numbers them",
    "VLLM_SERVER_DEV_MODE": "the plan decides who sleeps",
    "VLLM_API_KEY": "name the variable that holds the key in api_key_env",
}


def replica_ports(expert: Expert) -> tuple[int, ...]:
    """Ports of a served card's replicas, the endpoint's first; one port for a card without `serve`."""
    assert expert.endpoint is not None
    first = _port(expert.endpoint)
    serve = expert.serve or Serve()
    others = serve.ports or tuple(first + REPLICA_PORT_STEP * k for k in range(1, serve.replicas))
    return (first, *others)


def replica_endpoints(expert: Expert) -> tuple[str, ...]:
    """Base URLs of a served card's replicas, the card's own first: what a client may spread its calls over."""
    assert expert.endpoint is not None
    parts = urlsplit(expert.endpoint)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    others = (parts._replace(netloc=f"{host}:{port}").geturl() for port in replica_ports(expert)[1:])
    return (expert.endpoint, *others)


def check_serve(expert: Expert, at: Location, document: Document) -> Iterator[Problem]:
    """Problems of one card's `serve`, each at the line of the field it is about."""
    serve = expert.serve
    assert serve is not None

    def wrong(field: str | int, message: str, *more: str | int) -> Problem:
        return document.problem((*at, field, *more) if field else at, f"expert {expert.id}: {message}")

    if serve.model is None and not serve.command:
        yield wrong("", "serve needs model (a hub id or folder, for vLLM) or command (to start something else)")
    yield from (wrong(*found) for found in _size_faults(serve))
    for index, argument in enumerate(serve.arguments):
        if owner := _OWNED_ARGUMENTS.get(argument.partition("=")[0].replace("_", "-")):
            yield wrong("arguments", f"serve.arguments has {argument.partition('=')[0]}, which is set from {owner}", index)
    for name in serve.environment:
        if name in _OWNED_VARIABLES:
            yield wrong("environment", f"serve.environment may not set {name}: {_OWNED_VARIABLES[name]}", name)
    for index, word in enumerate(serve.command):
        for name in _PLACEHOLDER.findall(word):
            if name not in PLACEHOLDERS:
                shown = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
                yield wrong("command", f"serve.command has {{{name}}}; what is filled in is {shown}", index)
            elif name == "model" and serve.model is None:
                yield wrong("command", "serve.command has {model}, and serve.model is not given", index)


def check_ports(experts: Sequence[Expert], document: Document) -> Iterator[Problem]:
    """Problems of ports: two services that would listen on the same one, a number out of range, too few ports."""
    taken: dict[tuple[str, int], str] = {}
    for index, expert in enumerate(experts):
        if expert.serve is None or expert.endpoint is None or not _usable(expert.endpoint):
            continue
        at: Location = ("experts", index, "serve")
        if expert.serve.ports and len(expert.serve.ports) != expert.serve.replicas - 1:
            wanted = expert.serve.replicas - 1
            message = (
                f"serve.ports has {len(expert.serve.ports)} ports; {expert.serve.replicas} replicas need {wanted} beside the endpoint's"
            )
            yield document.problem((*at, "ports"), f"expert {expert.id}: {message}")
        host = (urlsplit(expert.endpoint).hostname or "").replace("localhost", "127.0.0.1")
        for replica, port in enumerate(replica_ports(expert)):
            place = ("experts", index, "endpoint") if replica == 0 else (*at, "ports" if expert.serve.ports else "replicas")
            if not 1 <= port <= 65535:
                yield document.problem(place, f"expert {expert.id}: replica {replica + 1} would listen on port {port}; give serve.ports")
            elif (host, port) in taken:
                other = taken[host, port]
                yield document.problem(
                    place, f"expert {expert.id}: port {port} of {host} is {other}'s already; two services cannot share it"
                )
            else:
                taken[host, port] = expert.id


def _size_faults(serve: Serve) -> Iterator[tuple[str, str]]:
    """(field, message) of sizes that are missing or cannot be."""
    known = serve.weights_gib or serve.gpu_gib
    if serve.quantization and serve.quantization not in QUANTIZED_BYTES and not known:
        names = ", ".join(QUANTIZED_BYTES)
        yield "quantization", f"the size of {serve.quantization} weights is not known; give serve.weights_gib (known: {names})"
    elif not serve.command and not known and serve.parameters_billions is None:
        yield "", "serve needs parameters_billions, weights_gib or gpu_gib, so that memory can be planned"
    if serve.device == "cpu":
        for field in ("gpu_gib", "quantization"):
            if getattr(serve, field) is not None:
                yield field, f"serve.{field} is for GPUs, and serve.device is cpu"
        if serve.tensor_parallel > 1:
            yield "tensor_parallel", "serve.tensor_parallel is for GPUs, and serve.device is cpu"


def _usable(endpoint: str) -> bool:
    try:
        return urlsplit(endpoint).port != 0
    except ValueError:
        return False  # said by the check of the endpoint


def _port(endpoint: str) -> int:
    parts = urlsplit(endpoint)
    return parts.port or (443 if parts.scheme == "https" else 80)
