"""Every benchmark by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from maestro.bench.measurement import Measurement
from maestro.errors import ConfigError, MissingDependency, not_found


@dataclass(frozen=True)
class Benchmark:
    """A module here with a function `measure() -> list[Measurement]`."""

    summary: str
    extra: str | None = None
    """What has to be installed for it."""


BENCHMARKS = {
    "cli_help": Benchmark("`maestro --help` beside an empty Python process."),
    "loop_overhead": Benchmark("A turn of the episode loop beside a bare await of the same policy and ensemble."),
    "scoring_cases": Benchmark("Cases scored per second by each kind of scorer beside string equality.", extra="eval"),
    "store_replay": Benchmark("Recorded calls from store and pool beside a plain SQLite read of the same rows."),
    "recorded_episodes": Benchmark("Scored episodes on recorded systems beside bare awaits of the same replies.", extra="parquet"),
    "sandbox_runs": Benchmark("A small program in each engine of the sandbox beside a plain Python process.", extra="sandbox"),
    "algebra_jobs": Benchmark("Mathematics scored through the algebra process beside Math-Verify called bare.", extra="eval"),
    "scoring_off_loop": Benchmark("Scoring off the event loop beside a loop that waits for every score.", extra="eval"),
    "served_calls": Benchmark("Calls of a served expert through the pool beside a bare client of the same HTTP library."),
    "served_episodes": Benchmark("1,000 episodes at once over served experts beside a thread pool that encodes for every call."),
    "http_libraries": Benchmark("aiohttp beside httpx2 on calls that carry pictures.", extra="dev"),
    "task_loading": Benchmark("Loading a Parquet file of tasks beside decoding its pictures and nothing else.", extra="parquet"),
    "batched_decisions": Benchmark("Decisions in a micro-batch beside the same decisions one by one.", extra="train"),
    "shared_prefix": Benchmark("A GRPO step whose groups share their prompt beside one that reads it once per member.", extra="train"),
    "grpo_step": Benchmark("A GRPO step on our episodes beside one on TRL's own generation.", extra="train"),
    "memory_plan": Benchmark("Peak memory of a training process beside the plan of its dry run.", extra="train"),
}
"""In the order in which they are run: what imports PyTorch comes last, so that it slows nothing else."""


def benchmark(name: str) -> Benchmark:
    """The benchmark of this name. Raises ConfigError naming what exists."""
    if name not in BENCHMARKS:
        raise ConfigError(not_found("benchmark", name, BENCHMARKS, "See them with: maestro bench --list"))
    return BENCHMARKS[name]


def measure(name: str) -> list[Measurement]:
    """Run one benchmark in this process. Raises ConfigError (no such benchmark) and MissingDependency (its extra)."""
    needed = benchmark(name).extra
    try:
        work: Callable[[], list[Measurement]] = importlib.import_module(f"maestro.bench.{name}").measure
        return work()
    except ModuleNotFoundError as error:
        if needed is None:
            raise
        raise MissingDependency(
            f"the benchmark {name} needs {error.name}; install it with: pip install 'maestro-orchestrator[{needed}]'"
        ) from error
