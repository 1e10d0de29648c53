"""Questions without pictures for the warm start: the examples on the registry's own skill cards.

A card's examples say how people ask for what the skill does, so they teach a policy which skills a wording calls for, whatever
pictures there are to train on. Nothing about experts, answers or outcomes is in them.
"""

from __future__ import annotations

from maestro.registry.registry import Registry
from maestro.tasks.source import TaughtTask
from maestro.train.warm_start.synthetic import UNSEEN
from maestro.types import Skill, Task


def card_wordings(registry: Registry) -> list[TaughtTask]:
    """One scene for every example of every level-2 skill whose plan the cards settle, in menu order.

    The plan is the level-1 skill, followed by the skill that takes what the level-2 skill gives. A value that several skills
    take (a region) leaves the plan open; its examples are left out.
    """
    scenes: list[TaughtTask] = []
    for parent in registry.level_one:
        for skill in registry.children(parent.id):
            plan = _plan(registry, parent, skill)
            if plan is None:
                continue
            for number, example in enumerate(skill.examples):
                task = Task(id=f"{registry.name}/card/{skill.id}/{number}", question=example, references=("",), category=skill.id)
                scenes.append(TaughtTask(task, plan, UNSEEN))
    return scenes


def _plan(registry: Registry, parent: Skill, skill: Skill) -> tuple[str, ...] | None:
    """Level-1 skills in order; None when the cards leave it open."""
    if skill.gives == "answer":
        return (parent.id,)
    takers = [other.id for other in registry.level_one if skill.gives in other.takes and "question" not in other.takes]
    takers = takers or [other.id for other in registry.level_one if skill.gives in other.takes]
    return (parent.id, takers[0]) if len(takers) == 1 else None
