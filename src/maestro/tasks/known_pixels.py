"""What earlier readings found: the hash of an image's pixels by the hash of its file, so that nothing is decoded twice for its name.

An image is named by its pixels, which have to be decoded for that; on a large file that is minutes. This index makes it a
matter of the first reading. It is a cache: without it everything works, and an entry that were wrong would be noticed when the pixels
are decoded (`ImageStore.link`).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from PIL import __version__ as pillow
from PIL import features

from maestro.images import DECODING

_FLUSH = 256
"""New entries that are written at once."""


class KnownPixels:
    """An open index; `problem` says why it cannot be used, if it cannot."""

    def __init__(self, path: Path | None) -> None:
        """`path` None uses no index."""
        self.problem: str | None = None
        self._decoder = f"{DECODING}/{pillow}/{features.version('jpg')}"
        self._new: dict[bytes, str] = {}
        self._file: sqlite3.Connection | None = None
        if path is not None:
            with self._tolerant(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = sqlite3.connect(path, timeout=5.0)
                self._file.execute("CREATE TABLE IF NOT EXISTS pixels (file BLOB, decoder TEXT, name TEXT, PRIMARY KEY (file, decoder))")

    def get(self, data: bytes) -> str | None:
        """The pixel hash of the file with these bytes, if known."""
        key = hashlib.sha256(data).digest()
        if key in self._new:
            return self._new[key]
        found = None
        if self._file is not None:
            with self._tolerant():
                query = "SELECT name FROM pixels WHERE file = ? AND decoder = ?"
                found = self._file.execute(query, (key, self._decoder)).fetchone()
        return str(found[0]) if found else None

    def add(self, data: bytes, name: str) -> None:
        """Note the pixel hash of the file with these bytes."""
        self._new[hashlib.sha256(data).digest()] = name
        if len(self._new) >= _FLUSH:
            self._flush()

    def close(self) -> None:
        """Write what is new."""
        self._flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _flush(self) -> None:
        if self._file is not None and self._new:
            entries = [(key, self._decoder, name) for key, name in self._new.items()]
            with self._tolerant(), self._file:
                self._file.executemany("INSERT OR IGNORE INTO pixels VALUES (?, ?, ?)", entries)
        self._new.clear()

    @contextmanager
    def _tolerant(self, path: Path | None = None) -> Iterator[None]:
        """An index that cannot be used is given up and said so; the images are then decoded."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            where = f" {path}" if path is not None else ""
            self.problem = f"the index of known images{where} cannot be used ({error}); images are decoded every time they are loaded."
            if self._file is not None:
                with closing(self._file):
                    self._file = None


def index_path() -> Path | None:
    """Where the index lies: `maestro/pixels.sqlite` in the user's cache folder; None for a user without a home."""
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "maestro" / "pixels.sqlite"
    try:
        return Path.home() / ".cache" / "maestro" / "pixels.sqlite"
    except RuntimeError:  # no home folder can be determined
        return None
