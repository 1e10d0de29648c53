"""Ports and services for tests with real processes."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

SERVER = Path(__file__).parent / "echo_server.py"
SECONDS = 60.0


def free_ports(count: int, below: int = 50_000) -> list[int]:
    """Ports that nobody listens on, below `below`, so that a gate's inner ports exist."""
    held: list[socket.socket] = []
    try:
        port = 20_000 + (hash(time.monotonic_ns()) % 20_000)
        while len(held) < count:
            port = port + 7 if port + 7 < below else 20_000
            one = socket.socket()
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                one.close()
                continue
            held.append(one)
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def echo(port: object, name: object, *flags: object) -> list[str]:
    """The command of an echo server."""
    return [sys.executable, str(SERVER), "--port", str(port), "--name", str(name), *map(str, flags)]


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that is about to happen; fail after a minute."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
