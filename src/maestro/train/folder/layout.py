"""The run folder: resolved config and its hash, the registry it ran on, episodes, metrics, checkpoints."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

from maestro.errors import CheckpointError
from maestro.train.config.run import TrainConfig, difference
from maestro.train.folder.checkpoint import Checkpoints
from maestro.train.folder.data_lock import NAME as DATA
from maestro.types import Episode

_log = logging.getLogger(__name__)

_DIGEST = re.compile("[0-9a-f]{64}")
_ANOTHER = "begin another run, from this one's newest checkpoint with policy.load=FOLDER."


class Journal:
    """A `.jsonl` file that knows its length in bytes, so that a resumed run can cut off what came after its checkpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._file.tell()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record as one line."""
        self._file.write(orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY) + b"\n")
        self._file.flush()

    def cut(self, size: int) -> None:
        """Forget everything after `size` bytes. A file that has become shorter is warned about and goes on behind its last whole line."""
        have = self.path.stat().st_size
        if have < size:
            _log.warning(
                "%s has lost its end: %d bytes of the %d that it had when the checkpoint was written. The run goes on, and what is "
                "gone stays out of its records.",
                self.path,
                have,
                size,
            )
            size = self.path.read_bytes().rfind(b"\n") + 1
        self._file.truncate(size)
        self._file.seek(size)

    def to_disk(self) -> None:
        """Force what was written to disk, before a checkpoint counts on it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class NoJournal:
    """What a process that does not write has in place of a journal."""

    size = 0

    def append(self, record: Mapping[str, Any]) -> None:
        """Nothing."""

    def cut(self, size: int) -> None:
        """Nothing."""

    def to_disk(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def check_place(path: Path, *, resume: bool) -> None:
    """Whether a run can live in this folder, asked before anything is loaded. Raises CheckpointError; OSError where one may not write."""
    if path.is_symlink() and not path.exists():
        raise CheckpointError(f"{path} is a link to {path.readlink()}, which does not exist. Make that folder, or give another with --run.")
    if (file := next((one for one in (path, *path.parents) if one.exists() and not one.is_dir()), None)) is not None:
        raise CheckpointError(f"{file} is a file, so no run can be in {path}. Give another folder with --run.")
    exists = (path / "config.yaml").exists()
    if resume and not exists:
        if (path / "config.sha256").exists():
            raise CheckpointError(
                f"{path} has lost its config.yaml. Put it back (its digest is in config.sha256), and resume again, or {_ANOTHER}"
            )
        missing = "holds no run to resume (no config.yaml)" if path.exists() else "does not exist, so there is no run to resume"
        raise CheckpointError(f"{path} {missing}. Begin one with: maestro train CONFIG --run {path}")
    if exists and not resume:
        raise CheckpointError(f"{path} already holds a run. Give another folder with --run, or take it up with --resume {path}.")
    above = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not os.access(above, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write a run folder here; give another with --run", str(above))


class RunFolder:
    """One training run on disk.

    A new folder is refused when it already holds a run; an existing one is taken up again only under an identical config,
    and the error names what differs. Of several processes one writes; for the others nothing is made or changed.
    """

    def __init__(
        self,
        path: Path,
        config: TrainConfig,
        registry: Mapping[str, Any],
        *,
        data: Mapping[str, str | None] | None = None,
        resume: bool,
        writes: bool = True,
    ) -> None:
        """`data` are digests, by name, of what the run learns from; None checks and keeps none."""
        self.path = path
        self.config = config
        stored = path / "config.yaml"
        if writes:  # for the others, what is there may already be this very run
            check_place(path, resume=resume)
        if resume:
            self._check_same(stored, registry)
            self._check_data(data)
        if writes:
            path.mkdir(parents=True, exist_ok=True)
        if writes and not resume:
            _write(path / "registry.lock", orjson.dumps(dict(registry), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            _write(path / DATA, orjson.dumps(dict(data or {}), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
            _write(path / "config.sha256", (config.digest + "\n").encode())
            _write(stored, config.to_yaml().encode())  # the last: a folder that has it is a run, and has the others
        self.metrics: Journal | NoJournal = Journal(path / "metrics.jsonl") if writes else NoJournal()
        self.episodes: Journal | NoJournal = Journal(path / "episodes.jsonl") if writes else NoJournal()
        self.checkpoints = Checkpoints(path / "checkpoints", config.checkpoint.keep, writes=writes)

    def _check_same(self, stored: Path, registry: Mapping[str, Any]) -> None:
        digest = self._began_with("config.sha256", "the config").decode(errors="replace").strip()
        if not _DIGEST.fullmatch(digest):
            raise CheckpointError(f"{self.path / 'config.sha256'} is damaged, so it is unknown whether the config is the same; {_ANOTHER}")
        if digest != self.config.digest:
            lines = difference(yaml.safe_load(stored.read_text()), self.config.model_dump(mode="json"))
            if not lines:
                raise CheckpointError(
                    f"{stored} was edited after the run began, and a run is resumed only under the config it began with. Undo the edit, "
                    f"or begin another run with it: maestro train {stored} --run NEW_FOLDER"
                )
            raise CheckpointError("a run is resumed only under an identical config; these settings differ:\n  " + "\n  ".join(lines))
        try:
            lock = orjson.loads(self._began_with("registry.lock", "the registry"))
        except ValueError:
            file = self.path / "registry.lock"
            raise CheckpointError(f"{file} is damaged, so it is unknown whether the registry is the same; {_ANOTHER}") from None
        if lock != dict(registry):
            lines = difference(lock, dict(registry))
            raise CheckpointError("the registry has changed since this run began:\n  " + "\n  ".join(lines))

    def _check_data(self, data: Mapping[str, str | None] | None) -> None:
        file = self.path / DATA
        if data is None:
            return
        if not file.exists():
            _log.warning(
                "%s has no %s, so it is unknown whether its tasks and recorded replies are the same; they are taken as such.",
                self.path,
                DATA,
            )
            return
        try:
            changed = difference(orjson.loads(file.read_bytes()), dict(data))
        except ValueError:
            raise CheckpointError(f"{file} is damaged, so it is unknown whether the data is the same; {_ANOTHER}") from None
        if changed:
            raise CheckpointError(
                f"what {self.path} learns from has changed since it began; put it back, or {_ANOTHER}\n  " + "\n  ".join(changed)
            )

    def _began_with(self, name: str, what: str) -> bytes:
        """A file that says what the run began with. Raises CheckpointError when it is gone."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            raise CheckpointError(f"{self.path} lacks {name}, so it is unknown whether {what} is the same; {_ANOTHER}") from None

    @property
    def final(self) -> Path:
        """Folder of the policy that the run hands over."""
        return self.path / "policy"

    def log_episode(self, episode: Episode) -> None:
        """Append an episode, without its token row (the text holds everything a reader needs)."""
        self.episodes.append(episode.model_dump(mode="json", exclude={"tokens"}))

    def to_disk(self) -> None:
        """Force the journals to disk."""
        self.metrics.to_disk()
        self.episodes.to_disk()

    def close(self) -> None:
        """Close the journals."""
        self.metrics.close()
        self.episodes.close()


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_metrics(path: Path) -> Iterator[dict[str, Any]]:
    """Records of a metrics file; a line cut short by a crash is left out."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield orjson.loads(line)
