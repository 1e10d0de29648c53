"""A thousand episodes at once while a tenth of the requests go wrong: each is accounted for once, and nobody is blamed for another."""

import asyncio
import collections
import random

import pytest

from maestro.policy.scripted import ScriptedPolicy
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.limits import Limits
from maestro.types import CallLimits, StopReason, Task

from .fault_matrix import ensemble_of, served
from .misbehaving_server import MisbehavingServer, cut, error, hang, in_turn, reset, says, status

EPISODES = 1000
FAULTS = [
    error(500, "a"),
    error(503, "b"),
    reset,
    cut,
    status(200, "no JSON"),
    says(None),
    error(429, "c"),
    error(429, "d", Retry_After="0.01"),
]
DOOMED = {number for number in range(EPISODES) if number % 100 == 7}
"""Their second request is never answered well."""
MISTAKEN = {number for number in range(EPISODES) if number % 10 == 3}
"""Their policy first names a skill that does not exist."""


def text_of(seen):
    return seen.json["messages"][-1]["content"]


class Faults:
    """A tenth of the requests, by their text and not by when they come; how often each was asked."""

    def __init__(self):
        self.asked = collections.Counter()

    def __call__(self, _, seen):
        text = text_of(seen)
        self.asked[text] += 1
        number, call = map(int, text.split()[1::2])
        if number in DOOMED and call == 1:
            return random.Random(text).choice([error(500, "doomed"), reset, cut])
        draw = random.Random(text).random()
        if draw < 0.1 and self.asked[text] == 1:
            return FAULTS[int(draw * 10 * len(FAULTS))]
        return says(f"{number}.{call}")


def script(opening, turns):
    """Three calls with questions of their own, then an answer made of what came back."""
    number = int(opening.task.id)
    called = [turn for turn in turns if turn.observation.status != "policy_error"]
    if number in MISTAKEN and not turns:
        return "<search>wide-model@@juggle: x</search>"
    if len(called) < 3:
        expert = ("wide-model", "far-model", "wide-model")[len(called)]
        return f"<search>{expert}@@answer: episode {number} call {len(called)}</search>"
    return f"<answer>{' '.join(turn.observation.value for turn in called)}</answer>"


@pytest.mark.slow
async def test_a_thousand_episodes_with_a_tenth_of_faults(tmp_path):
    limits = CallLimits(timeout_seconds=300, attempts=6, concurrency=400)  # a clock would measure the machine here
    near, far = Faults(), Faults()
    done = collections.Counter()
    async with MisbehavingServer(near) as one, MisbehavingServer(far) as two:
        cards = served(one.url, limits=limits), served(two.url, "far-model", limits=limits)
        async with ensemble_of(tmp_path, *cards) as ensemble:
            jobs = [Job(Task(id=str(number), question="?")) for number in range(EPISODES)]
            policy = ScriptedPolicy(script)
            episodes = await run_episodes(
                jobs, policy, ensemble, Limits(turns=6, seconds=600), concurrency=EPISODES, done=lambda index, _: done.update([index])
            )
            lines = [await endpoint.line() for endpoint in ensemble.pool._endpoints.values()]
            assert [line.limit.active for line in lines] == [0, 0]
    assert [one.task_id for one in episodes] == [str(number) for number in range(EPISODES)]
    assert done == dict.fromkeys(range(EPISODES), 1)
    stops = {number: one.stop for number, one in enumerate(episodes)}
    assert {number for number, stop in stops.items() if stop is StopReason.INFRASTRUCTURE} == DOOMED
    assert {stops[number] for number in stops if number not in DOOMED} == {StopReason.ANSWERED}
    for number, episode in enumerate(episodes):
        mistakes = sum(turn.observation is not None and turn.observation.status == "policy_error" for turn in episode.turns)
        assert mistakes == (number in MISTAKEN)
        if number in DOOMED:
            assert episode.error.startswith("perform: expert_error: far-model@answer: ")
        else:
            assert episode.answer == f"{number}.0 {number}.1 {number}.2"
    asked = near.asked + far.asked
    assert len(asked) == 3 * EPISODES - len(DOOMED)
    again = sum(count - 1 for text, count in asked.items() if count > 1)
    assert again > 0.07 * len(asked)


async def test_hanging_experts_are_left_by_the_clock_and_lose_nobody(tmp_path):
    limits = CallLimits(timeout_seconds=0.2, attempts=2, concurrency=50)
    async with MisbehavingServer(in_turn(hang)) as server, ensemble_of(tmp_path, served(server.url, limits=limits)) as ensemble:
        policy = ScriptedPolicy(lambda opening, turns: f"<search>wide-model@@answer: {opening.task.id}</search>")
        episodes = await run_episodes(
            [Job(Task(id=str(n), question="?")) for n in range(100)], policy, ensemble, Limits(seconds=3), concurrency=100
        )
        assert {one.stop for one in episodes} == {StopReason.INFRASTRUCTURE}
        assert all("timeout" in one.error or "is down" in one.error for one in episodes)
        assert len(server.chats) < 100  # the breaker spares most of them the wait
        await asyncio.sleep(0)
        assert (await next(iter(ensemble.pool._endpoints.values())).line()).limit.active == 0
