"""Attempts to get out and to use things up. What counts is what the outside saw, not what the program says happened to it."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time

import pytest

from maestro.sandbox import Limits, seccomp
from tests.sandbox.attempts import DISK, ENVIRONMENT, EXHAUSTION, FILES, NETWORK, PROCESSES, C

LIMITS = Limits(seconds=1.0, memory_mib=128, output_bytes=4000, file_bytes=1 << 20)
OVERHEAD_KIB = 40_000
"""What an interpreter takes before it runs anything, monty's worker included."""


@pytest.mark.parametrize("attempt", [*FILES, *NETWORK, *ENVIRONMENT, *PROCESSES])
def test_nothing_gets_out(alone, outside, attempt):
    source = {**FILES, **NETWORK, **ENVIRONMENT, **PROCESSES}[attempt]
    outcome = alone(outside.fill(source), limits=LIMITS)
    assert outside.damage(outcome.stdout, outcome.stderr, outcome.value) == []
    assert "GOT" not in outcome.stdout
    assert outcome.status != "timeout"


@pytest.mark.parametrize("attempt", [*EXHAUSTION, *DISK])
def test_nothing_is_used_up(alone, outside, attempt):
    limits = Limits(seconds=0.25, memory_mib=128, output_bytes=4000, file_bytes=1 << 20)
    free = shutil.disk_usage("/tmp").free
    started = time.monotonic()
    with outside.watching():
        outcome = alone({**EXHAUSTION, **DISK}[attempt], limits=limits)
    assert time.monotonic() - started < 20  # not a measurement: the attempts themselves would take minutes or for ever
    assert outside.damage() == []
    assert len(outcome.stdout.encode()) <= 4000
    assert len(outcome.stderr) <= 8000  # monty's traceback comes after what the program wrote
    assert outside.peak_kib < 128 * 1024 + OVERHEAD_KIB
    assert outside.peak_processes <= 4  # bubblewrap twice, the interpreter, monty's worker
    assert free - shutil.disk_usage("/tmp").free < 1 << 30
    assert outcome.status != "ok" or attempt in {"backtracking", "deep nesting", "a value without end", "a large value", "a long sum"}


SEEN = """
    read a file of the host, write a file of the host, overwrite a file of the host, remove a file of the host, change a mode,
    connect to the host, send a datagram, a socket in the file system, an abstract socket, read a variable, read them in memory,
    one inherited descriptor, evaluate, run a program, a shell, become a shell, kill another
"""


@pytest.mark.parametrize("attempt", [" ".join(name.split()) for name in SEEN.split(",")])
def test_without_a_sandbox_the_outside_would_have_seen_it(outside, attempt):
    source = outside.fill({**FILES, **NETWORK, **ENVIRONMENT, **PROCESSES}[attempt])
    with tempfile.TemporaryFile() as said:
        bare = subprocess.Popen([sys.executable, "-c", source], stdout=said, stderr=said, close_fds=False)
        bare.wait()
        said.seek(0)
        text = said.read().decode()
        until = time.monotonic() + 10  # on a busy machine a killed process takes its time to go
        while not (seen := outside.damage(text)) and time.monotonic() < until:
            time.sleep(0.05)
        assert seen


@pytest.mark.parametrize("attempt", ["fork", "fork and stay", "spawn", "fork bomb", "threads", "kill everybody", "run a program"])
def test_where_several_processes_are_allowed_they_are_counted_and_end_with_the_program(as_nobody, outside, attempt):
    source = outside.fill({**PROCESSES, **EXHAUSTION}[attempt])
    with outside.watching():
        as_nobody.run(source, limits=Limits(seconds=0.5, processes=4))
    assert outside.damage() == []
    assert outside.peak_processes <= 6  # those four, bubblewrap, monty's worker


def test_an_interpreter_is_as_good_as_new_after_an_attempt(alone):
    alone("import builtins, sys\nbuiltins.print = None\nsys.modules.clear()", limits=LIMITS)
    alone("print = None\nx = 5", limits=LIMITS)
    assert alone("print(6 * 7)", limits=LIMITS).stdout == "42\n"
    assert alone("print('x' in dir() or x)", limits=LIMITS).status != "ok"


def test_what_one_program_leaves_in_tmp_is_gone_for_the_next(engine):
    assert engine.run("open('/tmp/left', 'w').write('x')").status == "ok"
    assert engine.run("import os\nprint(os.listdir('/tmp'))").stdout == "[]\n"


def test_without_files_there_is_no_tmp(engine):
    outcome = engine.run("import os\nprint(sorted(os.listdir('/')))\nopen('/tmp/x', 'w')", limits=Limits(file_bytes=0))
    assert "'tmp'" not in outcome.stdout
    assert outcome.reason.startswith("FileNotFoundError")


NEVER = """
failed = []
for name, number in {numbers!r}.items():
    ctypes.set_errno(0)
    if c.syscall(number, -1, -1, -1, -1, -1, -1) != -1 or ctypes.get_errno() != {eperm}:
        failed.append((name, ctypes.get_errno()))
print(failed)
"""


@pytest.mark.parametrize("starting", [False, True])
def test_calls_that_are_never_allowed_fail_one_by_one(engine, as_nobody, starting):
    pyseccomp = pytest.importorskip("pyseccomp")
    allowed = f"{seccomp.READING} {seccomp.WRITING} {seccomp.ITSELF} {seccomp.STARTING}".split()
    assert set(allowed) & set(seccomp.NEVER) == set()
    assert len(allowed) == len(set(allowed))
    numbers = {name: pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) for name in seccomp.NEVER}
    known = {name: number for name, number in numbers.items() if number >= 0}
    assert len(known) > 50
    if starting:
        del known["clone3"]  # answered with ENOSYS there, so that the C library takes clone
    limits = Limits(processes=4 if starting else 1)
    outcome = (as_nobody if starting else engine).run(C + NEVER.format(numbers=known, eperm=errno.EPERM), limits=limits)
    assert (outcome.status, outcome.stdout) == ("ok", "[]\n")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the other ABIs are those of x86-64")
@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        ("32-bit", "b8140000 00cd80c3".replace(" ", "")),  # mov eax, 20 (getpid); int 0x80; ret
        ("x32", "b827000040 0f05c3".replace(" ", "")),  # mov eax, 0x40000027 (getpid of x32); syscall; ret
    ],
)
def test_calls_through_another_abi_kill(engine, attempt, code):
    machine = (
        "import ctypes, mmap\n"
        "m = mmap.mmap(-1, 4096, prot=7)\n"
        f"m.write(bytes.fromhex('{code}'))\n"
        "f = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(m)))\n"
        "print('before', flush=True)\n"
        "print('GOT', f())"
    )
    outcome = engine.run(machine)
    assert outcome.stdout == "before\n", attempt
    assert outcome.reason == "Crash: the program ended with code 159"  # SIGSYS


def test_the_number_of_files_is_bounded(engine):
    endless = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1"
    outcome = engine.run(endless, limits=Limits(seconds=20.0))
    assert (outcome.status, outcome.reason) == ("error", "FileLimit: the program made more than 4096 files")


def test_a_flood_of_output_does_not_hide_a_flood_of_files(engine):
    endless = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1\n    print(n, flush=True)"
    outcome = engine.run(endless, limits=Limits(seconds=20.0, output_bytes=1 << 24))
    assert outcome.reason == "FileLimit: the program made more than 4096 files"


def test_a_flood_below_the_limit_does_not_stop_the_clock(engine):
    outcome = engine.run("while True: print('x', flush=True)", limits=Limits(seconds=0.3, output_bytes=1 << 24))
    assert outcome.status == "timeout"
