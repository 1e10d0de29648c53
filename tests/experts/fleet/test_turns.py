"""One GPU, several members: who is awake when. Semantics that served calls depend on."""

import asyncio

import pytest

from maestro.experts.fleet.turns import Turns


class Card:
    """A GPU that holds one member; the log has every change."""

    def __init__(self, seconds: float = 5.0) -> None:
        self.log: list[str] = []
        self.holding: str | None = None
        self.broken: set[str] = set()
        self.now = 0.0
        self.turns = Turns(self.wake, self.sleep, turn_seconds=seconds, clock=lambda: self.now)

    async def wake(self, member: str) -> None:
        await asyncio.sleep(0)
        if member in self.broken:
            raise OSError(f"{member} is gone")
        assert self.holding is None, "two awake at once"
        self.holding = member
        self.log.append(f"+{member}")

    async def sleep(self, member: str) -> None:
        await asyncio.sleep(0)
        assert self.holding == member
        self.holding = None
        self.log.append(f"-{member}")

    async def request(self, member: str, done: asyncio.Event | None = None) -> None:
        async with self.turns.of(member):
            assert self.holding == member
            self.log.append(member)
            if done is not None:
                await done.wait()
            assert self.holding == member


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_the_first_request_wakes_and_the_next_ones_find_it_awake():
    card = Card()
    await card.request("a")
    await card.request("a")
    assert card.log == ["+a", "a", "a"]


async def test_a_request_for_another_waits_until_running_ones_have_ended():
    card, done = Card(), asyncio.Event()
    running = asyncio.create_task(card.request("a", done))
    await settle()
    waiting = asyncio.create_task(card.request("b"))
    await settle()
    assert card.log == ["+a", "a"]
    done.set()
    await asyncio.gather(running, waiting)
    assert card.log == ["+a", "a", "-a", "+b", "b"]


async def test_requests_for_one_member_run_side_by_side_and_waiters_enter_together():
    card, done = Card(), asyncio.Event()
    tasks = [asyncio.create_task(card.request("a", done)) for _ in range(3)]
    await settle()
    assert card.log == ["+a", "a", "a", "a"]
    done.set()
    await asyncio.gather(*tasks)


async def test_a_burst_may_finish_before_the_change_but_nobody_waits_for_ever():
    card = Card(seconds=5)
    gates = [asyncio.Event() for _ in range(3)]
    first = asyncio.create_task(card.request("a", gates[0]))
    await settle()
    other = asyncio.create_task(card.request("b"))
    await settle()
    card.now = 4.9
    second = asyncio.create_task(card.request("a", gates[1]))  # still within the turn
    await settle()
    card.now = 5.0
    third = asyncio.create_task(card.request("a", gates[2]))  # too late: b's turn first
    await settle()
    assert card.log == ["+a", "a", "a"]
    for gate in gates:
        gate.set()
    await asyncio.gather(first, second, third, other)
    assert card.log == ["+a", "a", "a", "-a", "+b", "b", "-b", "+a", "a"]


async def test_who_cannot_be_woken_fails_its_own_requests_only():
    card = Card()
    await card.request("a")
    card.broken.add("b")
    with pytest.raises(OSError, match="b is gone"):
        await card.request("b")
    await card.request("a")
    assert card.log == ["+a", "a", "-a", "+a", "a"]


async def test_who_leaves_while_waiting_is_forgotten():
    card, done = Card(), asyncio.Event()
    running = asyncio.create_task(card.request("a", done))
    await settle()
    waiting = asyncio.create_task(card.request("b"))
    await settle()
    waiting.cancel()
    await settle()
    done.set()
    await running
    await card.request("a")
    assert card.log == ["+a", "a", "a"]


async def test_who_leaves_inside_ends_its_turn():
    card = Card()
    running = asyncio.create_task(card.request("a", asyncio.Event()))
    await settle()
    waiting = asyncio.create_task(card.request("b"))
    await settle()
    running.cancel()
    await waiting
    assert card.log == ["+a", "a", "-a", "+b", "b"]


async def test_many_members_many_requests_one_awake():
    card = Card(seconds=0)
    await asyncio.gather(*(card.request("abc"[number % 3]) for number in range(60)))
    assert sum(card.log.count(member) for member in "abc") == 60
    assert card.turns.changes == 3  # those who wait for a member enter together
