"""Which texts a skill is judged by: its card's, or where its record contradicts them, the questions that it solved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.policy.reading.cards import SkillTexts, texts_of
from maestro.policy.reading.record import TrackRecord
from maestro.registry.menu import Menu

CREDIBLE = 0.7
"""Chance below which a card is not believed: that of a solved question and an unsolved one the solved one fits the card better."""
ENOUGH = 3
"""Questions of both kinds that have to be on record before a card can be doubted."""
EXAMPLES = 64
"""Solved questions that stand for a card that is not believed, at most."""


@dataclass(frozen=True)
class Heard:
    """The texts of a menu's skills as they are believed."""

    texts: tuple[tuple[str, ...], ...]
    """By skill, in menu order."""
    doubted: tuple[bool, ...]
    """Which are not those of the card."""


def hear(menu: Menu, record: TrackRecord | None) -> Heard:
    """Read the cards of a menu's skills against the record.

    A description can be wrong or empty, and nothing in it shows that; how well it tells the questions that the skill solved from the
    others does (the area under the ROC curve of the question's likeness to it). Only pairs on the menu count: somebody
    else's skill of the same name is another skill.
    """
    said = tuple(texts_of(menu, skill) for skill in menu.skills)
    if record is None or not record.questions:
        return Heard(said, (False,) * len(said))
    here = record.only(frozenset(menu.pairs))
    written = np.array([bool(question.strip()) for question in record.questions])
    fits = SkillTexts(said).likeness(record.questions)[..., 0]
    texts, doubted = [], []
    for place, skill in enumerate(menu.skills):
        solved, missed = (rows & written for rows in here.solved(skill.id))
        sure = min(solved.sum(), missed.sum()) >= ENOUGH
        doubted.append(bool(sure and _told_apart(fits[solved, place], fits[missed, place]) < CREDIBLE))
        texts.append(_examples(record, solved) if doubted[-1] else said[place])
    return Heard(tuple(texts), tuple(doubted))


def _told_apart(solved: NDArray[np.float32], missed: NDArray[np.float32]) -> float:
    """Chance that a solved question fits better than a missed one, ties counting half."""
    ordered = np.sort(missed)
    below, upto = np.searchsorted(ordered, solved, "left"), np.searchsorted(ordered, solved, "right")
    return float((below + upto).mean() / (2 * len(missed)))


def _examples(record: TrackRecord, solved: NDArray[np.bool_]) -> tuple[str, ...]:
    """Texts of the solved questions, spread over the record where there are many."""
    texts = list(dict.fromkeys(record.questions[row] for row in np.flatnonzero(solved)))
    return tuple(texts[int(place)] for place in np.linspace(0, len(texts) - 1, min(EXAMPLES, len(texts))))
