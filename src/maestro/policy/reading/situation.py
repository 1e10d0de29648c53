"""A situation as numbers: what is on offer, what is on record about it, and what has happened. No number tells a name or a place.

Rows are situations, columns the pairs of an action space. All functions take many rows at once, so that training and deciding share them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.policy.features.history import CALLS, ActionSpace
from maestro.policy.reading.cards import LIKENESS, WORDS
from maestro.policy.reading.record import MOMENTS
from maestro.registry.menu import Menu

Array = NDArray[np.float32]
Integers = NDArray[np.int64]
KINDS = ("question", "region", "expression", "code")
"""What a skill takes."""
_GIVES = ("answer", "region", "expression", "code")
CARD = LIKENESS + 2 + 2 + 3 + 2 + len(KINDS) + len(_GIVES)
RECORD = 7
REST = 76
"""Numbers of a history that do not belong to a pair."""
_LAST, _BEFORE = 2, 21
"""Where the last observation and the one before begin in them: failed, confidence, four kinds, shape."""
CALL = CARD + 2 * RECORD + 4 + 12 + 2 * WORDS
STATE = REST + 2 + CARD + 2 * RECORD + 2 + 2 * WORDS + 7 + 3


@dataclass(frozen=True)
class Layout:
    """The pairs of an action space by expert and skill."""

    expert: Integers
    """(pairs,)"""
    skill: Integers
    takes: Array
    """(pairs, KINDS)"""
    gives: Array
    """(pairs, kinds a skill gives)"""

    @classmethod
    def of(cls, menu: Menu, space: ActionSpace) -> Layout:
        """The layout of a menu's pairs."""
        experts = {expert.id: place for place, expert in enumerate(menu.experts)}
        skills = {skill.id: place for place, skill in enumerate(menu.skills)}
        cards = [menu.skills[skills[skill]] for _, skill in space.pairs]
        return cls(
            expert=np.array([experts[expert] for expert, _ in space.pairs], dtype=np.int64),
            skill=np.array([skills[skill] for _, skill in space.pairs], dtype=np.int64),
            takes=np.array([[kind in card.takes for kind in KINDS] for card in cards], dtype=np.float32).reshape(-1, len(KINDS)),
            gives=np.array([[kind == card.gives for kind in _GIVES] for card in cards], dtype=np.float32).reshape(-1, len(_GIVES)),
        )

    @property
    def size(self) -> int:
        """Number of pairs."""
        return len(self.expert)


@dataclass(frozen=True)
class Offer:
    """What is offered, row by row: cards and record of every pair, and what a dollar counts for."""

    layout: Layout
    offered: NDArray[np.bool_]
    """(rows, pairs)"""
    price: Array
    """(rows, pairs), dollars a call"""
    weight: Array
    """(rows,): utility per dollar"""
    likeness: Array
    """(rows, pairs, LIKENESS): of the question to the skill's texts"""
    asked: Array
    """(rows, pairs, MOMENTS)"""
    carried: Array
    expert_words: Array
    """(texts, WORDS): the words of cards"""
    expert_text: Integers
    """(rows, pairs): which of them"""
    skill_words: Array
    skill_text: Integers

    def cards(self) -> Array:
        """What the cards say of every pair, beside their words: (rows, pairs, CARD)."""
        skills, experts = self.layout.skill, self.layout.expert
        like = np.where(self.offered[..., None], self.likeness, 0.0)
        best = like.max(axis=1, keepdims=True, initial=0.0)
        same_skill = (skills[:, None] == skills[None, :]).astype(np.float32)
        same_expert = (experts[:, None] == experts[None, :]).astype(np.float32)
        on = self.offered.astype(np.float32)
        beside = np.maximum(on @ same_skill, 1.0)
        dearer = np.stack([(on * same_skill[p] * (self.price > self.price[:, p : p + 1])).sum(axis=1) for p in range(len(skills))], axis=1)
        cheaper = np.stack([(on * same_skill[p] * (self.price < self.price[:, p : p + 1])).sum(axis=1) for p in range(len(skills))], axis=1)
        parts = [
            self.likeness,
            self.likeness - best,
            np.log10(1000 * self.price + 0.1)[..., None],
            np.minimum(self.weight[:, None] * self.price, 3.0)[..., None],
            (dearer / beside)[..., None],
            (cheaper / beside)[..., None],
            (beside / 8)[..., None],
            (on @ same_expert / 8)[..., None],
            (np.abs(self.expert_words).sum(axis=1) > 0).astype(np.float32)[self.expert_text][..., None],
            np.broadcast_to(self.layout.takes, (*on.shape, len(KINDS))),
            np.broadcast_to(self.layout.gives, (*on.shape, len(_GIVES))),
        ]
        return np.concatenate(parts, axis=2).astype(np.float32)


def on_record(found: Array) -> Array:
    """Moments (..., MOMENTS) as the network reads them, (..., RECORD): counts on a log scale, means, and what confidence tells."""
    slope, _ = _line(found)
    return np.concatenate([np.log1p(found[..., :2]) / 8, found[..., 2:6], slope[..., None]], axis=-1).astype(np.float32)


def worth_at(found: Array, sure: Array) -> Array:
    """What a call that came back with a confidence is worth by the record (moments (..., MOMENTS)): a line through worth and confidence."""
    slope, middle = _line(found)
    value = np.where(found[..., 1] > 0, middle + slope * (sure - found[..., 5]), 0.0)
    return np.asarray(np.clip(value, 0.0, 1.0), dtype=np.float32)


