"""Experts that say random things: what warm-start traces are made of and what copying is measured on.

Nothing in a synthetic observation is true or depends on the expert, so nothing about experts can be learned from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from maestro.registry.menu import Menu
from maestro.skills.protocol import SkillResult
from maestro.train.seeding import generator
from maestro.train.warm_start import values
from maestro.types import Call, Observation, Task, Value


class Scene(Protocol):
    """One question of the warm split, with what a teacher may say about it."""

    @property
    def task(self) -> Task:
        """The question; its images are in the image store."""
        ...

    @property
    def plan(self) -> tuple[str, ...]:
        """Level-1 skills that the question calls for, in order; empty when it can be answered at once."""
        ...

    @property
    def look(self) -> str:
        """One or two words for what the picture looks like."""
        ...


UNSEEN = "unseen"
"""What a thought says of the look when there is no picture."""

_NEXT: dict[str, Value] = {"solve": "expression", "run": "code"}
_EVIDENCE = (
    "1 line", "2 lines", "3 words", "5 words", "largest text", "label matched", "nearest number", "12 shapes", "4 contours", "2 circles",
    "needle at 41 deg", "bar height 83 px", "grid 4x5", "frame found", "weak edges", "no match", "3 candidates", "", "",
)  # fmt: skip


def gives(plan: tuple[str, ...], skill: str) -> Value:
    """What kind of value `skill` gives inside `plan`: what the next skill takes, or an answer."""
    if skill not in plan or plan.index(skill) == len(plan) - 1:
        return "answer"
    return _NEXT.get(plan[plan.index(skill) + 1], "region")


def topic(plan: tuple[str, ...]) -> str:
    """How a thought names a plan."""
    return " ".join(plan) if plan else "answer"


class SyntheticEnsemble:
    """Performs any allowed call with a random observation in the shape of `SkillResult.text`.

    The same call on the same task gives the same observation; different experts agree about one time in four.
    `silent` is the share of observations that found nothing.
    """

    name = "synthetic"

    def __init__(self, menu: Menu, scenes: Iterable[Scene], seed: int, silent: float = 0.15) -> None:
        self.menu = menu
        self.seed = seed
        self.silent = silent
        self._scenes = {scene.task.id: scene for scene in scenes}

    def result(self, call: Call, task_id: str, salt: object = 0) -> SkillResult:
        """The random result of a call."""
        scene = self._scenes[task_id]
        kind = gives(scene.plan, call.skill)
        like = scene.task.references[0] if scene.task.references else ""
        rng = generator(self.seed, "result", salt, task_id, call.expert, call.skill, call.query)
        shared = generator(self.seed, "shared", salt, task_id, call.skill, call.query)
        if rng.random() < self.silent:
            return SkillResult(value=None, confidence=rng.uniform(0, 0.3), evidence=rng.choice(_EVIDENCE), gives=kind)
        source = shared if rng.random() < 0.25 else rng
        # Two decimals are shown; a sum of uniforms spreads confidences as skills do, with both ends well visited.
        confidence = min(1.0, max(0.0, rng.choice((rng.random(), rng.betavariate(6, 1.5)))))
        return SkillResult(value=values.draw(kind, like, source), confidence=confidence, evidence=rng.choice(_EVIDENCE), gives=kind)

    async def perform(self, call: Call, task: Task, deadline_seconds: float = 120.0) -> Observation:  # noqa: ARG002
        """The observation of a call; a pair that is not on the menu is the policy's fault."""
        if not self.menu.allows(call.expert, call.skill):
            return Observation(text=f"error: {call.expert} is not offered for {call.skill}", status="policy_error")
        return observation(self.result(call, task.id))


def observation(result: SkillResult) -> Observation:
    """A result as the policy reads it."""
    return Observation(text=result.text, value=result.value, gives=result.gives, confidence=result.confidence)
