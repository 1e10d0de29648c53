"""Small in-process experts for the tests of local workers; workers inherit the path they are on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np


class Echo:
    def __init__(self, greeting="hello"):
        self.greeting = greeting
        self.calls = 0

    def do_echo(self, images, text=""):
        self.calls += 1
        images = [image.__iadd__(0) for image in images]  # writable
        return {
            "text": f"{self.greeting} {text}",
            "shapes": [list(image.shape) for image in images],
            "means": [image.mean(axis=(0, 1)) for image in images],
            "pid": os.getpid(),
            "calls": self.calls,
        }

    def do_numpy(self, images):
        return {"a": np.float64(1.5), "b": np.arange(3), "c": np.int64(7)}

    def do_print(self, images):
        os.write(1, b"noise on descriptor 1\n")
        return "fine"

    def do_environment(self, images):
        return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "PYTHONHASHSEED", "OPENCV_FOR_THREADS_NUM")}

    def do_none(self, images, value=None):
        return value is None

    def do_refuse(self, images):
        raise ValueError("that makes no sense")

    def do_break(self, images):
        raise KeyError("lost")

    def do_leave(self, images):
        sys.exit(3)

    def do_object(self, images):
        return object()

    def do_sleep(self, images, seconds):
        time.sleep(seconds)
        return os.getpid()

    def do_spin(self, images, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        return os.getpid()

    def do_crash(self, images):
        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGSEGV)

    def do_crash_once(self, images, marker):
        if not Path(marker).exists():
            Path(marker).touch()
            os._exit(3)
        return "alive"

    def do_child(self, images, pid_file):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        Path(pid_file).write_text(str(child.pid))
        time.sleep(60)


class NeedsMissing:
    def __init__(self):
        import not_a_real_package  # noqa: F401


class BadOptions:
    def __init__(self, size):
        raise ValueError("size must be positive")


class SlowToBuild:
    """Takes its time before it can be asked."""

    def __init__(self, seconds):
        time.sleep(seconds)

    def do_say(self, images, text=""):
        return text
