"""Scoring that has to wait, kept off the event loop; scoring that has not stays on it and pays nothing.

Most rules take microseconds, and most answers that a slow rule is given (a whole number, an answer seen before) never get to its slow part.
Nobody can tell beforehand which do. So work is begun on the loop, and where it is about to wait for a process it says so
(`about_to_block`): it is then left, and done again in a thread. The waiting itself is bounded where it happens: an algebra process and a
sandbox are killed when their time is up.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import cache
from typing import TypeVar

Result = TypeVar("Result")

_may_block: ContextVar[bool] = ContextVar("may_block", default=True)


class WouldBlock(BaseException):
    """Left the event loop to wait elsewhere. No Exception, so that a rule which takes its answer for unreadable does not swallow it."""


def about_to_block() -> None:
    """To be called before waiting for a process. Raises WouldBlock on the event loop; nothing happens elsewhere."""
    if not _may_block.get():
        raise WouldBlock


async def off_loop(work: Callable[[], Result], *, at_once: bool = True) -> Result:
    """What `work` returns or raises; it is done in a thread if it would block, or without trying when `at_once` is off.

    It may be begun twice, so what it does before it blocks must bear that. There are as many threads as cores.
    """
    if at_once:
        token = _may_block.set(False)
        try:
            return work()
        except WouldBlock:
            pass  # nothing was waited for yet; the thread begins anew
        finally:
            _may_block.reset(token)
    return await asyncio.get_running_loop().run_in_executor(_threads(os.getpid()), work)


@cache
def _threads(_pid: int) -> ThreadPoolExecutor:
    """The threads of this process: a fork has none of its parent's."""
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="scoring")
