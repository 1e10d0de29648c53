"""How long `maestro --help` takes beside an empty Python process: milliseconds of wall clock, in turns."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from maestro.bench.measurement import Bar, Measurement


def measure(rounds: int = 15) -> list[Measurement]:
    """One measurement."""
    program = Path(sysconfig.get_path("scripts")) / "maestro"
    shown = [str(program)] if program.exists() else [sys.executable, "-m", "maestro.cli.main"]
    commands = {"maestro --help": [*shown, "--help"], "empty python": [sys.executable, "-c", "pass"]}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (our own program)
            times[name].append(1e3 * (time.perf_counter() - started))
    (name, figures), (beside, others) = times.items()
    return [Measurement.of(name, "ms", figures, beside, others, Bar(150, least=False))]
