"""A running sandbox seen from outside: what it says through bounded pipes, the clock, and its end."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Ending = Literal["exit", "timeout", "output", "start"]
"""`exit`: ended by itself. `timeout` and `output`: killed. `start`: it never came up."""
START_SECONDS = 30.0
"""How long the sandbox may take to come up on a busy machine; the program's own clock starts only then."""
_DRAIN_SECONDS = 5.0
_CHUNK = 65_536
_READY = b"ready\n"


class Stop:
    """Lets another thread end what runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._stopped = False

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """Kill this one too."""
        with self._lock:
            self._processes.append(process)
            if self._stopped:
                process.kill()

    def stop(self) -> None:
        """Kill everything, now and later."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()


@dataclass
class Stream:
    """One pipe out of the sandbox, kept up to a limit."""

    descriptor: int
    limit: int
    data: bytearray
    overflowed: bool = False

    def take(self) -> bool:
        """Read what is there; False at the end."""
        read = os.read(self.descriptor, _CHUNK)
        self.overflowed = self.overflowed or len(self.data) + len(read) > self.limit
        self.data += read[: max(0, self.limit - len(self.data))]
        return bool(read)


class Contained:
    """One sandbox from its start to its end. Killing bubblewrap ends the process namespace, and with it everything in there.

    `command` is started in a session of its own with an empty environment; of this process's descriptors it gets `keep` and the
    writing ends of two pipes, `report` (the interpreter's own channel) and `life` (held by the namespace's first process alone: its end
    is the end of every process in there).
    """

    def __init__(self, output_bytes: int) -> None:
        self._pipes = {name: os.pipe() for name in ("stdout", "stderr", "report", "life")}
        self.streams = {
            name: Stream(read, output_bytes if name != "report" else output_bytes + 4096, bytearray())
            for name, (read, _) in self._pipes.items()
        }
        self.report = self._pipes["report"][1]
        self.life = self._pipes["life"][1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str], keep: Sequence[int], stdin: int, user: int | None) -> None:
        """Start it as that user (None: whoever we are). Raises OSError."""
        try:
            self.process = subprocess.Popen(  # noqa: S603  an argument list of our own; the program comes through a descriptor
                command,
                stdin=stdin,
                stdout=self._pipes["stdout"][1],
                stderr=self._pipes["stderr"][1],
                pass_fds=(*keep, self.report, self.life),
                env={},
                cwd="/",
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
        finally:
            for _, write in self._pipes.values():
                os.close(write)

    @property
    def ready(self) -> bool:
        """Whether the interpreter inside has come up."""
        return self.streams["report"].data.startswith(_READY)

    @property
    def reported(self) -> bytes:
        """What it reported after that."""
        return bytes(self.streams["report"].data).removeprefix(_READY)

    def text(self, name: Literal["stdout", "stderr"]) -> str:
        """What it printed, as far as it was kept."""
        return self.streams[name].data.decode(errors="replace")

    def kill(self) -> None:
        """End it, whatever it is doing."""
        if self.process is not None:
            self.process.kill()

    def exit_code(self) -> int:
        """How it ended, once it has: 128 and more for a signal inside."""
        assert self.process is not None
        try:
            return self.process.wait(_DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def close(self) -> None:
        """Leave neither process nor descriptor behind."""
        self.kill()
        if self.process is not None:
            self.process.wait()
        for stream in self.streams.values():
            os.close(stream.descriptor)


def watch(first: Contained, others: Sequence[Contained], seconds: float) -> Ending:
    """Read what all of them say until the first one's end or a limit; after that nothing of any of them runs any more.

    The clock starts when all are up.
    """
    deadline, started = time.monotonic() + START_SECONDS, False
    ending: Ending | None = None
    with selectors.DefaultSelector() as selector:
        for one in (first, *others):
            for name, stream in one.streams.items():
                selector.register(stream.descriptor, selectors.EVENT_READ, (one, name))
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            met = _read(selector, ready, first) if ready else "timeout" if started else "start"
            if ending is not None and not ready:
                break  # killed, and the kernel still holds it: its pipes are given up
            if ending is None and met is not None:
                ending, deadline = met, time.monotonic() + _DRAIN_SECONDS
                for one in others if met == "exit" else (first, *others):
                    one.kill()
            if not started and ending is None and all(one.ready for one in (first, *others)):
                started, deadline = True, time.monotonic() + seconds
    return ending or "start"


def _read(selector: selectors.BaseSelector, ready: list[tuple[selectors.SelectorKey, int]], first: Contained) -> Ending | None:
    """Take what is there; how it ended, if that shows in it."""
    ending: Ending | None = None
    for key, _ in ready:
        one, name = key.data
        if not one.streams[name].take():
            selector.unregister(key.fileobj)
            if name == "life" and one is first:
                ending = ending or ("exit" if one.ready else "start")
        elif one.streams[name].overflowed:
            ending = "output"
    return ending
