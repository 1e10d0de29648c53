"""What an escape would be seen by: things outside of the sandbox that a program must neither read nor touch nor outlive."""

import os
import secrets
import socket
import subprocess
import threading
import time
from pathlib import Path


class Outside:
    """A piece of the host, laid out before an attempt and looked at after it."""

    def __init__(self, folder):
        self.secret, self.name = secrets.token_hex(12), f"escaped-{secrets.token_hex(6)}"
        self.folder = folder
        self.file = folder / "secret.txt"
        self.file.write_text(self.secret)
        self.file.chmod(0o644)
        self.written = folder / "escaped"
        self.canaries = [self.written, *(Path(place) / self.name for place in ("/", "/tmp", "/usr", "/var/tmp", "/dev/shm"))]
        self.unix_path = folder / "socket"
        self.connections = 0
        self._listeners = [self._listen(socket.AF_INET, ("127.0.0.1", 0)), self._listen(socket.AF_UNIX, str(self.unix_path))]
        self._listeners.append(self._listen(socket.AF_UNIX, "\0" + self.name))
        self.port = self._listeners[0].getsockname()[1]
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", 0))
        self.datagrams.setblocking(False)
        self.victim = subprocess.Popen(["sleep", "1000"])
        self.descriptor = os.open(self.file, os.O_RDONLY)
        os.set_inheritable(self.descriptor, True)
        self.before = running()
        self.peak_kib = 0
        self.peak_processes = 0

    def _listen(self, family, address):
        listener = socket.socket(family)
        listener.bind(address)
        listener.listen()
        listener.setblocking(False)
        return listener

    def fill(self, source):
        """A program with what it has to know to try."""
        known = {"FILE": self.file, "FOLDER": self.folder, "WRITTEN": self.written, "NAME": self.name, "PORT": self.port,
                 "UDP": self.datagrams.getsockname()[1], "UNIX": self.unix_path, "ABSTRACT": self.name, "PID": self.victim.pid,
                 "PARENT": os.getpid(), "DESCRIPTOR": self.descriptor}  # fmt: skip
        for name, value in known.items():
            source = source.replace(f"@{name}@", str(value))
        return source

    def watching(self):
        """Sample memory and number of the processes below this one while an attempt runs."""
        return _Sampler(self)

    def reached(self):
        """How many connections and datagrams came in."""
        count = 0
        for listener in self._listeners:
            try:
                listener.accept()[0].close()
                count += 1
            except BlockingIOError:
                pass
        try:
            self.datagrams.recv(100)
            count += 1
        except BlockingIOError:
            pass
        return count

    def damage(self, *said):
        """Everything that got out, in words; nothing when all is as before. `said`: what the program told us."""
        found = [f"{path} was written" for path in self.canaries if path.exists()]
        if not self.file.exists() or self.file.read_text() != self.secret or self.file.stat().st_mode & 0o777 != 0o644:
            found.append("the host's file was changed")
        if self.victim.poll() is not None:
            found.append("another process was ended")
        if any(self.secret in str(text) for text in said):
            found.append("the secret was read")
        if self.reached():
            found.append("a connection came in")
        if left := gone_soon(self.before):
            found.append(f"processes are left: {left}")
        return found

    def close(self):
        for listener in (*self._listeners, self.datagrams):
            listener.close()
        os.close(self.descriptor)
        self.victim.kill()
        self.victim.wait()
        for path in self.canaries:
            path.unlink(missing_ok=True)


class _Sampler:
    def __init__(self, outside):
        self._outside = outside
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _sample(self):
        while not self._done.wait(0.02):
            below = set(running(everywhere=False)) - set(self._outside.before)
            self._outside.peak_processes = max(self._outside.peak_processes, len(below))
            self._outside.peak_kib = max([self._outside.peak_kib, *(resident_kib(pid) for pid in below if not _is_copy(pid))])


def _is_copy(pid):
    """Whether a process is this one between fork and exec: what it seems to hold is ours, shared with it."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == Path("/proc/self/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


def running(*, everywhere=True):
    """Processes below this one and all that are in a process namespace of their own, whoever their parent is by now: {pid: name}.

    One that has ended and that nobody has waited for is still there. Not `everywhere`: those below this one only.
    """
    children, names = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = path.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        pid = int(path.parent.name)
        names[pid] = head.partition("(")[2]
        children.setdefault(int(tail.split()[1]), []).append(pid)
    found, open_ = {pid: name for pid, name in names.items() if everywhere and _nested(pid)}, [os.getpid()]
    while open_:
        for pid in children.get(open_.pop(), []):
            found[pid] = names[pid]
            open_.append(pid)
    return found


def _nested(pid):
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(line.startswith("NSpid:") and len(line.split()) > 2 for line in text.splitlines())


def gone_soon(before, seconds=5.0):
    """What was not there before and is there all the time from now on, beside monty's own workers: the sandbox's leftovers."""
    deadline = time.monotonic() + seconds
    left = {pid: name for pid, name in running().items() if pid not in before and name != "monty"}
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        now = running()
        left = {pid: name for pid, name in left.items() if pid in now}
    return left


def resident_kib(pid):
    """Peak of resident memory; 0 for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")), 0)
