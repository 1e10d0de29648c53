"""Many episodes at once: bounded concurrency, every task exactly once, results in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from maestro.policy.protocol import Policy
from maestro.rollout.episode import Performs, run_episode
from maestro.rollout.limits import Limits
from maestro.types import Episode, Task


@dataclass(frozen=True)
class Job:
    """One episode to run."""

    task: Task
    sample: int = 0
    ensemble: Performs | None = None
    """Performs this episode's calls instead of the run's ensemble."""
    cost_weight: float | None = None
    """Told to the policy instead of the run's."""


async def run_episodes(
    jobs: Sequence[Job],
    policy: Policy,
    ensemble: Performs,
    limits: Limits | None = None,
    *,
    concurrency: int = 64,
    cost_weight: float | None = None,
    done: Callable[[int, Episode], Awaitable[None] | None] | None = None,
) -> list[Episode]:
    """Run every job once and return the episodes in the jobs' order.

    `done(index, episode)` is called as each ends; what it returns is awaited before the next one takes the episode's place, so that no more
    than `concurrency` are under way, unscored or unwritten. An exception in one episode (a bug, not an infrastructure fault: those
    are episodes) cancels the rest and is raised.
    """
    gate = asyncio.Semaphore(max(1, concurrency))
    episodes: list[Episode | None] = [None] * len(jobs)

    async def one(index: int, job: Job) -> None:
        async with gate:
            # An episode of recorded calls waits for nothing: thousands would run in one turn of the loop, deaf to an interrupt.
            await asyncio.sleep(0)
            weight = cost_weight if job.cost_weight is None else job.cost_weight
            episode = await run_episode(job.task, policy, job.ensemble or ensemble, limits, sample=job.sample, cost_weight=weight)
            episodes[index] = episode
            if done is not None and (rest := done(index, episode)) is not None:
                await rest

    async with asyncio.TaskGroup() as group:
        for index, job in enumerate(jobs):
            group.create_task(one(index, job))
    return [episode for episode in episodes if episode is not None]
