"""CPython in a sandbox: bubblewrap namespaces, a seccomp allow-list and resource limits around a fresh interpreter.

Inside there is the interpreter and /usr, read-only, and nothing else: no home, no /proc, no /dev, no network, no writable
file, an empty environment; no process or thread can be started. Every limit is set before the interpreter starts.
"""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_SYSCALLS = """
    brk mmap munmap mremap mprotect madvise rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall exit exit_group
    read readv pread64 write writev open openat close close_range lseek stat lstat fstat newfstatat statx access faccessat faccessat2
    readlink readlinkat getdents64 getcwd dup dup2 dup3 fcntl poll ppoll select pselect6
    execve arch_prctl set_tid_address set_robust_list rseq futex getpid getppid gettid getuid geteuid getgid getegid getgroups uname
    sysinfo sched_getaffinity sched_yield getrandom getrusage times time gettimeofday clock_gettime clock_getres clock_nanosleep
    nanosleep wait4 waitid
"""
"""Memory, own signals and exit; files, which are all read-only; what the C library and the interpreter ask of themselves; and
the two that bubblewrap's own init waits with. No other process, socket, mount, trace, limit or terminal."""
_TERMINAL_REQUESTS = (0x5401, 0x5451, 0x5450)  # TCGETS, FIOCLEX, FIONCLEX: asking and close-on-exec, nothing that acts on a terminal
_LINKS = ("/bin", "/sbin", "/lib", "/lib64")


@dataclass(frozen=True)
class Run:
    """What a program printed and how it ended."""

    output: str
    error: str | None = None
    """`Type: message`, or None when it ended well."""
    truncated: bool = False


def missing_parts() -> str:
    """What stands in the way of this sandbox, in words; empty when it works here (tried, not guessed)."""
    for tool in ("bwrap", "prlimit"):
        if shutil.which(tool) is None:
            return f"the program {tool} is not installed"
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        return f"pyseccomp does not work here ({error})"
    probe = BubblewrapSandbox(10.0, 256, 200).run("print(6 * 7)")
    return "" if probe.output == "42\n" else f"a trial run failed ({probe.error or probe.output!r})"


class BubblewrapSandbox:
    """Runs programs one at a time, each in a sandbox of its own."""

    def __init__(self, seconds: float, memory_mb: int, output_characters: int) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._output_bytes = output_characters
        self._filter = _seccomp_program()

    def run(self, code: str) -> Run:
        """Run one program to its end or to a limit."""
        if "\0" in code:
            return Run("", "SyntaxError: source code cannot contain null bytes")
        with tempfile.TemporaryFile() as rules:
            rules.write(self._filter)
            rules.seek(0)
            process = subprocess.Popen(  # noqa: S603  the program is data: an argument of the sandboxed interpreter
                self._command(rules.fileno(), code.encode("utf-8", "replace").decode()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(rules.fileno(),),
                env={},
                start_new_session=True,
            )
        with process:
            output, complaint, ending = self._collect(process)
        text = output.decode(errors="replace")
        if ending is not None:
            return Run(text, ending, truncated=len(output) >= self._output_bytes)
        if process.returncode != 0:
            return Run(text, _last_line(complaint) or f"Crash: the program ended with code {process.returncode}")
        return Run(text)

    def _command(self, rules: int, code: str) -> list[str]:
        prefix = str(Path(sys.base_prefix).resolve())
        python = str(Path(sys.executable).resolve())
        command = [str(shutil.which("prlimit")), f"--as={self._memory_mb << 20}", f"--cpu={int(self._seconds) + 1}", "--core=0"]
        command += ["--fsize=0", "--nofile=32", "--"]
        command += [str(shutil.which("bwrap")), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
        command += ["--hostname", "sandbox", "--ro-bind", "/usr", "/usr"]
        for link in _LINKS:
            if Path(link).is_symlink():
                command += ["--symlink", str(Path(link).readlink()), link]
            elif Path(link).is_dir():
                command += ["--ro-bind", link, link]
        for needed in (prefix, str(Path(python).parent)):
            if not needed.startswith("/usr/"):
                command += ["--ro-bind", needed, needed]
        command += ["--remount-ro", "/", "--chdir", "/", "--setenv", "PYTHONHASHSEED", "0", "--seccomp", str(rules), "--"]
        return [*command, python, "-s", "-S", "-P", "-B", "-X", "utf8", "-c", code]

    def _collect(self, process: subprocess.Popen[bytes]) -> tuple[bytes, bytes, str | None]:
        """Output, complaints and, when a limit was met, which: reads both until the end, the time or the output limit."""
        assert process.stdout is not None
        assert process.stderr is not None
        kept: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
        ending = None
        deadline = time.monotonic() + self._seconds
        with selectors.DefaultSelector() as selector:
            for stream in kept:
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map() and ending is None:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    ending = f"TimeoutError: the program did not end within {self._seconds:g} s"
                for key, _ in ready:
                    data = os.read(key.fd, 65536)
                    kept[key.fileobj] += data  # type: ignore[index]
                    if not data:
                        selector.unregister(key.fileobj)
                    elif len(kept[key.fileobj]) > self._output_bytes:  # type: ignore[index]
                        ending = f"OutputLimit: the program printed more than {self._output_bytes} bytes"
        try:
            process.wait(max(0.01, deadline - time.monotonic()) if ending is None else 0)  # it may have closed its outputs and gone on
        except subprocess.TimeoutExpired:
            ending = ending or f"TimeoutError: the program did not end within {self._seconds:g} s"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return bytes(kept[process.stdout][: self._output_bytes]), bytes(kept[process.stderr]), ending


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _seccomp_program() -> bytes:
    """The allow-list as a BPF program; everything else fails with EPERM."""
    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(1))
    for name in _SYSCALLS.split():
        try:
            number = pyseccomp.resolve_syscall(pyseccomp.system_arch(), name)
        except (OSError, ValueError):  # this architecture has no such call
            continue
        if number >= 0:
            rules.add_rule(pyseccomp.ALLOW, name)
    # Limits may be read, not set; a terminal may be asked for, not driven.
    rules.add_rule(pyseccomp.ALLOW, "prlimit64", pyseccomp.Arg(2, pyseccomp.EQ, 0))
    for request in _TERMINAL_REQUESTS:
        rules.add_rule(pyseccomp.ALLOW, "ioctl", pyseccomp.Arg(1, pyseccomp.EQ, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
