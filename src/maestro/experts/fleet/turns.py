"""Who is awake on a GPU that holds one of several: requests for the one awake go on, requests for another wait for the change."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Change = Callable[[str], Awaitable[None]]


@dataclass
class _Waiting:
    """Somebody who waits until `member` is awake."""

    member: str
    admitted: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Turns:
    """Hands the GPU from one member to another.

    `put_to_sleep(member)` and `wake(member)` do it and raise what went wrong. Requests for the member awake run side by side. As soon as
    somebody waits for another member, the one awake takes new requests for at most `turn_seconds` more (a change costs seconds, and
    calls come in bursts); then its running requests end and the longest waiting has its turn. Nobody waits for ever.
    """

    def __init__(
        self, wake: Change, put_to_sleep: Change, *, turn_seconds: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.awake: str | None = None
        self.changes = 0
        self._wake = wake
        self._put_to_sleep = put_to_sleep
        self._turn_seconds = turn_seconds
        self._clock = clock
        self._running = 0
        self._queue: deque[_Waiting] = deque()
        self._contested_at: float | None = None
        """Since when somebody waits for another member."""
        self._changing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def of(self, member: str) -> AsyncIterator[None]:
        """Hold a request of `member`; it is awake inside. Raises what waking it raised."""
        await self._enter(member)
        try:
            yield
        finally:
            self._running -= 1
            self._maybe_change()

    async def _enter(self, member: str) -> None:
        contested = self._contested_at is not None and self._clock() - self._contested_at >= self._turn_seconds
        if self.awake == member and self._changing is None and not contested:
            self._running += 1
            return
        waiting = _Waiting(member)
        self._queue.append(waiting)
        if self._contested_at is None:
            self._contested_at = self._clock()
        self._maybe_change()
        try:
            await waiting.admitted
        except asyncio.CancelledError:
            if waiting in self._queue:
                self._queue.remove(waiting)
            elif waiting.admitted.done() and not waiting.admitted.cancelled() and waiting.admitted.exception() is None:
                self._running -= 1  # let in and gone at the same moment
            self._maybe_change()
            raise

    def _maybe_change(self) -> None:
        if not self._queue:
            self._contested_at = None
        elif self._running == 0 and self._changing is None:
            self._changing = asyncio.get_running_loop().create_task(self._change())

    async def _change(self) -> None:
        """Let in everybody who waits for the member that is first in the queue, after waking it."""
        member = self._queue[0].member
        trouble: Exception | None = None
        try:
            if self.awake != member:
                self.changes += 1
                if self.awake is not None:
                    await self._put_to_sleep(self.awake)
                    self.awake = None
                await self._wake(member)
                self.awake = member
        except Exception as error:  # noqa: BLE001 (whatever it is, those who wait are told, and the next member has its turn)
            trouble = error
        finally:
            self._changing = None
        admitted = [one for one in self._queue if one.member == member]
        self._queue = deque(one for one in self._queue if one.member != member)
        self._contested_at = self._clock() if self._queue else None
        for one in admitted:
            if one.admitted.done():
                continue
            if trouble is None:
                self._running += 1
                one.admitted.set_result(None)
            else:
                one.admitted.set_exception(trouble)
        self._maybe_change()
