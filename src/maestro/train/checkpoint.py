"""Checkpoints that survive a kill at any moment.

A checkpoint is a folder in Hugging Face layout (what `LocalPolicy.load` and the Auto classes read) plus `trainer.pt` (state of
optimiser and schedule) and `position.json` (where the run is). It is written under a temporary name, forced to disk and
renamed: a folder with a checkpoint's name is always whole. No random state is kept because none is carried from step to
step: every step draws from generators seeded with (seed, stage, step), see `maestro.train.seeding`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from maestro.errors import CheckpointError

_REPLACED, _DROPPED = ".replaced-", ".dropped-"
"""What the names of folders begin with that are on their way out."""


class Position(BaseModel):
    """Where a run is: enough, with the weights and optimiser, to go on as if nothing had happened."""

    model_config = ConfigDict(extra="forbid")

    version: int = 1
    stage: int = 0
    """Index into the config's stages."""
    step: int = 0
    """Finished optimiser steps of the stage."""
    round: int = 0
    """Finished rounds (expert iteration)."""
    finished: bool = False
    """The stage is done; the next one starts from here."""
    config: str = ""
    """Digest of the config."""
    metrics_bytes: int = 0
    """Length of metrics.jsonl at this point; what was written later is cut off on resume."""
    episodes_bytes: int = 0
    best: float | None = None
    """Best validation utility so far."""
    alarms: dict[str, Any] = Field(default_factory=dict)
    extra: dict[str, Any] = Field(default_factory=dict)
    """What the stage itself needs."""


@dataclass(frozen=True)
class Checkpoint:
    """One whole checkpoint on disk."""

    path: Path
    position: Position

    @property
    def trainer(self) -> Path:
        """File with the state of optimiser and schedule."""
        return self.path / "trainer.pt"


class Checkpoints:
    """The checkpoints of one run: `SS-KKKKKKKK` for stage and step, and `best`."""

    def __init__(self, folder: Path, keep: int = 2, *, writes: bool = True) -> None:
        """With `writes` off nothing is made or cleaned up here; another process does that."""
        self.folder = folder
        self.keep = keep
        if not writes:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for replaced in folder.glob(f"{_REPLACED}*"):
            if not (final := folder / replaced.name.removeprefix(_REPLACED)).exists():
                replaced.rename(final)  # killed between the two renames of `save`
        for leftover in [*folder.glob(".writing-*"), *folder.glob(f"{_REPLACED}*"), *folder.glob(f"{_DROPPED}*")]:
            shutil.rmtree(leftover)

    def save(self, position: Position, write: Callable[[Path], None], name: str | None = None) -> Checkpoint:
        """Write a checkpoint: `write(folder)` puts model and trainer files there; then it appears under its name at once."""
        name = name or f"{position.stage:02d}-{position.step:08d}"
        writing = self.folder / f".writing-{name}"
        shutil.rmtree(writing, ignore_errors=True)
        writing.mkdir()
        write(writing)
        (writing / "position.json").write_bytes(orjson.dumps(position.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
        to_disk(writing)
        final = self.folder / name
        if final.exists():  # a checkpoint of the same name is moved away first: a folder cannot replace a filled one
            old = self.folder / f"{_REPLACED}{name}"
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
            writing.rename(final)
            shutil.rmtree(old)
        else:
            writing.rename(final)
        _sync_folder(self.folder)
        self._prune()
        return Checkpoint(final, position)

    def all(self) -> list[Checkpoint]:
        """Numbered checkpoints, oldest first."""
        if not self.folder.is_dir():
            return []
        names = sorted(path.name for path in self.folder.iterdir() if path.is_dir() and path.name[:1].isdigit())
        return [self._read(self.folder / name) for name in names]

    def latest(self) -> Checkpoint | None:
        """The newest numbered checkpoint."""
        found = self.all()
        return found[-1] if found else None

    def best(self) -> Checkpoint | None:
        """The checkpoint with the best validation utility, if one was kept."""
        path = self.folder / "best"
        return self._read(path) if path.exists() else None

    def _read(self, path: Path) -> Checkpoint:
        try:
            return Checkpoint(path, Position.model_validate(orjson.loads((path / "position.json").read_bytes())))
        except (FileNotFoundError, ValueError) as error:
            raise CheckpointError(f"{path} is not a whole checkpoint ({error}). Remove it to resume from the one before.") from error

    def _prune(self) -> None:
        """Drop all but the newest `keep` checkpoints; the last of each finished stage stays, without its trainer state."""
        found = self.all()
        for checkpoint in found[: -self.keep]:
            if checkpoint.position.finished:
                checkpoint.trainer.unlink(missing_ok=True)
            else:  # under another name first: a kill half-way through must not leave half a folder under a checkpoint's name
                dropped = self.folder / f"{_DROPPED}{checkpoint.path.name}"
                checkpoint.path.rename(dropped)
                shutil.rmtree(dropped)


def to_disk(folder: Path) -> None:
    """Force a folder with everything in it to disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in [*(path for path in folder.rglob("*") if path.is_dir()), folder]:
        _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
