"""A run folder belongs to one process at a time: a second one would write into its journals and tidy away its checkpoints."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from maestro.errors import CheckpointError

NAME = ".claim"
"""File that is locked as long as a process works on the folder. The system lets go of it however the process ends."""
_UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}


@contextmanager
def claimed(run: Path) -> Iterator[None]:
    """The run folder is this process's meanwhile. Raises CheckpointError when it is another's.

    On a file system without locks nothing is claimed.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / NAME).open("a+", encoding="utf-8") as file:
        _lock(file, run)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def check_free(run: Path) -> None:
    """Whether nobody works on the run folder, which need not be there. Raises CheckpointError."""
    if (run / NAME).exists():
        with (run / NAME).open("r+", encoding="utf-8") as file:
            _lock(file, run)


def _lock(file: IO[str], run: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        who = file.read() or "another process"
        raise CheckpointError(
            f"{who} is training in {run}. Wait for it, or end it and take the run up with --resume {run}; for another run at the same "
            "time give another folder with --run."
        ) from None
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
