"""How much faster decisions are in a micro-batch than one by one, on the same work with the same weights.

Sessions of an untrained tiny policy decide once each: first one after the other, then all at once, on one thread. Both ways give
the same ids. `training` has one picture for eight sessions, `evaluation` a picture for each.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from maestro.bench.measurement import Bar, Measurement
from maestro.bench.toy import menu, tasks, tiny_policy
from maestro.errors import MaestroError
from maestro.images import ImageStore
from maestro.policy.protocol import Opening


def measure(sessions: int = 64, tokens: int = 24, rounds: int = 5) -> list[Measurement]:
    """Decisions a second, `tokens` long, in both kinds of work."""
    images = ImageStore()
    policy = tiny_policy(images, tokens)
    kinds = (("training", max(1, sessions // 8)), ("evaluation", sessions))
    return [_measure(policy, name, openings(images, pictures, sessions), rounds) for name, pictures in kinds]


def openings(images: ImageStore, pictures: int, sessions: int) -> list[Opening]:
    """So many openings spread over so many pictures."""
    made, offered = tasks(images, pictures), menu()
    return [Opening(made[n % pictures], offered, sample=n // pictures, cost_weight=20.0) for n in range(sessions)]


def _measure(policy: Any, name: str, work: list[Opening], rounds: int) -> Measurement:
    _, expected = asyncio.run(_decide(policy, work, together=True))
    rates: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds):
        for together, each in rates.items():
            rate, ids = asyncio.run(_decide(policy, work, together=together))
            if ids != expected:
                raise MaestroError(
                    f"{name}: batched and single decisions differ, so their speeds mean nothing; see tests/policy/test_local.py"
                )
            each.append(rate)
    return Measurement.of(f"batched, {name}", "decisions/s", rates[True], "one by one", rates[False], Bar(5, of="ratio"))


async def _decide(policy: Any, work: list[Opening], *, together: bool) -> tuple[float, list[tuple[int, ...]]]:
    """(decisions a second, ids)."""
    started = time.perf_counter()
    if together:
        sessions = [policy.open(opening) for opening in work]
        decisions = await asyncio.gather(*(session.decide() for session in sessions))
    else:
        decisions = [await policy.open(opening).decide() for opening in work]
    return len(work) / (time.perf_counter() - started), [decision.token_ids for decision in decisions]
