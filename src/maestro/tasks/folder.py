"""A task source that is a folder: one with a `tasks.jsonl`, or one with a file a split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from maestro.errors import TaskError, not_found
from maestro.images import ImageStore
from maestro.tasks.file import FileSource, Rows
from maestro.tasks.jsonl import JsonlRows
from maestro.tasks.parquet import ParquetRows
from maestro.tasks.recorded_folder import OUTCOMES_FILE, TASKS_FILE, RecordedFolder
from maestro.types import Task

ENDINGS: dict[str, Callable[[Path], Rows]] = {".parquet": ParquetRows, ".jsonl": JsonlRows}
"""Files of tasks by their ending."""


class SplitFiles:
    """A folder in which every split is in files of its own."""

    def __init__(self, folder: Path, name: str, files: dict[str, FileSource]) -> None:
        """`files` by split."""
        self.name = name
        self.path = folder
        self.splits = tuple(files)
        self._files = files

    @cached_property
    def content_digest(self) -> str:
        """SHA-256 over the files."""
        text = "".join(f"{split}:{source.content_digest};" for split, source in self._files.items())
        return hashlib.sha256(text.encode()).hexdigest()

    def count(self, split: str, limit: int | None) -> int:
        """How many tasks `load` gives."""
        return self.file(split).count(split, limit)

    def load(self, split: str, limit: int | None, images: ImageStore, progress: Callable[[int], None] | None = None) -> list[Task]:
        """The first `limit` tasks of a split; see FileSource."""
        return self.file(split).load(split, limit, images, progress)

    def find(self, task_id: str, images: ImageStore) -> Task | None:
        """The task with this id; see FileSource."""
        found = (source.find(task_id, images) for source in self._files.values())
        return next((task for task in found if task is not None), None)

    def of_category(self, split: str, category: str, limit: int, images: ImageStore) -> list[Task]:
        """The first `limit` tasks of a category; see FileSource."""
        return self.file(split).of_category(split, category, limit, images)

    def file(self, split: str) -> FileSource:
        """The source of one split. Raises TaskError when there is none."""
        if split not in self._files:
            raise TaskError(f"{self.name}: " + not_found("split", split, self.splits))
        return self._files[split]


def folder_source(folder: Path, name: str) -> FileSource | SplitFiles:
    """The tasks in a folder. Raises TaskError when there are none."""
    if (folder / TASKS_FILE).is_file():
        plain = FileSource(JsonlRows(folder / TASKS_FILE), name)
        return RecordedFolder(folder, name) if plain.format.name == "recorded" else plain
    paths = [path for path in sorted(folder.iterdir()) if path.suffix in ENDINGS and path.name != OUTCOMES_FILE]
    files: dict[str, Path] = {}
    for path in paths:
        if path.stem in files:
            raise TaskError(f"{folder} has two files for the split {path.stem!r}: {files[path.stem].name} and {path.name}. Keep one.")
        files[path.stem] = path
    if not files:
        raise TaskError(f"the folder {folder} has no tasks: neither a {TASKS_FILE} nor files ending in {' or '.join(ENDINGS)}.")
    sources = {split: FileSource(ENDINGS[path.suffix](path), f"{name}/{path.name}", split) for split, path in files.items()}
    return SplitFiles(folder, name, sources)
