"""Experiments on what a policy has not seen: hold-out sets, and how their cards read when they are added at test time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from maestro.policy.reading.policy import ReadingPolicy
from maestro.policy.reading.record import TrackRecord
from maestro.registry.edits import reworded, without
from maestro.registry.menu import Menu
from maestro.rollout.pool import RecordedPool
from maestro.train.reading.ground import part_of
from maestro.train.reading.training import Played, play_pool

NEUTRAL = {"experts": "An expert.", "skills": "A skill."}
SHORT_RECORDS = (16, 64, 256)
"""Recorded questions that a new card comes with, in the conditions that have some."""


@dataclass(frozen=True)
class HoldOut:
    """Experts and skills that training never meets."""

    name: str
    experts: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    misleading: Mapping[str, str] | None = None
    """By id: whose description it shows in the condition that misleads."""

    def new_pairs(self, menu: Menu) -> frozenset[tuple[str, str]]:
        """The pairs of a menu that training did not meet."""
        return frozenset((expert, skill) for expert, skill in menu.pairs if expert in self.experts or skill in self.skills)

    def neutral(self, menu: Menu) -> Menu:
        """The menu with cards that say nothing."""
        return reworded(menu, dict.fromkeys(self.experts, NEUTRAL["experts"]), dict.fromkeys(self.skills, NEUTRAL["skills"]))

    def misled(self, menu: Menu) -> Menu:
        """The menu with the cards of others."""
        said = {card.id: card.summary for card in menu.experts} | {card.id: card.summary for card in menu.skills}
        lies = {name: said[other] for name, other in (self.misleading or {}).items()}
        return reworded(menu, *({name: text for name, text in lies.items() if name in ids} for ids in (self.experts, self.skills)))


HOLD_OUTS = (
    HoldOut(
        "strong experts",
        experts=("full-rapidocr", "robust-opencv"),
        misleading={"full-rapidocr": "algebra-solver", "robust-opencv": "code-sandbox"},
    ),
    HoldOut(
        "cheap experts",
        experts=("sparse-tesseract", "fast-opencv"),
        misleading={"sparse-tesseract": "fitting-opencv", "fast-opencv": "algebra-solver"},
    ),
    HoldOut("skills", skills=("perceive", "embodied"), misleading={"perceive": "science", "embodied": "solve"}),
)
"""Of the playground."""


def conditions(policy: ReadingPolicy, held: HoldOut, pool: RecordedPool, record: TrackRecord, seed: int) -> dict[str, list[Played]]:
    """Every condition of a policy that never met `held`, played on a pool that has it: name -> episodes in the pool's order.

    `record` knows the new pairs; a condition with a number shows the policy so many of its questions, drawn by `seed`.
    """
    new, own = held.new_pairs(pool.menu), policy.record
    assert own is not None
    rng = np.random.default_rng(seed)
    short = {size: own.joined(part_of(record.only(new), size, rng)) for size in SHORT_RECORDS}
    menus = {"cards": pool.menu, "neutral": held.neutral(pool.menu), "misleading": held.misled(pool.menu)}
    played = {"never": _play(policy, pool, without(pool.menu, held.experts, held.skills), own)}
    played |= {name: _play(policy, pool, menu, own) for name, menu in menus.items()}
    played |= {f"cards, {size} recorded": _play(policy, pool, pool.menu, known) for size, known in short.items()}
    for name in ("neutral", "misleading"):
        played |= {f"{name}, {size} recorded": _play(policy, pool, menus[name], short[size]) for size in SHORT_RECORDS}
    return played


def _play(policy: ReadingPolicy, pool: RecordedPool, menu: Menu, record: TrackRecord) -> list[Played]:
    """The pool's questions on a menu with a record; the policy keeps its own."""
    shown = ReadingPolicy(
        policy.committee, policy.eyes, policy.images, words=policy.words, record=record, weight=policy.weight, reluctance=policy.reluctance
    )
    return play_pool(shown, [recorded.task for recorded in pool.tasks.values()], RecordedPool(pool.tasks.values(), menu, pool.name))
