"""How much faster decisions are in a micro-batch than one by one, on the same work with the same weights.

64 sessions of an untrained tiny policy decide once each: first one after the other, then all at once. Two kinds of work:
`training` (8 tasks with a picture each, 8 samples of every task) and `evaluation` (64 tasks, 64 pictures). Decisions are 24
tokens long. Both ways give the same ids. Prints the median over rounds measured in turns in one process on one thread.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from maestro.images import ImageStore
from maestro.policy.local import LocalPolicy, Sampling
from maestro.policy.local_model import build_tiny
from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.types import Expert, Price, Skill, Task

SESSIONS = 64
TOKENS = 24
ROUNDS = 5


def openings(images: ImageStore, tasks: int) -> list[Opening]:
    """`SESSIONS` openings spread over so many tasks."""
    rng = np.random.default_rng(0)
    experts = tuple(Expert(id=f"{word}-expert", summary="sees", kind="local", price=Price(call_usd=0.001)) for word in WORDS)
    skills = tuple(Skill(id=word, summary="does", experts=tuple(expert.id for expert in experts[:5])) for word in WORDS)
    made = [
        Task(
            id=str(n),
            question=f"How many circles are there in picture {n}, and which of them is the largest?",
            images=(images.put(Image.fromarray(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8))),),
        )
        for n in range(tasks)
    ]
    return [Opening(made[n % tasks], Menu(experts, skills), sample=n // tasks, cost_weight=20.0) for n in range(SESSIONS)]


WORDS = ("read", "chart", "count", "perceive", "locate", "diagram", "geometry", "science", "solve", "run", "embodied")


async def decide(policy: LocalPolicy, work: list[Opening], together: bool) -> tuple[float, list[tuple[int, ...]]]:
    """(seconds a decision, ids)."""
    started = time.perf_counter()
    if together:
        sessions = [policy.open(opening) for opening in work]
        decisions = await asyncio.gather(*(session.decide() for session in sessions))
    else:
        decisions = [await policy.open(opening).decide() for opening in work]
    return (time.perf_counter() - started) / len(work), [decision.token_ids for decision in decisions]


async def main() -> None:
    """Print milliseconds a decision and the ratio for both kinds of work."""
    images = ImageStore()
    with tempfile.TemporaryDirectory() as folder:
        build_tiny(Path(folder), 0, experts=[f"{word}-expert" for word in WORDS], skills=WORDS)
        policy = LocalPolicy.load(folder, images, Sampling(max_new_tokens=TOKENS))
    for name, tasks in (("training", 8), ("evaluation", SESSIONS)):
        work = openings(images, tasks)
        _, warm = await decide(policy, work, together=True)
        alone, batched = [], []
        for _ in range(ROUNDS):
            seconds, ids = await decide(policy, work, together=False)
            alone.append(seconds)
            assert ids == warm
            seconds, ids = await decide(policy, work, together=True)
            batched.append(seconds)
            assert ids == warm
        one, many = statistics.median(alone), statistics.median(batched)
        ratio = statistics.median(a / b for a, b in zip(alone, batched, strict=True))
        print(
            f"{name}: one by one {one * 1e3:.1f} ms, batched {many * 1e3:.1f} ms a decision, {ratio:.1f} times faster (target: at least 5)"
        )


if __name__ == "__main__":
    asyncio.run(main())
