"""Is a record still true? A random sample of recorded calls is made again with live experts and compared."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from maestro.policy.baselines.route import followers
from maestro.rollout.episode import Performs
from maestro.types import Call, Observation, Task

TOLERANCE = 0.02
"""Confidences may differ by this much: float arithmetic differs between processors."""
_DEADLINE_SECONDS = 600.0


@dataclass(frozen=True)
class Disagreement:
    """One call whose live outcome is not the recorded one."""

    task_id: str
    call: Call
    recorded: str
    live: str


@dataclass
class Verification:
    """What a verification found."""

    checked: int = 0
    agreed: int = 0
    same_text: int = 0
    """Agreed to the letter."""
    disagreements: list[Disagreement] = field(default_factory=list)
    unrecorded: int = 0
    """Calls drawn that the store cannot replay."""
    broken: list[str] = field(default_factory=list)
    """Live calls that failed for reasons of infrastructure; they say nothing about the record."""

    @property
    def agreement(self) -> float:
        """Share of checked calls that agree; NaN when none could be checked."""
        return self.agreed / self.checked if self.checked else float("nan")

    @property
    def passed(self) -> bool:
        """Something was checked, everything agrees, nothing is missing or broken."""
        return self.checked > 0 and not self.disagreements and not self.unrecorded and not self.broken


async def verify(
    tasks: Sequence[Task],
    recorded: Performs,
    live: Performs,
    sample: int,
    *,
    seed: int = 0,
    concurrency: int = 4,
    tolerance: float = TOLERANCE,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Draw `sample` recorded calls (half of those that give something to follow up are followed up) and make them live."""
    rng = random.Random(f"verify/{seed}")
    drawn = iter([(rng.choice(tasks), rng.random(), rng.random(), rng.random()) for _ in range(sample)])
    found = Verification()
    done = 0

    async def work() -> None:
        nonlocal done
        for task, first, follow, which in drawn:
            hidden = task.unanswered()
            call, expected = await _draw(hidden, recorded, first, follow, which)
            if expected.status in {"expert_error", "timeout"}:
                found.unrecorded += 1
            else:
                actual = await live.perform(call, hidden, _DEADLINE_SECONDS)
                _compare(found, task, call, expected, actual, tolerance)
            done += 1
            if progress is not None:
                progress(done)

    await asyncio.gather(*(work() for _ in range(max(1, concurrency))))
    return found


async def _draw(task: Task, recorded: Performs, first: float, follow: float, which: float) -> tuple[Call, Observation]:
    """A random recorded call of a task with its outcome, from numbers in [0, 1)."""
    pairs = recorded.menu.pairs
    expert, skill = pairs[int(first * len(pairs))]
    call = Call(expert=expert, skill=skill)
    observation = await recorded.perform(call, task, _DEADLINE_SECONDS)
    offered = followers(recorded.menu, observation)
    if offered and follow < 0.5:
        call = offered[int(which * len(offered))]
        observation = await recorded.perform(call, task, _DEADLINE_SECONDS)
    return call, observation


def _compare(found: Verification, task: Task, call: Call, recorded: Observation, live: Observation, tolerance: float) -> None:
    if live.status in {"expert_error", "timeout"}:
        found.broken.append(f"{task.id}: {live.text}")
        return
    found.checked += 1
    found.same_text += recorded.text == live.text
    same = (recorded.status, recorded.gives, recorded.value) == (live.status, live.gives, live.value)
    if same and abs((recorded.confidence or 0.0) - (live.confidence or 0.0)) <= tolerance:
        found.agreed += 1
    else:
        found.disagreements.append(Disagreement(task.id, call, recorded.text, live.text))
