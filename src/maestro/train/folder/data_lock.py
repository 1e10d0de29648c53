"""What a run learns from, as digests: questions with their pictures, and recorded replies, which an unchanged config may find exchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from maestro.rollout.manifest import read_manifest
from maestro.rollout.tables import table_path
from maestro.train.config.run import EnsembleConfig
from maestro.types import Task

NAME = "data.lock"


def tasks_digest(tasks: Iterable[Task]) -> str:
    """Of tasks in their order; a picture counts by its content."""
    found = hashlib.sha256()
    for task in tasks:
        found.update(task.model_dump_json().encode() + b"\n")
    return found.hexdigest()


def store_digest(config: EnsembleConfig) -> str | None:
    """Of what recorded replies are read from; None where there are none, or where the run itself adds to them.

    Raises StoreError for a folder that holds no tables, OSError for a file that is not there.
    """
    store = config.store
    if store is None:
        return None
    if store.is_dir():
        return _files_digest([table_path(store, split) for split in read_manifest(store).splits])
    return _files_digest([store]) if config.mode == "replay" else None


def _files_digest(paths: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            found.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return found.hexdigest()
