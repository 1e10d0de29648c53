"""Checkpoints that survive a kill at any moment.

A checkpoint is a folder in Hugging Face layout (what `LocalPolicy.load` and the Auto classes read) plus `trainer.pt` (state of
optimiser and schedule), `position.json` (where the run is) and `SHA256SUMS` (by which damage is noticed before it is used). It
is written under a temporary name, forced to disk and renamed: a folder with a checkpoint's name is always whole, unless the
disk or somebody damages it later. No random state is kept because none is carried from step to step: every step draws from
generators seeded with (seed, stage, step), see `maestro.train.seeding`.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from maestro.errors import CheckpointError
from maestro.train.folder.digests import damaged_files, write_digests

_log = logging.getLogger(__name__)

_REPLACED, _DROPPED, _DAMAGED = ".replaced-", ".dropped-", ".damaged-"
"""What the names of folders begin with that are on their way out, or are kept for whoever wants to know what happened to them."""


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
    stopped: str | None = None
    """Name of the alarm that ended the run."""
    config: str = ""
    """Digest of the config."""
    metrics_bytes: int = 0
    """Length of metrics.jsonl at this point; what was written later is cut off on resume."""
    episodes_bytes: int = 0
    best: float | None = None
    """Best validation utility so far."""
    best_wellformed: bool = True
    """Whether the policy that had it keeps to the grammar; one that does is better than one that does not."""
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
        try:
            write(writing)
            (writing / "position.json").write_bytes(orjson.dumps(position.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
            write_digests(writing)
            to_disk(writing)
        except Exception:
            shutil.rmtree(writing, ignore_errors=True)  # a half one on a full disk takes the room that others wait for
            raise
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

    def newest_whole(self) -> Checkpoint | None:
        """The newest numbered checkpoint whose files are what was written, checked by their digests; None when there never was one.

        A damaged one is set aside (`.damaged-NAME`) with a warning, and the one before it is taken. Raises CheckpointError when all are.
        """
        names = sorted((path.name for path in self.folder.iterdir() if path.is_dir() and path.name[:1].isdigit()), reverse=True)
        for place, name in enumerate(names):
            try:
                found = self._checked(self.folder / name)
            except CheckpointError as damage:
                _log.warning("%s It is kept as %s, and the one before it is used.", damage, self._set_aside(name))
                continue
            self._readable(names[place + 1 :])
            return found
        if names:
            raise CheckpointError(
                f"no checkpoint in {self.folder} is whole; the damaged ones are kept there as {_DAMAGED}*. To train again from the "
                "beginning, give another run folder."
            )
        return None

    def _readable(self, names: Sequence[str]) -> None:
        """Set aside those older checkpoints that do not even say where they stand: counting and pruning would stop at them."""
        for name in names:
            try:
                self._read(self.folder / name)
            except CheckpointError as damage:
                _log.warning("%s It is kept as %s; the run does not need it.", damage, self._set_aside(name))

    def _set_aside(self, name: str) -> Path:
        aside = self.folder / f"{_DAMAGED}{name}"
        shutil.rmtree(aside, ignore_errors=True)
        (self.folder / name).rename(aside)
        return aside

    def best(self) -> Checkpoint | None:
        """The checkpoint with the best validation utility, if one was kept and its files are what was written; else a warning."""
        path = self.folder / "best"
        if not path.exists():
            return None
        try:
            return self._checked(path)
        except CheckpointError as damage:
            _log.warning("%s The newest checkpoint is used in its place.", damage)
            return None

    def _checked(self, path: Path) -> Checkpoint:
        """A checkpoint with every file as it was written. Raises CheckpointError."""
        found = self._read(path)
        gone = {"trainer.pt"} if found.position.finished else set()  # pruning takes it from the ends of stages
        if damaged := damaged_files(path, gone):
            raise CheckpointError(f"{path} is damaged: {', '.join(damaged)}.")
        return found

    def _read(self, path: Path) -> Checkpoint:
        try:
            return Checkpoint(path, Position.model_validate(orjson.loads((path / "position.json").read_bytes())))
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{path} is not a whole checkpoint ({error}).") from error

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
