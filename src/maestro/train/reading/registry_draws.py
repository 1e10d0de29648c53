"""Registry randomisation: every task of a round is met on a registry of its own, so that only reading the menu helps.

A draw leaves out experts and skills, offers a copy of an expert under another name, breaks an expert (its calls fail before one's eyes),
moves prices, words cards anew, empties them or exchanges them between experts (which makes them mislead), and forgets what is on
record. Names and order need no drawing: the policy has no way of reading them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from maestro.policy.baselines.recorded import RecordedTask
from maestro.registry.menu import Menu
from maestro.types import Observation

Array = NDArray[np.float32]
Integers = NDArray[np.int64]
COPY, BROKEN = "a-copy", "a-broken-copy"
"""Ids of the two experts that a training menu has besides; each task has its own originals of them."""
FAILED = Observation(text="error: the expert is not available", status="policy_error")


class DrawConfig(BaseModel):
    """How often a draw changes what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plain: float = Field(default=0.35, ge=0, le=1)
    """Share of draws with the whole registry as it is (but for prices and cost weights)."""
    expert_out: float = Field(default=0.15, ge=0, le=1)
    """Chance of each expert to be missing."""
    skill_out: float = Field(default=0.06, ge=0, le=1)
    copied: float = Field(default=0.2, ge=0, le=1)
    """Chance that some expert is offered twice."""
    broken: float = Field(default=0.12, ge=0, le=1)
    """Chance that some expert fails whenever it is called."""
    price: float = Field(default=0.35, ge=0)
    """Standard deviation of the logarithm of each price's factor."""
    neutral: float = Field(default=0.12, ge=0, le=1)
    """Chance of each expert's card to say nothing."""
    misleading: float = Field(default=0.08, ge=0, le=1)
    """Chance that the experts' cards are exchanged."""
    skill_neutral: float = Field(default=0.06, ge=0, le=1)
    """Chance of each skill to show no text."""
    skill_misleading: float = Field(default=0.04, ge=0, le=1)
    """Chance that the skills' texts are exchanged."""
    unrecorded: float = Field(default=0.3, ge=0, le=1)
    """Chance of each expert and, half as often, of each skill to have nothing on record; as often an expert has only a short record."""


@dataclass(frozen=True)
class Draws:
    """One registry a task: (tasks, experts) and (tasks, skills) with the two copies last among the experts."""

    experts: NDArray[np.bool_]
    skills: NDArray[np.bool_]
    factor: Array
    """Of each expert's price."""
    expert_text: Integers
    """Which wording of which card an expert shows: index into (experts x wordings), or -1 for none."""
    skill_card: Integers
    """Whose texts a skill shows, -1 for none's."""
    wording: Integers
    """(tasks,): which wording of the skills' texts."""
    record: Integers
    """Which part of the recorded questions an expert's record has: index of a part, or -1 for none."""
    known: NDArray[np.bool_]
    """Whether a skill's pairs have their record."""
    weight: Array
    """(tasks,)"""


class RegistryDraws:
    """Draws registries for tasks whose copies' originals are fixed."""

    def __init__(
        self, experts: NDArray[np.bool_], skills: NDArray[np.bool_], originals: Integers, wordings: int, parts: int, config: DrawConfig
    ) -> None:
        """`experts` and `skills`: which exist for this training; `originals` (tasks, 2): of the copy and of the broken copy.

        Part 0 of the record is all of it, the others are shorter and shorter.
        """
        self._experts, self._skills, self.originals = experts, skills, originals
        self.wordings, self.parts, self.config = wordings, parts, config

    def draw(self, rng: np.random.Generator, weights: tuple[float, float], usual: float) -> Draws:
        """A registry for every task; a dollar counts `usual` for a third of them, else between `weights` on a log scale."""
        tasks, experts, skills, config = len(self.originals), len(self._experts), len(self._skills), self.config
        plain = rng.random(tasks) < config.plain
        on = (rng.random((tasks, experts)) >= config.expert_out) | plain[:, None]
        offered = (rng.random((tasks, skills)) >= config.skill_out) | plain[:, None]
        copied = (rng.random(tasks) < config.copied) & ~plain
        broken = (rng.random(tasks) < config.broken) & ~plain
        rows = np.arange(tasks)
        on[rows[broken], self.originals[broken, 1]] = False
        copies = np.stack([copied, broken], axis=1) & self._experts[self.originals]
        on, offered = on & self._experts, offered & self._skills
        factor = np.exp(rng.normal(0, config.price, (tasks, experts + 2)))
        texts = np.tile(np.arange(experts), (tasks, 1))
        for row in np.flatnonzero((rng.random(tasks) < config.misleading) & ~plain):
            texts[row, self._experts] = rng.permutation(np.flatnonzero(self._experts))
        texts = np.concatenate([texts, texts[rows[:, None], self.originals]], axis=1)
        wordings = np.where(plain[:, None], 0, rng.integers(0, self.wordings, texts.shape))
        said = (rng.random(texts.shape) >= config.neutral) | plain[:, None]
        cards = np.tile(np.arange(skills), (tasks, 1))
        for row in np.flatnonzero((rng.random(tasks) < config.skill_misleading) & ~plain):
            cards[row, self._skills] = rng.permutation(np.flatnonzero(self._skills))
        silent = (rng.random(cards.shape) < config.skill_neutral) & ~plain[:, None]
        low, high = np.log(weights)
        weight = np.where(rng.random(tasks) < 1 / 3, usual, np.exp(rng.uniform(low, high, tasks)))
        return Draws(
            experts=np.concatenate([on, copies], axis=1),
            skills=offered,
            factor=factor.astype(np.float32),
            expert_text=np.where(said, texts * self.wordings + wordings, -1),
            skill_card=np.where(silent, -1, cards),
            wording=np.where(plain, 0, rng.integers(0, self.wordings, tasks)),
            record=self._record(rng, texts.shape),
            known=(rng.random((tasks, skills)) >= config.unrecorded / 2),
            weight=weight.astype(np.float32),
        )

    def _record(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Integers:
        """Nothing, a short part or all of the record for each expert."""
        drawn, short = rng.random(shape), rng.integers(1, max(2, self.parts), shape)
        part = np.where(drawn < 2 * self.config.unrecorded, np.minimum(short, self.parts - 1), 0)
        return np.where(drawn < self.config.unrecorded, -1, part)


def with_copies(menu: Menu) -> Menu:
    """The menu with the two copies, offered for every skill: which task has which of their calls is up to its outcomes."""
    plain = menu.experts[0].model_copy(update={"summary": "", "aliases": ()})
    copies = tuple(plain.model_copy(update={"id": name}) for name in (COPY, BROKEN))
    skills = tuple(skill.model_copy(update={"experts": (*skill.experts, COPY, BROKEN)}) for skill in menu.skills)
    return Menu((*menu.experts, *copies), skills, menu.digest, menu.dialect, menu.children)


def copied(task: RecordedTask, originals: Sequence[str]) -> RecordedTask:
    """The task with the outcomes of two copies: of `originals[0]` as they are, of `originals[1]` all failed."""
    outcomes = dict(task.outcomes)
    for (expert, skill, query), seen in task.outcomes.items():
        if expert == originals[0]:
            outcomes[COPY, skill, query] = seen
        if expert == originals[1]:
            outcomes[BROKEN, skill, query] = FAILED
    return RecordedTask(task.task, outcomes, task.cost_weight)
