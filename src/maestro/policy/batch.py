"""Micro-batching: what concurrent episodes ask for at the same time is done together, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """Collects items and hands them to `work` in batches, one batch at a time, on `executor`.

    A batch starts when every open client waits (`opened`, `closed` keep the count), when `largest` items are there, or when
    `window_seconds` have passed since the first of them arrived. While a batch runs, the next one gathers. `work` returns
    one result per item, in order; what it raises, every item of the batch gets. One batcher may serve several event loops,
    one after the other.

    With `lockstep` on, no clock decides: work starts when every open client waits, on all of them in the order of their keys,
    `largest` at a time. What shares a batch is then the same in every run, which bit-exact training needs.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Sequence[Result]], executor: Executor, *, largest: int = 64, window_seconds: float = 0.005
    ) -> None:
        self.work = work
        self.executor = executor
        self.largest = largest
        self.window_seconds = window_seconds
        self.lockstep = False
        self.open = 0
        """Clients that may still submit."""
        self.batches = 0
        """Batches started so far."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._keys: dict[asyncio.Future[Result], tuple[str | int, ...]] = {}
        self._running: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """Another client may submit from now on."""
        self.open += 1

    def closed(self) -> None:
        """A client will submit no more; the others need not wait for it."""
        self.open = max(0, self.open - 1)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._consider)

    async def submit(self, item: Item, key: tuple[str | int, ...] = ()) -> Result:
        """Wait for an item's result. A cancelled item is dropped unless its batch already runs. `key` orders a lockstep batch."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._waiting, self._running, self._timer, self._keys = loop, [], None, None, {}
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        self._keys[future] = key
        if self._timer is None and not self.lockstep:
            self._timer = loop.call_later(self.window_seconds, self._start)
        # Considered only after everybody who is ready now had a chance to submit.
        loop.call_soon(self._consider)
        return await future

    def _consider(self) -> None:
        """Start if nobody else can be expected to join."""
        waiting = sum(not future.done() for _, future in self._waiting)
        if waiting >= (self.open if self.lockstep else min(self.open, self.largest)):
            self._start()

    def _start(self) -> None:
        """Start a batch unless one runs or nobody waits."""
        self._waiting = [(item, future) for item, future in self._waiting if not future.done()]
        self._keys = {future: key for future, key in self._keys.items() if not future.done()}
        if self._running is not None or not self._waiting:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        size = len(self._waiting) if self.lockstep else self.largest
        if self.lockstep:
            self._waiting.sort(key=lambda waiting: self._keys[waiting[1]])
        batch, self._waiting = self._waiting[:size], self._waiting[size:]
        for _, future in batch:
            self._keys.pop(future, None)
        self.batches += 1
        self._running = asyncio.get_running_loop().create_task(self._run(batch))

    async def _run(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        """Do one batch, hand out its results and look for the next one."""
        loop = asyncio.get_running_loop()
        try:
            items = [item for item, _ in batch]
            results: list[Result] = []
            for start in range(0, len(items), self.largest):
                results += await loop.run_in_executor(self.executor, self.work, items[start : start + self.largest])
        except Exception as error:  # noqa: BLE001 (handed to everyone who waits for it)
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)
        finally:
            self._running = None
            if self._waiting and self._timer is None and not self.lockstep:
                self._timer = loop.call_later(self.window_seconds, self._start)
            loop.call_soon(self._consider)
