"""A cheap mark of a registry's files, to notice that somebody has edited them."""

from __future__ import annotations

import os
from pathlib import Path

Stamp = frozenset[tuple[str, int, int]]
"""Path, time of the last change in nanoseconds and size in bytes of every file."""


def stamp(folder: Path) -> Stamp:
    """The mark of all files in a folder as they are now; hidden ones and caches do not count. Empty when the folder is gone."""
    marks: set[tuple[str, int, int]] = set()
    for above, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        for name in files:
            path = Path(above) / name
            try:
                state = path.stat()
            except FileNotFoundError:  # gone since it was listed: the next mark has it right
                continue
            if not name.startswith("."):
                marks.add((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(marks)
