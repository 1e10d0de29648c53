"""What would go wrong, found before anything starts."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from maestro.experts.fleet.commands import Launch
from maestro.experts.fleet.downloads import downloads_of, free_gib, hub_cache, is_folder
from maestro.experts.fleet.plan import Plan

_PYTHON_SECONDS = 60.0


def faults(plan: Plan, starting: Sequence[Launch], python: str) -> list[str]:
    """Why the processes in `starting` cannot start here: taken ports, no vLLM, no such folder, no room on disk or in memory."""
    return [*_ports(plan, starting), *_vllm(starting, python), *_folders(starting), *_disk(starting), *_memory(plan, starting)]


def port_fault(host: str, port: int) -> str | None:
    """Who has a port already, or None when it is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do; a listening socket still refuses
        try:
            probe.bind((host, port))
        except OSError as error:
            return f"port {port} of {host} cannot be used ({error.strerror}){_holder(port)}"
    return None


def _ports(plan: Plan, starting: Sequence[Launch]) -> Iterator[str]:
    places = [(launch.name, launch.host, launch.port) for launch in starting if launch.placed]
    names = {launch.name for launch in starting}
    for gate in plan.gates:
        if gate.name in names:
            places += [(placed.service.name, placed.service.host, placed.service.port) for placed in gate.members]
    for name, host, port in places:
        if port > 65535:
            yield f"{name}: it takes turns and would listen on port {port} behind its gate; give its endpoint a port below 55536"
        elif fault := port_fault(host, port):
            yield f"{name}: {fault}. End that program, or give the card another endpoint."


def _vllm(starting: Sequence[Launch], python: str) -> Iterator[str]:
    users = [launch.name for launch in starting if launch.placed and not launch.placed.service.serve.command]
    if not users:
        return
    step = "Install vLLM in an environment of its own and name its interpreter with --python or MAESTRO_VLLM_PYTHON."
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, timeout=_PYTHON_SECONDS, check=False)  # noqa: S603
    except OSError as error:
        yield f"{', '.join(users)}: the interpreter {python} does not run ({error.strerror}). {step}"
    except subprocess.TimeoutExpired:
        yield f"{', '.join(users)}: the interpreter {python} gave no answer within {_PYTHON_SECONDS:.0f} s. {step}"
    else:
        if done.returncode:
            yield f"{', '.join(users)}: there is no vLLM in {python}. {step}"


def _folders(starting: Sequence[Launch]) -> Iterator[str]:
    for launch in starting:
        model = launch.placed.service.serve.model if launch.placed else None
        if model and is_folder(model) and not Path(model).expanduser().is_dir():
            yield f"{launch.name}: serve.model {model} is no folder. Put the weights there, or give a hub id."


def _disk(starting: Sequence[Launch]) -> Iterator[str]:
    missing = sum(one.missing_gib for one in downloads_of(launch.placed.service for launch in starting if launch.placed))
    free = free_gib(hub_cache())
    if missing > free:
        yield (
            f"about {missing:.1f} GiB are to be downloaded, and {free:.1f} GiB are free at {hub_cache()}. "
            "Free some, set HF_HOME to a larger disk, or correct download_gib in the cards."
        )


def _memory(plan: Plan, starting: Sequence[Launch]) -> Iterator[str]:
    names = {launch.name for launch in starting}
    needed = sum(launch.placed.service.need.host_gib for launch in starting if launch.placed)
    for gate in plan.gates:
        weights = [placed.service.need.weights_gib for placed in gate.members if placed.service.name in names]
        needed += sum(weights) - min(weights, default=0.0)
    available = psutil.virtual_memory().available / 2**30
    if needed > available:
        yield (
            f"about {needed:.1f} GiB of main memory are needed (services of the CPU, and the weights of those asleep), "
            f"{available:.1f} GiB are available. Start fewer with --expert, or correct the sizes in the cards."
        )


def _holder(port: int) -> str:
    try:
        found = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return ""
    for connection in found:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port and connection.pid:
            try:
                words = " ".join(psutil.Process(connection.pid).cmdline())[:120]
            except psutil.Error:
                words = "?"
            return f": process {connection.pid} has it ({words})"
    return ""
