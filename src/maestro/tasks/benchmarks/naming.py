"""From `chartqa`, `chartqa:FOLDER` or `chartqa:FOLDER?option=value` to the benchmark on this machine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from maestro.errors import TaskError, not_found
from maestro.tasks.benchmarks.benchmark import Benchmark
from maestro.tasks.benchmarks.catalogue import BENCHMARKS
from maestro.tasks.benchmarks.revision import require_revision
from maestro.tasks.benchmarks.source import BenchmarkSource

HOME = "MAESTRO_BENCHMARKS"
"""Environment variable with the folder that holds a folder a benchmark."""
OPTIONS = ("profile", "revision")


@dataclass(frozen=True)
class Named:
    """What a user asked for."""

    benchmark: Benchmark
    path: Path | None = None
    """Folder or file; None for the usual place."""
    profile: str | None = None
    revision: str | None = None


def read_name(name: str) -> Named | None:
    """What a name means, None when it begins with no benchmark's. Raises TaskError for an option that does not exist."""
    written, _, options = name.partition("?")
    known, colon, path = written.partition(":")
    if known not in BENCHMARKS:
        return None
    if colon and not path:
        raise TaskError(f"{name!r} names no folder behind the colon: {known}:FOLDER, or {known} alone for the usual place.")
    chosen = dict(parse_qsl(options, keep_blank_values=True))
    for option, value in chosen.items():
        if option not in OPTIONS or not value:
            raise TaskError(not_found(f"option (of {known}?OPTION=VALUE)", f"{option}={value}", OPTIONS))
    return Named(BENCHMARKS[known], Path(path).expanduser() if path else None, chosen.get("profile"), chosen.get("revision"))


def benchmark_source(name: str) -> BenchmarkSource | None:
    """The source of a name, None when it begins with no benchmark's.

    Nothing is downloaded. Raises TaskError saying how to get the data when they are not here, or when they are of another revision.
    """
    if (named := read_name(name)) is None:
        return None
    path = named.path or usual_place(named.benchmark)
    if named.path is None and not path.is_dir():
        raise TaskError(_absent(named.benchmark, path))
    if named.revision is not None:
        require_revision(named.benchmark, path, named.revision)
    return BenchmarkSource(named.benchmark, path, name, profile=named.profile)


def usual_place(benchmark: Benchmark) -> Path:
    """Where a benchmark lies that was downloaded without naming a folder."""
    if home := os.environ.get(HOME):
        return Path(home).expanduser() / benchmark.name
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "maestro" / "benchmarks" / benchmark.name


def unknown_benchmark(name: str) -> str:
    """The message for a name with a colon whose first part is no benchmark."""
    return not_found("benchmark", name.partition(":")[0], BENCHMARKS, "Before a colon stands a benchmark: chartqa:FOLDER.")


def _absent(benchmark: Benchmark, path: Path) -> str:
    """What to do when the data are not on this machine."""
    only = "".join(f" --include '{pattern}'" for pattern in benchmark.hub.files)
    pinned = f" --revision {benchmark.hub.revision}" if benchmark.hub.revision else ""
    fetch = f"hf download {benchmark.hub.dataset} --repo-type dataset{pinned}{only} --local-dir {benchmark.name}"
    return (
        f"the data of {benchmark.title} are not on this machine; looked in {path}.\n"
        f"  with internet:  maestro tasks download {benchmark.name}\n"
        f"  without:        on another machine: {fetch}\n"
        f"                  then copy that folder here and name it: --tasks {benchmark.name}:FOLDER"
    )
