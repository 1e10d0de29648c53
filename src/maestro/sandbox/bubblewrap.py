"""CPython in a sandbox: bubblewrap's namespaces, an allow-list of system calls and resource limits around a fresh interpreter.

Inside there is the interpreter, /usr read-only, and a /tmp of limited size that ends with the program: no home, no /etc, no /proc, no
/dev, no network, nothing of the environment. Every limit is set before the program is read.
"""

from __future__ import annotations

import fcntl
import math
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from maestro.sandbox import seccomp
from maestro.sandbox.contained import MAX_FILES, START_SECONDS, Contained, Ending, Stop, watch
from maestro.sandbox.inside import script
from maestro.sandbox.inside.plain import NotPlain, loads
from maestro.sandbox.limits import Limits
from maestro.sandbox.outcome import Outcome, Refused

_LINKS = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_OPEN_FILES = 32
_NOBODY = 65534
_INTERPRETER = ("-s", "-S", "-P", "-B", "-X", "utf8")
_LATE = f"it did not come up within {START_SECONDS:g} s"
_PROBE = "import _socket\ntry: _socket.socket(); print('open')\nexcept PermissionError: print(6 * 7)"


@dataclass(frozen=True)
class Bubblewrap:
    """The engine: two programs of the system and an interpreter, the one of this environment without the environment's packages."""

    program: str
    prlimit: str
    python: str
    prefix: str
    """Where the interpreter's library is."""
    user: int | None = None
    """Whom it runs as; None is the user we are."""

    @property
    def counts_processes(self) -> bool:
        """Whether the kernel holds this user to a number of processes; it does not hold root to any."""
        return (os.geteuid() if self.user is None else self.user) != 0

    def run(self, source: str, stdin: str = "", limits: Limits | None = None, *, value: bool = True, stop: Stop | None = None) -> Outcome:
        """Run one program as `__main__`. Raises Refused when the sandbox does not come up."""
        limits = limits or Limits()
        if "\0" in source:
            return Outcome("error", engine="bubblewrap", reason="SyntaxError: source code cannot contain null bytes")
        with Inside(self, limits) as inside:
            text = inside.file(source.encode("utf-8", "replace"))
            one = inside.start("run", text, limits.processes, int(value), stdin=inside.file(stdin.encode("utf-8", "replace")), keep=(text,))
            ending = watch(one, (), limits.seconds, stop)
            if ending == "start":
                raise Refused(f"the sandbox did not start: {_last_line(one.text('stderr')) or _LATE}")
        return _outcome(one, ending, limits)

    def command(self, limits: Limits, filter_descriptor: int, info: int) -> list[str]:
        """What starts the interpreter in its sandbox; a script and its arguments follow."""
        cpu = math.ceil(limits.seconds) + 1
        command = [self.prlimit, f"--as={limits.memory_mib << 20}", f"--cpu={cpu}:{cpu}", "--core=0"]
        command += [f"--fsize={limits.file_bytes}", f"--nofile={_OPEN_FILES}", "--", self.program]
        command += [
            "--unshare-all",
            "--unshare-user",
            "--die-with-parent",
            "--as-pid-1",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--clearenv",
        ]
        command += ["--hostname", "sandbox", "--info-fd", str(info), "--ro-bind", "/usr", "/usr"]
        for link in _LINKS:
            if Path(link).is_symlink():
                command += ["--symlink", str(Path(link).readlink()), link]
            elif Path(link).is_dir():
                command += ["--ro-bind", link, link]
        for needed in (self.prefix, str(Path(self.python).parent)):
            if not needed.startswith("/usr/"):
                command += ["--ro-bind", needed, needed]
        if limits.file_bytes:
            command += ["--size", str(max(4096, limits.file_bytes)), "--tmpfs", "/tmp"]  # noqa: S108  its own, of that size
        command += ["--remount-ro", "/", "--chdir", "/tmp" if limits.file_bytes else "/"]  # noqa: S108
        command += ["--setenv", "PYTHONHASHSEED", "0", "--seccomp", str(filter_descriptor), "--"]
        return [*command, self.python, *_INTERPRETER, "-c"]


