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
    """Make `sample` recorded calls live, drawn at random, none twice; all of them where there are no more.

    Half of the drawn calls that give something to follow up are followed up instead; where all are made, follow-ups are among them.
    """
    rng = random.Random(f"verify/{seed}")
    pairs = recorded.menu.pairs
    firsts = len(tasks) * len(pairs)
    places = rng.sample(range(firsts), min(sample, firsts))
    drawn = iter([(tasks[place // len(pairs)].unanswered(), pairs[place % len(pairs)], rng.random(), rng.random()) for place in places])
    found = Verification()
    made: set[tuple[str, Call]] = set()

    async def work() -> None:
        for task, (expert, skill), follow, which in drawn:
            call = Call(expert=expert, skill=skill)
            offered = followers(recorded.menu, await recorded.perform(call, task, _DEADLINE_SECONDS))
            chosen = [one for one in offered if (task.id, one) not in made]
            if sample < firsts:
                chosen = [chosen[int(which * len(chosen))]] if chosen and follow < 0.5 else []
            for one in (call, *chosen) if sample >= firsts or not chosen else chosen:
                if len(made) < sample:
                    made.add((task.id, one))
                    await _check(found, task, one, recorded, live, tolerance)
                    if progress is not None:
                        progress(len(made))

    await asyncio.gather(*(work() for _ in range(max(1, concurrency))))
    return found


async def _check(found: Verification, task: Task, call: Call, recorded: Performs, live: Performs, tolerance: float) -> None:
    """Make one call live and note how it compares."""
    expected = await recorded.perform(call, task, _DEADLINE_SECONDS)
    if expected.status in {"expert_error", "timeout"}:
        found.unrecorded += 1
    else:
        _compare(found, task, call, expected, await live.perform(call, task, _DEADLINE_SECONDS), tolerance)


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
