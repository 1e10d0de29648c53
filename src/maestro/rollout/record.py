"""The episode log: one JSON line per episode, appended when done, readable after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
from pydantic import ValidationError

from maestro.errors import TaskError
from maestro.types import Episode


class EpisodeLog:
    """Appends episodes to a `.jsonl` file and reads them back.

    A last line cut short by a crash is dropped on opening, so that the file always ends with a whole record.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _drop_torn_tail(path)
        self._file = path.open("ab")

    def append(self, episode: Episode) -> None:
        """Write one episode as one line."""
        self._file.write(orjson.dumps(episode.model_dump(mode="json")) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_episodes(path: Path) -> Iterator[Episode]:
    """Episodes of a log in file order, one at a time. Raises TaskError naming file and line of a damaged record."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield Episode.model_validate(orjson.loads(line))
            except (orjson.JSONDecodeError, ValidationError) as error:
                raise TaskError(f"{path}:{number}: not an episode record: {error}") from error


def _drop_torn_tail(path: Path) -> None:
    data = path.read_bytes()
    if data and not data.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)