def _line(found: Array) -> tuple[Array, Array]:
    """Slope of worth over confidence, and mean worth."""
    worth, sure = found[..., 2], found[..., 5]
    slope = (found[..., 6] - worth * sure) / (found[..., 7] - sure * sure + 0.02)
    return np.clip(slope, -2.0, 2.0), worth


class Situations:
    """Numbers of offers whose cards have been read once; `rows` pick offers, one for each history."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        cards, asked, carried = offer.cards(), on_record(offer.asked), on_record(offer.carried)
        worth = np.where(offer.offered, asked[..., 2], 0.0)
        gain = worth - offer.weight[:, None] * offer.price
        best = np.where(offer.offered, gain, -1.0).max(axis=1, keepdims=True, initial=-1.0)
        leads = np.stack([worth - worth.max(axis=1, keepdims=True, initial=0.0), np.clip(gain, -2, 1), np.clip(gain - best, -2, 0)], axis=2)
        known = (asked[..., 1] > 0).astype(np.float32)[..., None]
        self._pair = np.concatenate([cards, asked, carried, leads, known], axis=2).astype(np.float32)
        """(rows, pairs, CARD + 2 RECORD + 4): what does not change within an episode."""
        tops = [like.max(axis=1, initial=0.0) for like in (cards[..., 0] * offer.offered, worth)]
        self._row = np.stack([np.log10(offer.weight + 0.1), *tops], axis=1).astype(np.float32)

    def state(self, rows: Integers, history: Array) -> Array:
        """(rows, STATE) of histories (rows, 4 pairs + REST) as `ActionSpace.vector` writes them."""
        offer, pairs = self.offer, self.offer.layout.size
        by_pair, rest = history[:, : 4 * pairs].reshape(-1, 4, pairs), history[:, 4 * pairs :]
        spent = (by_pair[:, 0] * offer.price[rows]).sum(axis=1)
        money = np.stack([20 * spent, np.minimum(offer.weight[rows] * spent, 3.0)], axis=1)
        last = by_pair[:, 3].argmax(axis=1) if pairs else np.zeros(len(rows), dtype=np.int64)
        any_call = (by_pair[:, 3].max(axis=1, initial=0.0) > 0).astype(np.float32)[:, None]
        sure = np.maximum(by_pair[:, 1], 0.0)
        worth = np.where(by_pair[:, 1] > 0, worth_at(offer.asked[rows], sure), 0.0)
        passed = np.where(by_pair[:, 1] > 0, worth_at(offer.carried[rows], sure), 0.0)
        with_most = by_pair[:, 2] * by_pair[:, 0]
        giver = np.concatenate([self._pair[rows, last], *self._words(rows, last)], axis=1) * any_call
        voices = [
            (worth * with_most).max(axis=1),
            (worth * with_most).sum(axis=1),
            with_most.sum(axis=1) / CALLS,
            (worth * by_pair[:, 0] * (1 - with_most)).max(axis=1),
            worth[np.arange(len(rows)), last] * any_call[:, 0],
            passed[np.arange(len(rows)), last] * any_call[:, 0],
            (passed * with_most).max(axis=1),
        ]
        rest = np.concatenate([rest[:, :1], 0 * rest[:, 1:2], rest[:, 2:]], axis=1)
        givers = [giver[:, : CARD + 2 * RECORD + 2], giver[:, -2 * WORDS :]]
        return np.concatenate([rest, money, *givers, np.stack(voices, axis=1), self._row[rows]], axis=1).astype(np.float32)

    def calls(self, rows: Integers, columns: Integers, history: Array) -> Array:
        """(calls, CALL): of calls of pair `columns[i]` in row `rows[i]` with history `history[i]`."""
        layout, offer, pairs = self.offer.layout, self.offer, self.offer.layout.size
        by_pair, rest = history[:, : 4 * pairs].reshape(-1, 4, pairs), history[:, 4 * pairs :]
        here = np.arange(len(rows))
        same_expert = (layout.expert[None, :] == layout.expert[columns][:, None]) * by_pair[:, 0]
        same_skill = (layout.skill[None, :] == layout.skill[columns][:, None]) * by_pair[:, 0]
        last = by_pair[:, 3].argmax(axis=1)
        any_call = by_pair[:, 3].max(axis=1)
        mine, my_skill = self._words(rows, columns)
        theirs, _ = self._words(rows, last)
        price, before = offer.price[rows, columns], offer.price[rows, last]
        kinds = layout.takes[columns][:, 1:]
        dynamic = [
            by_pair[here, 0, columns],
            same_expert.sum(axis=1) / CALLS,
            same_skill.sum(axis=1) / CALLS,
            (same_skill * np.maximum(by_pair[:, 1], 0)).max(axis=1),
            (kinds * rest[:, _LAST + 3 : _LAST + 6]).max(axis=1),
            (kinds * rest[:, _BEFORE + 3 : _BEFORE + 6]).max(axis=1),
            (layout.skill[last] == layout.skill[columns]) * any_call,
            (mine * theirs).sum(axis=1) * any_call,
            np.clip(np.log10((price + 1e-4) / (before + 1e-4)), -2, 2) * any_call,
            rest[:, 0],
            any_call,
            (same_skill * by_pair[:, 2]).sum(axis=1) / CALLS,
        ]
        return np.concatenate([self._pair[rows, columns], np.stack(dynamic, axis=1), mine, my_skill], axis=1).astype(np.float32)

    def _words(self, rows: Integers, columns: Integers) -> tuple[Array, Array]:
        """Words of the expert's card and of the skill's."""
        offer = self.offer
        return offer.expert_words[offer.expert_text[rows, columns]], offer.skill_words[offer.skill_text[rows, columns]]


__all__ = ["CALL", "MOMENTS", "STATE", "Layout", "Offer", "Situations"]
