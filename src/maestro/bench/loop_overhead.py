"""What the episode loop costs per turn: everything but policy and experts, which answer at once here."""

from __future__ import annotations

import asyncio
import time

from maestro.bench.measurement import Bar, Measurement
from maestro.bench.toy import InstantEnsemble, tasks
from maestro.images import ImageStore
from maestro.policy.protocol import Opening
from maestro.policy.scripted import ScriptedPolicy
from maestro.rollout.episode import run_episode
from maestro.types import Call, Turn

TURNS = 5
CALL = "<think>look</think><search>read-expert@@read:</search>"


def measure(episodes: int = 400, rounds: int = 7) -> list[Measurement]:
    """One measurement: milliseconds per turn of episodes of five turns, beside a bare await of the same two calls."""
    both = [asyncio.run(_round(episodes)) for _ in range(rounds)]
    loops, bares = [loop for loop, _ in both], [bare for _, bare in both]
    return [Measurement.of("loop, per turn", "ms", loops, "bare awaits", bares, Bar(1, least=False))]


def _script(_: Opening, turns: tuple[Turn, ...]) -> str:
    return CALL if len(turns) < TURNS - 1 else "<answer>7</answer>"


async def _round(episodes: int) -> tuple[float, float]:
    """(milliseconds per turn of the loop, the same of the bare awaits)."""
    policy, ensemble = ScriptedPolicy(_script), InstantEnsemble()
    task = tasks(ImageStore(), 1)[0]
    started = time.perf_counter()
    for _ in range(episodes):
        await run_episode(task, policy, ensemble)
    loop = time.perf_counter() - started
    call = Call(expert="read-expert", skill="read")
    started = time.perf_counter()
    for _ in range(episodes):
        session = policy.open(Opening(task, ensemble.menu))
        for _ in range(TURNS):
            await session.decide()
            await ensemble.perform(call, task, 1.0)
    bare = time.perf_counter() - started
    return 1e3 * loop / episodes / TURNS, 1e3 * bare / episodes / TURNS
