"""The sandbox runs programs and contains them; every attempt below ended outside of it or took the machine down if it worked."""

import os
import time
from pathlib import Path

import pytest

from maestro.ensembles.playground.experts.code_sandbox import CodeSandbox
from maestro.errors import MissingDependency
from maestro.sandbox import bubblewrap, monty

pytest.importorskip("pydantic_monty")


@pytest.fixture(scope="module")
def no_bubblewrap():
    found, reason = bubblewrap.find()
    return "" if found else reason


@pytest.fixture(scope="module", params=["monty", "bubblewrap"])
def sandbox(request, no_bubblewrap):
    if request.param == "bubblewrap" and no_bubblewrap:
        pytest.skip(f"no bubblewrap: {no_bubblewrap}")
    return CodeSandbox(seconds=1.0, memory_mb=128, tier=request.param)


@pytest.fixture(scope="module")
def both(no_bubblewrap):
    if no_bubblewrap:
        pytest.skip(f"no bubblewrap: {no_bubblewrap}")
    return CodeSandbox(seconds=1.0)


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("a = 17\nb = a * 3\nprint(b - 4)", "47\n"),
        ("t = 3\nfor i in range(5):\n    t += i\nprint(t)", "13\n"),
        ("w = 'orchard'\nprint(w[1:4], len(w) * 2)", "rch 14\n"),
        ("x = [3, 9, 4]\nprint(sum(x) * 2, max(x), sorted(x))", "32 9 [3, 4, 9]\n"),
        ("a, b = 3, 4\nprint(f'{a / b:.3f}')", "0.750\n"),
        ("def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nprint(f(20))", "2432902008176640000\n"),
        ("import math\nprint(math.sqrt(2))", "1.4142135623730951\n"),
        ("print({n: n * n for n in range(3)})", "{0: 0, 1: 1, 2: 4}\n"),
        ("i = 0\nwhile i < 9:\n    i += 4\nprint(i)\nprint('é', end='')", "12\né"),
        ("pass", ""),
    ],
)
def test_programs(sandbox, code, output):
    reply = sandbox.do_run([], code)
    assert (reply["output"], reply["error"], reply["truncated"]) == (output, None, False)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("print('before')\nprint(1/0)", "ZeroDivisionError"),
        ("print(nothing)", "NameError"),
        ("print(1", "SyntaxError"),
        ("if True:\nprint(1)", "IndentationError"),
        ("[][3]", "IndexError"),
        ("int('x')", "ValueError"),
    ],
)
def test_failures_are_reported(sandbox, code, error):
    reply = sandbox.do_run([], code)
    assert reply["error"].startswith((error, "SyntaxError") if error == "IndentationError" else error)
    assert reply["output"] == ("before\n" if "before" in code else "")


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("def g():\n    yield 4\nprint(list(g()))", "[4]\n"),
        ("class E(Exception):\n    pass\ntry:\n    raise E('q')\nexcept E as e:\n    print('got', e)", "got q\n"),
        ("a = [1, 2]\ndel a[0]\nprint(a)", "[2]\n"),
        ("import statistics\nprint(statistics.median([3, 1, 2]))", "2\n"),
        ("from fractions import Fraction\nprint(Fraction(1, 3) + 1)", "4/3\n"),
    ],
)
def test_what_monty_lacks_runs_in_bubblewrap(both, code, output):
    assert both.do_run([], code) == {"output": output, "error": None, "truncated": False, "tier": "bubblewrap"}
    assert both.do_run([], "print(3)")["tier"] == "monty"


ESCAPES = {
    "read a file": "print('GOT', open('/etc/passwd').read())",
    "read the project": f"print('GOT', open({__file__!r}).read())",
    "list the root": "import os\nprint('GOT' if {'etc', 'proc', 'tmp', 'home', 'dev', 'sys', 'var'} & set(os.listdir('/')) else '')",
    "read the environment": "import os\nprint('GOT' if set(os.environ) - {'PYTHONHASHSEED', 'PWD', 'LC_CTYPE'} else '')",
    "secret in the environment": "import os\nprint('GOT', os.environ['MAESTRO_TEST_SECRET'])",
    "write a file": "open('/escaped', 'w').write('x')\nprint('GOT')",
    "write to usr": "open('/usr/escaped', 'w').write('x')\nprint('GOT')",
    "write to tmp": "open('/tmp/escaped', 'w').write('x')\nprint('GOT')",
    "run a program": "import subprocess\nprint('GOT', subprocess.run(['/bin/ls', '/'], capture_output=True))",
    "system": "import os\nprint('GOT' if os.system('true') == 0 else '')",
    "spawn": "import os\nos.posix_spawn('/bin/true', ['true'], {})\nprint('GOT')",
    "fork": "import os\nos.fork()\nprint('GOT')",
    "thread": "import threading\nt = threading.Thread(target=print)\nt.start()\nprint('GOT')",
    "socket": "import socket\nsocket.socket()\nprint('GOT')",
    "socket pair": "import socket\nsocket.socketpair()\nprint('GOT')",
    "signal the parent": "import os\nos.kill(os.getppid(), 9)\nprint('GOT')",
    "signal everybody": "import os\nos.kill(-1, 9)\nprint('GOT')",
    "raise its limits": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 40, 1 << 40))\nprint('GOT')",
    "read proc": "print('GOT', open('/proc/self/status').read())",
    "change the mode": "import os\nos.chmod('/usr', 0o777)\nprint('GOT')",
    "trace": "import ctypes\nprint('GOT' if ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0 else '')",
    "new namespace": "import ctypes\nprint('GOT' if ctypes.CDLL(None).unshare(0x10000000) == 0 else '')",
    "mount": "import ctypes\nprint('GOT' if ctypes.CDLL(None).mount(b't', b'/', b'tmpfs', 0, None) == 0 else '')",
    "chroot": "import os\nos.chroot('/usr')\nprint('GOT')",
    "keys, bpf, io_uring": (
        "import ctypes\nc = ctypes.CDLL(None)\nprint('GOT' if any(c.syscall(n, 0, 0, 0, 0, 0) >= 0 for n in (248, 250, 321, 425)) else '')"
    ),
    "inherited descriptors": (
        "import os\nfor n in range(3, 32):\n    try:\n        os.fstat(n)\n        print('GOT', n)\n    except OSError:\n        pass"
    ),
    "class walk": "print('GOT', [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Popen'][0])",
    "import by name": "print('GOT', __import__('os').listdir('/etc'))",
    "evaluate": "print('GOT', eval(\"open('/etc/passwd').read()\"))",
}


