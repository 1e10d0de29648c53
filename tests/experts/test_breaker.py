"""The circuit breaker's states, on a clock of its own."""

import asyncio

import pytest

from maestro.errors import EndpointDown, InfrastructureFault
from maestro.experts.breaker import FAILURES_IN_A_ROW, WINDOW, Breaker, BreakerState

FAULT = InfrastructureFault("HTTP 500", retryable=True)


class Endpoint:
    """Its health, and a clock."""

    def __init__(self):
        self.now, self.healthy, self.probes = 0.0, True, 0
        self.breaker = Breaker("host:1", self.probe, clock=lambda: self.now)

    async def probe(self):
        self.probes += 1
        await asyncio.sleep(0)
        if not self.healthy:
            raise InfrastructureFault("nobody there", retryable=True)

    def fail(self, times=FAILURES_IN_A_ROW):
        for _ in range(times):
            self.breaker.failed(FAULT, trial=False)


async def test_it_opens_after_failures_in_a_row_and_says_why():
    endpoint = Endpoint()
    endpoint.fail(FAILURES_IN_A_ROW - 1)
    assert not await endpoint.breaker.admit()
    endpoint.breaker.succeeded(trial=False)
    endpoint.fail(FAILURES_IN_A_ROW - 1)
    assert endpoint.breaker.closed
    endpoint.fail(1)
    with pytest.raises(EndpointDown, match=r"host:1 is down and is not asked for another 1.0 s \(last: HTTP 500\)") as caught:
        await endpoint.breaker.admit()
    assert (caught.value.retryable, caught.value.retry_after_seconds) == (True, 1.0)


def test_it_opens_when_half_fail_and_not_when_a_tenth_does():
    endpoint = Endpoint()
    for number in range(WINDOW * 10):
        endpoint.breaker.failed(FAULT, trial=False) if number % 10 == 0 else endpoint.breaker.succeeded(trial=False)
    assert endpoint.breaker.closed
    for number in range(WINDOW):
        endpoint.breaker.failed(FAULT, trial=False) if number % 2 else endpoint.breaker.succeeded(trial=False)
    assert not endpoint.breaker.closed


async def test_one_caller_tries_while_the_others_wait():
    endpoint = Endpoint()
    endpoint.fail()
    endpoint.now += 1
    callers = [asyncio.create_task(endpoint.breaker.admit()) for _ in range(5)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert endpoint.breaker.state is BreakerState.HALF_OPEN
    assert [caller.done() for caller in callers] == [True, False, False, False, False]
    endpoint.breaker.succeeded(trial=True)
    assert await asyncio.gather(*callers) == [True, False, False, False, False]
    assert (endpoint.breaker.state, endpoint.probes) == (BreakerState.CLOSED, 1)


@pytest.mark.parametrize("healthy", [False, True])
async def test_the_pause_doubles_with_every_failed_trial_up_to_a_bound(healthy):
    endpoint = Endpoint()
    endpoint.healthy = healthy
    endpoint.fail()
    pauses = []
    for _ in range(8):
        with pytest.raises(EndpointDown) as caught:
            await endpoint.breaker.admit()
        pauses.append(caught.value.retry_after_seconds)
        endpoint.now += pauses[-1]
        if healthy:  # it answers the probe, not the trial
            assert await endpoint.breaker.admit()
            endpoint.breaker.failed(FAULT, trial=True)
        else:
            with pytest.raises(EndpointDown):
                await endpoint.breaker.admit()
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    endpoint.healthy = True
    endpoint.now += 30
    assert await endpoint.breaker.admit()
    endpoint.breaker.succeeded(trial=True)
    endpoint.fail()
    with pytest.raises(EndpointDown) as caught:
        await endpoint.breaker.admit()
    assert caught.value.retry_after_seconds == 1


async def test_a_trial_that_is_cancelled_passes_to_the_next_caller():
    endpoint = Endpoint()
    endpoint.fail()
    endpoint.now += 1
    probing, waiting = asyncio.create_task(endpoint.breaker.admit()), asyncio.create_task(endpoint.breaker.admit())
    await asyncio.sleep(0)
    assert (endpoint.probes, probing.done()) == (1, False)
    probing.cancel()
    assert await waiting
    endpoint.breaker.abandoned(trial=True)
    assert await endpoint.breaker.admit()
    assert endpoint.probes == 3


async def test_late_news_of_calls_from_before_change_nothing():
    endpoint = Endpoint()
    endpoint.fail()
    endpoint.now += 1
    assert await endpoint.breaker.admit()
    endpoint.fail()
    endpoint.breaker.succeeded(trial=False)
    endpoint.breaker.abandoned(trial=False)
    assert endpoint.breaker.state is BreakerState.HALF_OPEN
