import asyncio
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from maestro.policy.batch import Batcher


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=1) as made:
        yield made


class Doubling:
    """Work that remembers its batches."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.batches: list[list[int]] = []
        self.threads: set[str] = set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        time.sleep(self.seconds)
        self.batches.append(list(items))
        self.threads.add(threading.current_thread().name)
        if 13 in items:
            raise RuntimeError("unlucky")
        return [2 * item for item in items]


async def test_what_is_asked_together_is_done_together(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    batcher = Batcher(work, executor, window_seconds=10)
    for _ in range(5):
        batcher.opened()
    assert await asyncio.gather(*(batcher.submit(n) for n in range(5))) == [0, 2, 4, 6, 8]
    assert work.batches == [[0, 1, 2, 3, 4]]
    assert threading.current_thread().name not in work.threads


async def test_those_who_will_not_come_are_not_waited_for(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    batcher = Batcher(work, executor, window_seconds=10)
    for _ in range(3):
        batcher.opened()
    waiting = asyncio.gather(batcher.submit(1), batcher.submit(2))
    await asyncio.sleep(0.02)
    assert not work.batches
    batcher.closed()
    assert await asyncio.wait_for(waiting, 1) == [2, 4]


async def test_a_window_bounds_the_wait(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    batcher = Batcher(work, executor, window_seconds=0.02)
    for _ in range(100):
        batcher.opened()
    started = time.monotonic()
    assert await batcher.submit(4) == 8
    assert time.monotonic() - started < 1


async def test_batches_are_bounded_and_gather_while_one_runs(executor: ThreadPoolExecutor) -> None:
    work = Doubling(seconds=0.01)
    batcher = Batcher(work, executor, largest=4, window_seconds=0.001)
    for _ in range(10):
        batcher.opened()
    assert await asyncio.gather(*(batcher.submit(n) for n in range(10))) == [2 * n for n in range(10)]
    assert [len(batch) for batch in work.batches] == [4, 4, 2]


async def test_an_error_reaches_all_who_waited_and_the_next_batch_runs(executor: ThreadPoolExecutor) -> None:
    batcher = Batcher(Doubling(), executor)
    for _ in range(2):
        batcher.opened()
    results = await asyncio.gather(batcher.submit(13), batcher.submit(1), return_exceptions=True)
    assert [type(result) for result in results] == [RuntimeError, RuntimeError]
    assert await batcher.submit(5) == 10


async def test_a_cancelled_item_is_dropped(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    batcher = Batcher(work, executor, window_seconds=0.05)
    for _ in range(3):
        batcher.opened()
    gone = asyncio.create_task(batcher.submit(1))
    stays = asyncio.create_task(batcher.submit(2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == 4
    assert work.batches == [[2]]


async def test_lockstep_waits_for_everyone_and_sorts(executor: ThreadPoolExecutor) -> None:
    work = Doubling()
    batcher = Batcher(work, executor, largest=2, window_seconds=0)
    batcher.lockstep = True
    for _ in range(3):
        batcher.opened()
    early = [asyncio.create_task(batcher.submit(n, ("task", n))) for n in (3, 2)]
    await asyncio.sleep(0.02)
    assert not work.batches
    assert await batcher.submit(1, ("task", 1)) == 2
    assert await asyncio.gather(*early) == [6, 4]
    assert work.batches == [[1, 2], [3]]


def test_one_batcher_serves_several_event_loops(executor: ThreadPoolExecutor) -> None:
    batcher = Batcher(Doubling(), executor)
    batcher.opened()
    assert [asyncio.run(batcher.submit(n)) for n in range(3)] == [0, 2, 4]
