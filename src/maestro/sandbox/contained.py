"""A running sandbox seen from outside: what it says through bounded pipes, the clock, and its end."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Ending = Literal["exit", "timeout", "output", "files", "stopped", "start"]
"""`exit`: ended by itself. `timeout`, `output`, `files` (too many) and `stopped` (by us): killed. `start`: it never came up."""
START_SECONDS = 30.0
"""How long the sandbox may take to come up on a busy machine; the program's own clock starts only then."""
_DRAIN_SECONDS = 5.0
_CLOSING_SECONDS = 1.0
"""What taking the namespaces apart may last once the program has closed its outputs; not the program's time."""
_MOST_WAITING = 4
"""The wall clock may run to this many times the limit on a machine that does not let the program run."""
MAX_FILES = 4096
"""In the private /tmp. The size of a tmpfs does not bound their number, and each takes a kibibyte of the kernel's memory."""
_TICK_SECONDS = 0.1
_CHUNK = 65_536
_READY = b"ready\n"
_CHILD = re.compile(rb'"child-pid": (\d+),')


class Stop:
    """Lets another thread end what runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakers: list[int] = []
        self._stopped = False

    def stop(self) -> None:
        """End everything, now and later."""
        with self._lock:
            self._stopped = True
            for waker in self._wakers:
                os.eventfd_write(waker, 1)

    @contextmanager
    def waking(self) -> Iterator[int]:
        """A descriptor that becomes readable when it is time to stop."""
        with self._lock:
            waker = os.eventfd(int(self._stopped))
            self._wakers.append(waker)
        try:
            yield waker
        finally:
            with self._lock:
                self._wakers.remove(waker)
            os.close(waker)


@dataclass
class Stream:
    """One pipe out of the sandbox, kept up to a limit."""

    limit: int
    data: bytearray = field(default_factory=bytearray)
    overflowed: bool = False
    ended: bool = False

    def take(self, descriptor: int) -> None:
        """Read what is there."""
        read = os.read(descriptor, _CHUNK)
        self.overflowed = self.overflowed or len(self.data) + len(read) > self.limit
        self.data += read[: max(0, self.limit - len(self.data))]
        self.ended = not read


class Contained:
    """One sandbox from its start to its end.

    bubblewrap waits outside for the program, which is the first process of its namespace: when that is gone, everything in there is. Of
    this process's descriptors it gets `keep` and the writing ends of two pipes, `report` (the interpreter's own channel) and `info` (for
    bubblewrap's word which process that is). Both ends of the pipes are closed by `close`.
    """

    def __init__(self, output_bytes: int) -> None:
        self.streams = {name: Stream(output_bytes) for name in ("stdout", "stderr")}
        self.streams |= {"report": Stream(output_bytes + 4096), "info": Stream(4096)}
        self._pipes = {name: os.pipe() for name in self.streams}
        self.report, self.info = self._pipes["report"][1], self._pipes["info"][1]
        self._process: subprocess.Popen[bytes] | None = None
        self._handle = -1

    def start(self, command: Sequence[str], keep: Sequence[int], stdin: int, user: int | None) -> None:
        """Start it in a session of its own with an empty environment, as that user (None: whoever we are). Raises OSError."""
        try:
            self._process = subprocess.Popen(  # noqa: S603  an argument list of our own; the program comes through a descriptor
                command,
                stdin=stdin,
                stdout=self._pipes["stdout"][1],
                stderr=self._pipes["stderr"][1],
                pass_fds=(*keep, self.report, self.info),
                env={},
                cwd="/",
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )
            self._handle = os.pidfd_open(self._process.pid)
        finally:
            for _, write in self._pipes.values():
                os.close(write)

    def register(self, selector: selectors.BaseSelector) -> None:
        """Everything there is to wait for: its streams, and its end."""
        for name, (read, _) in self._pipes.items():
            selector.register(read, selectors.EVENT_READ, (self, name))
        selector.register(self._handle, selectors.EVENT_READ, (self, "end"))

    @property
    def ready(self) -> bool:
        """Whether the interpreter inside has come up."""
        return self.streams["report"].data.startswith(_READY)

    @property
    def reported(self) -> bytes:
        """What it reported after that."""
        return bytes(self.streams["report"].data).removeprefix(_READY)

    @property
    def closed(self) -> bool:
        """Whether it has closed both of its outputs, as one that ends does."""
        return self.streams["stdout"].ended and self.streams["stderr"].ended

    @property
    def overflowed(self) -> bool:
        """Whether it said more than it may."""
        return any(stream.overflowed for stream in self.streams.values())

    def text(self, name: Literal["stdout", "stderr"]) -> str:
        """What it printed, as far as it was kept."""
        return self.streams[name].data.decode(errors="replace")

    def waited(self) -> float:
        """Seconds for which the interpreter was ready to run while others had the processor; 0 where the kernel does not tell."""
        found = _CHILD.search(self.streams["info"].data)
        try:
            text = Path(f"/proc/{int(found[1])}/schedstat").read_text(encoding="ascii") if found else ""
            return int(text.split()[1]) / 1e9
        except (OSError, IndexError):  # it has just ended, or this kernel does not count
            return 0.0

    @property
    def crowded(self) -> bool:
        """Whether it has made more files than it may, seen from outside."""
        found = _CHILD.search(self.streams["info"].data) if self.ready else None  # before that, its root is still the host's
        try:
            places = os.statvfs(f"/proc/{int(found[1])}/root/tmp") if found else None
        except OSError:  # it has just ended, or has no /tmp
            return False
        return places is not None and places.f_files - places.f_ffree > MAX_FILES

    def kill(self) -> None:
        """End it, whatever it is doing; bubblewrap, which waits for it, ends then, and so leaves nothing for others to reap."""
        if self._process is None or self._process.poll() is not None:
            return
        found = _CHILD.search(self.streams["info"].data)
        try:
            handle = os.pidfd_open(int(found[1])) if found else -1
        except ProcessLookupError:
            return
        if handle < 0:
            self._process.kill()
            return
        try:
            if _parent(int(found[1]) if found else 0) == self._process.pid:  # still the same process, not another with its number
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            os.close(handle)

    def exit_code(self) -> int:
        """How it ended, once it has: 128 and more for a signal inside."""
        assert self._process is not None
        return self._process.wait()

    def close(self) -> None:
        """Leave neither process nor descriptor behind."""
        if self._process is not None:
            self.kill()
            try:
                self._process.wait(_DRAIN_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for read, _ in self._pipes.values():
            os.close(read)
        if self._handle >= 0:
            os.close(self._handle)


class Clock:
    """When time is up: first for coming up, then for the program, then for what is killed to be gone."""

    def __init__(self, everybody: Sequence[Contained], seconds: float) -> None:
        self._everybody = everybody
        self._seconds = seconds
        self._waited: float | None = None
        self._given = 0.0
        self._closing = False
        self._tick = 0.0
        self.deadline = time.monotonic() + START_SECONDS

    @property
    def left(self) -> float:
        """Seconds until the deadline, not below 0."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def started(self) -> bool:
        """Whether it is the program's time that runs."""
        return self._waited is not None

    def start(self) -> None:
        """From now on it is the program's."""
        self._waited = sum(one.waited() for one in self._everybody)
        self.deadline = time.monotonic() + self._seconds

    def drain(self) -> None:
        """It was killed; wait for its end."""
        self.deadline = time.monotonic() + _DRAIN_SECONDS

    def met(self) -> Ending | None:
        """The limit that is met by now, of those that show from outside."""
        if time.monotonic() >= self._tick:
            self._tick = time.monotonic() + _TICK_SECONDS
            if any(one.crowded for one in self._everybody):
                return "files"
        if self.left or self._extended():
            return None
        return "timeout" if self.started else "start"

    def _extended(self) -> bool:
        """At the deadline: whether there is more time, because others had the processor or because it is about to be gone.

        So that a program's fate does not hang on what else the machine does. Waiting for anything else (sleep, a lock) is its own time.
        """
        if self._waited is None:
            return False
        lost = min(sum(one.waited() for one in self._everybody) - self._waited, (_MOST_WAITING - 1) * self._seconds)
        if lost > self._given + 0.01:
            self.deadline += lost - self._given
            self._given = lost
            return True
        if self._everybody[0].closed and not self._closing:
            self._closing = True
            self.deadline = time.monotonic() + _CLOSING_SECONDS
            return True
        return False


def watch(first: Contained, others: Sequence[Contained], seconds: float, stop: Stop | None = None) -> Ending:
    """Read what all of them say until the first one's end or a limit; after that nothing of any of them runs any more.

    The clock starts when all are up.
    """
    everybody = (first, *others)
    clock = Clock(everybody, seconds)
    ending: Ending | None = None
    with selectors.DefaultSelector() as selector, (stop or Stop()).waking() as waker:
        selector.register(waker, selectors.EVENT_READ, None)
        for one in everybody:
            one.register(selector)
        while any(key.data is not None for key in selector.get_map().values()):
            met = _read(selector, selector.select(min(clock.left, _TICK_SECONDS)), first)
            if ending is not None:
                if not clock.left:
                    break  # killed, and the kernel still holds it: its pipes are given up
                continue
            if not clock.started and all(one.ready for one in everybody):
                clock.start()
            ending = met or clock.met()
            if ending is not None:
                clock.drain()
                for one in everybody:
                    one.kill()
    if ending == "exit" and any(one.overflowed for one in everybody):
        return "output"
    return ending or "start"


def _read(selector: selectors.BaseSelector, ready: list[tuple[selectors.SelectorKey, int]], first: Contained) -> Ending | None:
    """Take what is there; how it ended, if that shows in it."""
    ending: Ending | None = None
    over = []
    for key, _ in ready:
        if key.data is None:
            selector.unregister(key.fileobj)
            return "stopped"
        one, name = key.data
        if name == "end":
            selector.unregister(key.fileobj)
            over.append(one)
            continue
        one.streams[name].take(key.fd)
        if one.streams[name].ended:
            selector.unregister(key.fileobj)
        elif one.streams[name].overflowed:
            ending = "output"
    if first in over:
        return ending or ("exit" if first.ready else "start")
    return ending


def _parent(pid: int) -> int:
    """The parent of a process; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0
