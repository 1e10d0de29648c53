"""The adaptive limit against simulated servers, on a clock of its own."""

import asyncio
import heapq
import random

import pytest

from maestro.experts.adaptive import FIRST_LIMIT, AdaptiveLimit


class Simulation:
    """A server that works on `capacity` calls at a time, one second each on average; callers never run out."""

    def __init__(self, most=256, capacity=10**6, spread=0.0):
        self.now = 0.0
        self.capacity, self.spread = capacity, spread
        self.rng = random.Random(1)
        self.limit = AdaptiveLimit(most, clock=lambda: self.now)
        self.free_at: list[float] = []
        self.ends: list[tuple[float, int]] = []
        self.limits: list[int] = []

    def run(self, calls, judge=lambda limit, epoch: limit.succeeded(), demand=10**9):
        """So many calls to their end; `judge` says what each meant."""
        for _ in range(calls):
            while self.limit.active < min(int(self.limit.limit), demand):
                self._begin()
            self.now, epoch = heapq.heappop(self.ends)
            judge(self.limit, epoch)
            self.limit.release()
            self.limits.append(int(self.limit.limit))
        return self

    def _begin(self):
        with pytest.raises(StopIteration) as place:
            self.limit.acquire().send(None)  # there is one, so it does not wait
        begin = self.now if len(self.free_at) < self.capacity else max(self.now, heapq.heappop(self.free_at))
        end = begin + 1 - self.spread + self.spread * self.rng.expovariate(1)
        heapq.heappush(self.free_at, end)
        heapq.heappush(self.ends, (end, place.value.value))


def test_it_grows_to_the_cards_bound_while_that_pays():
    grown = Simulation(most=200).run(2000)
    assert grown.limits[-1] == 200
    assert max(grown.limits) == 200
    assert Simulation(most=3).limit.limit == 3
    assert Simulation().limit.limit == FIRST_LIMIT


def test_it_does_not_grow_while_nobody_needs_it():
    assert set(Simulation().run(2000, demand=5).limits) == {FIRST_LIMIT}


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("capacity", [20, 50])
def test_it_finds_the_capacity_of_a_server_that_says_nothing(capacity, spread):
    found = Simulation(most=1000, capacity=capacity, spread=spread).run(20_000)
    late = found.limits[10_000:]
    assert 0.6 * capacity <= sum(late) / len(late) <= 1.6 * capacity
    assert max(late) <= 3 * capacity
    assert 20_000 / found.now >= 0.9 * capacity


def test_it_halves_once_a_round_when_it_is_too_much_and_comes_back():
    def judge(limit, epoch):
        if limit.active > 40:
            limit.shrink(epoch, 0.5)
        else:
            limit.succeeded()

    limits = Simulation(most=1000).run(4000, judge).limits
    late = limits[2000:]
    assert min(late) >= 20
    assert max(late) <= 52
    assert sum(late) / len(late) > 25


def test_what_calls_of_one_round_say_counts_once():
    simulation = Simulation()
    for _ in range(FIRST_LIMIT):
        simulation._begin()
    for _ in range(FIRST_LIMIT):
        simulation.limit.shrink(0, 0.5)
    assert simulation.limit.limit == FIRST_LIMIT / 2
    for _ in range(20):
        simulation.limit.shrink(simulation.limit.epoch, 0.5)
    assert simulation.limit.limit == 1


async def test_first_come_first_served_and_cancelled_callers_leave_no_gap():
    limit = AdaptiveLimit(2)
    order = []

    async def call(name):
        await limit.acquire()
        order.append(name)

    callers = [asyncio.create_task(call(name)) for name in range(7)]
    await asyncio.sleep(0)
    assert order == [0, 1]
    callers[2].cancel()
    callers[4].cancel()
    limit.release()
    limit.release()
    callers[5].cancel()  # in the moment in which it would be handed the next place
    for _ in range(3):
        await asyncio.sleep(0)
    assert (order, limit.active) == ([0, 1, 3, 6], 2)
    limit.release()
    limit.release()
    assert limit.active == 0
    assert await limit.acquire() == 0
    await asyncio.gather(*callers, return_exceptions=True)


async def test_a_pause_holds_everybody_back():
    limit = AdaptiveLimit(4)
    limit.pause(0.05)
    limit.pause(0.01)  # the longer one stays
    assert 0.01 < limit.paused_seconds <= 0.05
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(limit.acquire() for _ in range(4)))
    assert asyncio.get_running_loop().time() - began >= 0.045
    assert limit.paused_seconds == 0
