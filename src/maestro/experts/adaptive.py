"""The adaptive limit of an endpoint: as many calls at a time as it can use, found by trying."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

FIRST_LIMIT = 16
_ROUND_CALLS = 16
_STEADY_ROUNDS = 4
_STEP = 1.25
_PAYS = 0.2
"""More calls at a time pay when the rate grows by at least this share of what they grow by."""


@dataclass
class _Measured:
    """The successes under one limit."""

    started: float
    done: int = 0
    full: int = 0
    """Successes that came while every place was taken."""


class AdaptiveLimit:
    """Places for calls to one endpoint on one event loop, first come first served.

    A round is as many successes as there are places. The limit doubles with every round until something speaks against it,
    then it grows by a quarter after every fourth; it grows only while all places are taken. It shrinks

    - by half when the endpoint says so (429) or an attempt times out,
    - by a tenth when the endpoint reports calls waiting in its queue,
    - to a tenth below where it came from when more calls at a time did not bring more replies a second: then they wait in a
      queue that nobody reports.

    What calls of the same round say counts once. Four rounds, because latencies of language models vary as much as their
    replies: judged by one round, half of what is said would be noise.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.limit = float(min(FIRST_LIMIT, most))
        self.active = 0
        self._clock = clock
        self.epoch = 0
        """Grows whenever the limit shrinks."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._pause: asyncio.TimerHandle | None = None
        self._doubling = True
        self._reference: tuple[float, float] | None = None
        self._measured = _Measured(clock())

    async def acquire(self) -> int:
        """Wait for a place; returns the epoch, which `shrink` wants back. Give the place back with `release`."""
        if not self._waiting and self._free():
            self.active += 1
            return self.epoch
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        self._wake()
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was handed over in the same moment
                self.release()
            raise
        return self.epoch

    def release(self) -> None:
        """Give a place back."""
        self.active -= 1
        self._wake()

    def succeeded(self) -> None:
        """A call that holds a place succeeded."""
        self._measured.done += 1
        self._measured.full += self.active >= int(self.limit)
        if self._measured.done >= max(_ROUND_CALLS, self.limit) * (1 if self._doubling else _STEADY_ROUNDS):
            self._judge()

    def shrink(self, epoch: int, factor: float) -> None:
        """A call of this epoch found the endpoint overloaded; once an epoch."""
        if epoch == self.epoch:
            self._lower(self.limit * factor)

    def pause(self, seconds: float) -> None:
        """Hand out no place for so long; a longer pause replaces a shorter one."""
        loop = asyncio.get_running_loop()
        if self._pause is None or self._pause.when() < loop.time() + seconds:
            if self._pause is not None:
                self._pause.cancel()
            self._pause = loop.call_later(seconds, self._resume)

    @property
    def paused_seconds(self) -> float:
        """How long no place will be handed out."""
        return 0.0 if self._pause is None else max(0.0, self._pause.when() - asyncio.get_running_loop().time())

    def _resume(self) -> None:
        self._pause = None
        self._wake()

    def _free(self) -> bool:
        return self._pause is None and self.active < int(self.limit)

    def _wake(self) -> None:
        while self._waiting and self._free():
            place = self._waiting.popleft()
            if not place.done():  # else its caller was cancelled
                self.active += 1
                place.set_result(None)

    def _judge(self) -> None:
        """Grow, or go back, by what the rounds under this limit brought."""
        now, measured = self._clock(), self._measured
        rate = measured.done / max(now - measured.started, 1e-9)
        self._measured = _Measured(now)
        if measured.full < 0.8 * measured.done:
            self._reference = None
        elif self._reference is not None and not _paid(self._reference, (self.limit, rate)):
            self._lower(0.9 * self._reference[0])
        else:
            self._reference = (self.limit, rate)
            self.limit = min(float(self.most), max(self.limit + 1, self.limit * (2 if self._doubling else _STEP)))
            self._wake()

    def _lower(self, limit: float) -> None:
        self.limit = max(1.0, limit)
        self.epoch += 1
        self._doubling = False
        self._reference = None
        self._measured = _Measured(self._clock())


def _paid(before: tuple[float, float], now: tuple[float, float]) -> bool:
    """Whether more calls at a time brought more replies a second; each a pair (limit, rate)."""
    more = now[0] / before[0] - 1
    return more <= 0 or now[1] / before[1] - 1 >= _PAYS * more