@pytest.mark.parametrize("attempt", ESCAPES)
def test_escapes_are_contained(sandbox, attempt, monkeypatch):
    monkeypatch.setenv("MAESTRO_TEST_SECRET", "secret")
    reply = sandbox.do_run([], ESCAPES[attempt])
    assert "GOT" not in reply["output"]
    assert not any(Path(path).exists() for path in ("/escaped", "/usr/escaped", "/tmp/escaped"))
    assert sandbox.do_run([], "print(6 * 7)")["output"] == "42\n"


EXHAUSTIONS = {
    "loop": "while True: pass",
    "loop that catches": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "sleep": "import time\ntime.sleep(60)",
    "one large string": "x = 'a' * (1 << 31)\nprint(len(x))",
    "growing list": "x = []\nwhile True: x.append('a' * 100000)",
    "large power": "print(len(str(10 ** 10 ** 8)))",
    "deep recursion": "def f(): return f()\nf()",
    "deep nesting": "x = []\nfor i in range(10 ** 6): x = [x]\nprint(repr(x))",
    "endless output": "while True: print('x' * 1000)",
    "endless errors": "import sys\nwhile True: print('x' * 1000, file=sys.stderr)",
    "closed outputs": "import os\nos.close(1)\nos.close(2)\nwhile True: pass",
    "backtracking": "import re\nprint(re.match(r'(a+)+$', 'a' * 40 + 'b'))",
    "ignored signals": (
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass"
    ),
    "crash": "import ctypes\nctypes.string_at(1)",
    "nested brackets": "(" * 9000 + ")" * 9000,
    "many files": "x = [open('/usr/bin/env', 'rb') for _ in range(10000)]",
}


@pytest.mark.parametrize("attempt", EXHAUSTIONS)
def test_exhaustion_is_stopped(sandbox, attempt):
    started = time.monotonic()
    reply = sandbox.do_run([], EXHAUSTIONS[attempt])
    assert time.monotonic() - started < 15
    assert reply["error"] or attempt in {"backtracking", "deep nesting"}  # monty answers these at once, which is harmless too
    assert len(reply["output"]) <= 4000
    assert sandbox.do_run([], "print(6 * 7)")["output"] == "42\n"


def test_the_output_is_capped(sandbox):
    reply = sandbox.do_run([], "for i in range(3000): print(i)")
    assert reply["truncated"]
    assert len(reply["output"]) <= 4000


def test_replies_are_the_same_every_time(sandbox):
    for code in ("print({'a', 'b', 'c'})", "while True: pass", "x = 'a' * (1 << 31)", "print(hash('a'))"):
        assert sandbox.do_run([], code) == sandbox.do_run([], code)


def test_no_process_is_left(sandbox):
    def children():
        listed = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                listed.append(path.parent.name)
        return listed

    sandbox.do_run([], "print(1)")
    before = children()
    sandbox.do_run([], "while True: pass")
    assert children() == before


def test_what_is_no_program_is_refused(sandbox):
    for code in ("", "  \n", None, "x" * 20_001):
        with pytest.raises(ValueError, match=r"no code|at most"):
            sandbox.do_run([], code)


def test_it_refuses_when_there_is_no_sandbox(monkeypatch):
    monkeypatch.setattr(bubblewrap, "find", lambda: (None, "the program bwrap is not installed"))
    only_monty = CodeSandbox(tier="auto")
    assert only_monty.do_run([], "print(1)")["output"] == "1\n"
    with pytest.raises(MissingDependency, match="bwrap is not installed"):
        only_monty.do_run([], "def g():\n    yield 1\nprint(list(g()))")
    with pytest.raises(MissingDependency, match="no sandbox"):
        CodeSandbox(tier="bubblewrap")
    monkeypatch.setattr(monty, "missing", lambda: "pydantic-monty is not installed")
    with pytest.raises(MissingDependency, match="no sandbox is there to run code in"):
        CodeSandbox()
