"""How long `maestro --help` takes beside an empty Python process, in turns in one run."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 15
COMMANDS = {"maestro --help": [str(Path(sys.executable).with_name("maestro")), "--help"], "empty python": [sys.executable, "-c", "pass"]}


def main() -> None:
    """Print medians of wall-clock milliseconds and their ratio."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(1e3 * (time.perf_counter() - started))
    shown, bare = (statistics.median(times[name]) for name in COMMANDS)
    print(f"maestro --help {shown:.0f} ms, empty python {bare:.0f} ms, ratio {shown / bare:.1f} (target: under 150 ms on a quiet machine)")


if __name__ == "__main__":
    main()
