"""Kill a training at random moments, resume it each time, and compare what it ends with to a run that was left alone.

    python recipes/kill_and_resume.py recipes/small.yaml OUT [--kills 20] [--seed 1]

Each life of the process ends by SIGKILL at a moment drawn evenly over the time that the uninterrupted run took, start-up included; a run
that gets to its end is compared, and another one begins until there were as many kills as asked for.
Compared are the final weights, byte for byte, and the records of metrics.jsonl and episodes.jsonl but for the times in them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

JOURNALS = ("metrics.jsonl", "episodes.jsonl")
TIMES = ("seconds", "step_seconds", "latency_seconds", "started", "at")


def command(config: Path, run: Path) -> list[str]:
    """A fresh run, or one taken up where there is something to take up."""
    maestro = [sys.executable, "-m", "maestro", "train"]
    if (run / "config.yaml").exists():
        return [*maestro, "--resume", str(run)]
    return [*maestro, str(config), "--run", str(run)]


def live(config: Path, run: Path, seconds: float | None, log: Path) -> bool:
    """One life; True when it came to its end by itself."""
    with log.open("ab") as file:
        process = subprocess.Popen(command(config, run), stdout=file, stderr=file)  # noqa: S603 (our own command line)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
    if code:
        raise SystemExit(f"training failed with exit status {code}; see {log}")
    return True


def weights(run: Path) -> str:
    """Digest of the final weights."""
    return hashlib.sha256((run / "policy" / "model.safetensors").read_bytes()).hexdigest()


def records(path: Path) -> list[Any]:
    """The lines of a journal without times. A line that is no whole record raises ValueError."""
    return [_timeless(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _timeless(part) for name, part in value.items() if not name.endswith(TIMES)}
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    whole, log = given.out / "whole", given.out / "log.txt"
    started = time.monotonic()
    live(given.config, whole, None, log)
    took = time.monotonic() - started
    print(f"uninterrupted: {took:.0f} s, weights {weights(whole)[:12]}", flush=True)
    rng, kills, runs, same = random.Random(given.seed), 0, 0, 0
    while kills < given.kills:
        broken, runs = given.out / f"broken-{runs + 1}", runs + 1
        while not live(given.config, broken, rng.uniform(0, took), log):
            kills += 1
        equal = weights(broken) == weights(whole) and all(records(broken / name) == records(whole / name) for name in JOURNALS)
        same += equal
        print(f"run {runs}: {kills} kills so far, {'ended the same' if equal else 'DIFFERS'}", flush=True)
    print(f"killed {kills} times in {runs} runs: {same} ended with the same weights and records")
    raise SystemExit(0 if same == runs else 1)


if __name__ == "__main__":
    main()