class Inside:
    """The sandboxes and descriptors of one run; leaving it leaves nothing behind."""

    def __init__(self, engine: Bubblewrap, limits: Limits) -> None:
        if limits.processes > 1 and not engine.counts_processes:
            raise Refused(
                f"processes={limits.processes} needs a user whom the kernel holds to a number of processes, and this is root, whose Python "
                f"in {engine.prefix} other users cannot read. Run as another user, or with processes=1."
            )
        self._engine = engine
        self._limits = limits
        self._descriptors: list[int] = []
        self._started: list[Contained] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._started:
            one.close()
        self.release()

    def file(self, content: bytes) -> int:
        """A descriptor to read this from; nobody can write to it or make it grow."""
        descriptor = os.memfd_create("maestro", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        self._descriptors.append(descriptor)
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def pipe(self) -> tuple[int, int]:
        """Reading and writing end of a pipe between two sandboxes."""
        ends = os.pipe()
        self._descriptors += ends
        return ends

    def start(self, name: str, *arguments: int, stdin: int, keep: Sequence[int]) -> Contained:
        """Start the script `name` in a sandbox of its own; its first argument is where it reports to. Raises Refused."""
        rules = self.file(seccomp.program(starting=self._limits.processes > 1))
        one = Contained(self._limits.output_bytes)
        self._started.append(one)
        command = self._engine.command(self._limits, rules, one.info)
        command += [script(name), str(one.report), *map(str, arguments)]
        try:
            one.start(command, (*keep, rules), stdin, self._engine.user)
        except (OSError, subprocess.SubprocessError) as error:
            raise Refused(f"the sandbox did not start: {error}") from error
        return one

    def release(self) -> None:
        """Close our own descriptors, once everything that needs them has been started."""
        while self._descriptors:
            os.close(self._descriptors.pop())


_looked: dict[int, tuple[Bubblewrap | None, str]] = {}


def find() -> tuple[Bubblewrap | None, str]:
    """What `look` found when this process first asked; a machine that was only too busy to tell is asked again."""
    process = os.getpid()
    if process not in _looked:
        found = look()
        if found[0] is None and _LATE in found[1]:
            return found
        _looked[process] = found
    return _looked[process]


def look() -> tuple[Bubblewrap | None, str]:
    """The engine, or None, and what stands in its way or whom it runs as, in words; tried with a program, not guessed."""
    tools = {name: shutil.which(name) for name in ("bwrap", "prlimit")}
    for name, path in tools.items():
        if path is None:
            return None, f"{name} not found"
    if lacking := seccomp.missing():
        return None, lacking
    reasons = []
    python, prefix = (str(Path(path).resolve()) for path in (sys.executable, sys.base_prefix))
    users: list[int | None] = [_NOBODY, None] if os.geteuid() == 0 and _readable_by_others(Path(prefix)) else [None]
    for user in users:
        engine = Bubblewrap(str(tools["bwrap"]), str(tools["prlimit"]), python, prefix, user)
        try:
            outcome = engine.run(_PROBE, limits=Limits(seconds=10.0, output_bytes=200, file_bytes=0), value=False)
        except Refused as error:
            reasons.append(str(error))
            continue
        if outcome.status == "ok" and outcome.stdout == "42\n":
            return engine, f"{engine.program}, as user {os.geteuid() if user is None else user}, system calls filtered"
        reasons.append(f"a trial run failed: {outcome.reason or outcome.stdout!r}")
    return None, "; ".join(dict.fromkeys(reasons)) + _hint()


def _outcome(one: Contained, ending: Ending, limits: Limits) -> Outcome:
    said, complaint = one.text("stdout"), one.text("stderr")
    if ending == "timeout":
        return Outcome(
            "timeout", said, complaint, engine="bubblewrap", reason=f"TimeoutError: the program did not end within {limits.seconds:g} s"
        )
    if ending == "output":
        reason = f"OutputLimit: the program printed more than {limits.output_bytes} bytes"
        return Outcome("output", said, complaint, engine="bubblewrap", reason=reason)
    if ending == "files":
        return Outcome("error", said, complaint, engine="bubblewrap", reason=f"FileLimit: the program made more than {MAX_FILES} files")
    if ending == "stopped":
        return Outcome("timeout", said, complaint, engine="bubblewrap", reason="Cancelled: nobody waits for the program any more")
    if code := one.exit_code():
        reason = _last_line(complaint) or f"Crash: the program ended with code {code}"
        return Outcome("memory" if reason.startswith("MemoryError") else "error", said, complaint, engine="bubblewrap", reason=reason)
    return Outcome("ok", said, complaint, _value(one.reported), engine="bubblewrap")


def _value(reported: bytes) -> object:
    if not reported:
        return None
    try:
        return loads(reported.decode())
    except (NotPlain, UnicodeDecodeError):  # the program wrote to the channel itself: its own value, its own loss
        return None


def _last_line(complaint: str) -> str:
    lines = complaint.strip().splitlines()
    return lines[-1][:300] if lines else ""


def _readable_by_others(folder: Path) -> bool:
    """Whether any user may read this folder, as far as the permission bits say."""
    needed = stat.S_IROTH | stat.S_IXOTH
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in folder.parents) and folder.stat().st_mode & needed == needed


def _hint() -> str:
    """Which switch of this machine forbids it, where that can be seen."""
    switches = {
        "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sysctl kernel.unprivileged_userns_clone=1"),
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": ("1", "an AppArmor profile that allows bwrap user namespaces"),
        "/proc/sys/user/max_user_namespaces": ("0", "sysctl user.max_user_namespaces=10000"),
    }
    for path, (forbids, remedy) in switches.items():
        if Path(path).exists() and Path(path).read_text(encoding="ascii").strip() == forbids:
            return f" ({path} is {forbids}; needed: {remedy})"
    return ""
