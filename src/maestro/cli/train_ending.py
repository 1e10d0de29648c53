"""How a training run ends when somebody ends it: as by Ctrl-C, so that experts and engines are stopped and the report is written."""

from __future__ import annotations

import errno
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from maestro.cli.output import warn
from maestro.errors import CheckpointError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def taken_up_later(run: Path) -> Iterator[None]:
    """While open, SIGTERM and a closed terminal interrupt the run as Ctrl-C does; whoever did it is told how to go on, and of a full disk.

    Raises CheckpointError for a signal or a full disk, and KeyboardInterrupt for Ctrl-C. Only for the main thread.
    """
    caught: list[signal.Signals] = []

    def end(number: int, _frame: FrameType | None) -> None:
        caught.append(signal.Signals(number))
        raise KeyboardInterrupt  # no Exception: what records failures of episodes must not take it for one

    listening = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]  # nohup means it
    before = {number: signal.signal(number, end) for number in listening}
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise CheckpointError(f"no room to write into {run}: {error.strerror}. Make room; {_further(run)}") from error
    except KeyboardInterrupt:
        further = _further(run)
        if caught:
            raise CheckpointError(f"ended by {caught[0].name}; {further}") from None
        warn(further)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _further(run: Path) -> str:
    """How a run that did not come to its end goes on."""
    begun = (run / "config.yaml").exists()
    return f"take the run up with: maestro train --resume {shlex.quote(str(run))}" if begun else "nothing was begun"
