"""Which revision of a data set a folder holds, as the download wrote it there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from maestro.errors import TaskError
from maestro.tasks.benchmarks.benchmark import Benchmark

RECORD = "maestro-download.json"
UNPINNED = "unpinned: the commit that is downloaded is written beside the data"


class Downloaded(BaseModel):
    """The record of a download."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    dataset: str
    """`organisation/name` on the Hub."""
    commit: str
    """The full commit that the files are of."""
    date: str
    """When it was downloaded, as ISO 8601 in UTC."""


def write_record(folder: Path, benchmark: Benchmark, dataset: str, commit: str) -> Downloaded:
    """Note in the folder what it holds."""
    record = Downloaded(benchmark=benchmark.name, dataset=dataset, commit=commit, date=datetime.now(UTC).isoformat(timespec="seconds"))
    (folder / RECORD).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return record


def read_record(folder: Path) -> Downloaded | None:
    """What a folder says it holds; None when it says nothing. Raises TaskError for a damaged record."""
    file = folder / RECORD
    if not file.is_file():
        return None
    try:
        return Downloaded.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise TaskError(f"{file} is damaged; download the data again, or remove it. {error.errors()[0]['msg']}.") from error


def told_pinning(benchmark: Benchmark, dataset: str, commit: str) -> str:
    """What a commit of a data set is to the pinned one, in a few words."""
    pin = benchmark.hub.pin(dataset)
    if pin is None:
        return UNPINNED
    return "the pinned commit" if commit == pin else f"not the pinned commit, which is {pin}"


def require_revision(benchmark: Benchmark, path: Path, revision: str) -> None:
    """Raise TaskError unless the folder says that it holds this revision (a commit, or the beginning of one)."""
    record = read_record(path if path.is_dir() else path.parent)
    again = f"Download it: maestro tasks download {benchmark.name} --revision {revision}"
    if record is None:
        raise TaskError(f"{path} does not say which revision it holds (no {RECORD}), and {revision} is asked for. {again}")
    if not record.commit.startswith(revision):
        raise TaskError(f"{path} holds the revision {record.commit} of {record.dataset}, not {revision}. {again}")
