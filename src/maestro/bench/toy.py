"""What benchmarks work on: a menu, pictures of noise, an ensemble that answers at once, an untrained tiny policy."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from maestro.images import ImageStore
from maestro.registry.menu import Menu
from maestro.types import Call, Expert, Observation, Price, Skill, Task

WORDS = ("read", "chart", "count", "perceive", "locate", "diagram", "geometry", "science", "solve", "run", "embodied")
EXPERTS = tuple(f"{word}-expert" for word in WORDS)


def menu() -> Menu:
    """Eleven experts and eleven skills, as many as the playground has."""
    experts = tuple(Expert(id=name, summary="sees", kind="local", price=Price(call_usd=0.001)) for name in EXPERTS)
    skills = tuple(Skill(id=word, summary="does", experts=EXPERTS[:5]) for word in WORDS)
    return Menu(experts, skills)


def tasks(images: ImageStore, count: int) -> list[Task]:
    """Questions with a picture of noise each, 320 x 240 pixels; always the same ones."""
    rng = np.random.default_rng(0)
    return [
        Task(
            id=str(n),
            question=f"How many circles are there in picture {n}, and which of them is the largest?",
            images=(images.put(rng.integers(0, 256, (240, 320, 3), dtype=np.uint8)),),
            references=("7",),
        )
        for n in range(count)
    ]


class InstantEnsemble:
    """Answers every call with the same observation."""

    name = "instant@0"
    observation = Observation(text="answer: 7\nconfidence: 0.90\nevidence: one", value="7", confidence=0.9)

    def __init__(self) -> None:
        self.menu = menu()

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        """The observation, at once."""
        del call, task, deadline_seconds
        return self.observation


def tiny_policy(images: ImageStore, new_tokens: int) -> Any:
    """A `LocalPolicy` of one and a half million untrained parameters on one thread; decisions end after `new_tokens`."""
    from maestro.policy.local import LocalPolicy, Sampling
    from maestro.policy.local_model import build_tiny

    with tempfile.TemporaryDirectory() as folder:
        build_tiny(Path(folder), 0, experts=EXPERTS, skills=WORDS)
        return LocalPolicy.load(folder, images, Sampling(max_new_tokens=new_tokens))
