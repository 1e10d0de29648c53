"""Fetching a benchmark from the Hugging Face Hub: only when asked to, at one commit, which is written beside the files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from maestro.errors import MissingDependency, TaskError
from maestro.tasks.benchmarks.benchmark import Benchmark
from maestro.tasks.benchmarks.revision import Downloaded, read_record, told_pinning, write_record


@dataclass(frozen=True)
class Plan:
    """What a download would fetch."""

    benchmark: Benchmark
    dataset: str
    commit: str
    files: tuple[str, ...]
    gigabytes: float
    """Sum of the files' sizes as the Hub states them, in 10^9 bytes."""

    @property
    def pinning(self) -> str:
        """What the commit is to the pinned one, for people."""
        return told_pinning(self.benchmark, self.dataset, self.commit)


def plan_download(benchmark: Benchmark, dataset: str | None = None, revision: str | None = None) -> Plan:
    """Ask the Hub which commit a revision is and which files it has; without one the pinned commit is asked for, else the newest.

    Raises TaskError, MissingDependency.
    """
    hub, chosen = _hub(), dataset or benchmark.hub.dataset
    with _told(benchmark, chosen, revision):
        about: Any = hub.HfApi().dataset_info(chosen, revision=revision or benchmark.hub.pin(chosen), files_metadata=True)
    wanted = [file for file in about.siblings or () if _wanted(benchmark, chosen, file.rfilename)]
    if not wanted:
        raise TaskError(f"{chosen} at {about.sha} has no file of {benchmark.title}; looked for {', '.join(_patterns(benchmark, chosen))}.")
    size = sum(file.size or 0 for file in wanted) / 1e9
    return Plan(benchmark, chosen, str(about.sha), tuple(file.rfilename for file in wanted), size)


def download(plan: Plan, folder: Path) -> Downloaded:
    """Fetch the files of a plan into a folder, unpack archives of pictures, and note the commit there.

    What an interrupted download fetched already is kept and not fetched again. Raises TaskError when the folder holds another commit.
    """
    hub = _hub()
    before = read_record(folder)
    if before is not None and before.commit != plan.commit:
        raise TaskError(
            f"{folder} holds the revision {before.commit} of {before.dataset}, and {plan.commit} was to be fetched; remove the folder, "
            f"name another one with --out, or keep to what is there with --revision {before.commit}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with _told(plan.benchmark, plan.dataset, plan.commit):
        hub.snapshot_download(plan.dataset, repo_type="dataset", revision=plan.commit, local_dir=folder, allow_patterns=list(plan.files))
    for archive in plan.benchmark.packed:
        if (folder / archive).is_file():
            _unpack(folder / archive, folder)
    return write_record(folder, plan.benchmark, plan.dataset, plan.commit)


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file beside itself; names that lead elsewhere are made to lie inside by zipfile."""
    try:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
    except zipfile.BadZipFile as error:
        raise TaskError(f"{archive} is damaged ({error}); remove it and download again.") from error


def _patterns(benchmark: Benchmark, dataset: str) -> tuple[str, ...]:
    """Patterns of the files to fetch; of a mirror, whose folders may be called otherwise, everything."""
    return benchmark.hub.files if dataset == benchmark.hub.dataset and benchmark.hub.files else ("*",)


def _wanted(benchmark: Benchmark, dataset: str, file: str) -> bool:
    return not file.startswith(".") and any(fnmatch(file, pattern) for pattern in _patterns(benchmark, dataset))


def _hub() -> Any:
    """The client library. Raises MissingDependency."""
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        message = "downloading needs huggingface_hub; install it with: pip install 'maestro-orchestrator[hub]'"
        raise MissingDependency(message) from error
    return huggingface_hub


@contextmanager
def _told(benchmark: Benchmark, dataset: str, revision: str | None) -> Iterator[None]:
    """What the Hub or the network says, as a TaskError with what to do; `revision` is the one that was asked for, if any."""
    import httpx
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        yield
    except GatedRepoError as error:
        raise TaskError(f"{dataset} is gated: accept its terms on the Hub, then log in with: hf auth login") from error
    except RevisionNotFoundError as error:
        pin = benchmark.hub.pin(dataset)
        missing = f"revision {revision}" if revision or not pin else f"commit {pin}, which it is pinned to here"
        raise TaskError(f"{dataset} has no {missing}; name a commit, tag or branch with --revision, such as --revision main") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        mirrors = "".join(f" {name}" for name in benchmark.hub.mirrors)
        known = f" Known ones for {benchmark.title}: {benchmark.hub.dataset}{mirrors}."
        raise TaskError(f"the Hub has no data set {dataset}, or you may not see it. Name another with --dataset.{known}") from error
    except (httpx.HTTPError, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(". ") if str(error) else type(error).__name__
        raise TaskError(
            f"{dataset} could not be fetched: {reason}. What was fetched already is kept; try again, or without internet copy the files "
            f"here and name their folder: --tasks {benchmark.name}:FOLDER"
        ) from error
