"""The ground on which a reading policy learns: recorded tasks as numbers, and what a drawn registry offers on each of them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.images import ImageStore
from maestro.policy.baselines.recorded import RecordedTask, best
from maestro.policy.features.history import ActionSpace
from maestro.policy.features.picture import picture_vector
from maestro.policy.features.question import question_vector
from maestro.policy.reading.cards import SkillTexts, texts_of, words_vector
from maestro.policy.reading.policy import Eyes
from maestro.policy.reading.record import MOMENTS, TrackRecord, likeness, moments, place_of
from maestro.policy.reading.situation import Layout, Offer
from maestro.registry.menu import Menu
from maestro.train.fitted_q.decision_tree import DecisionTrees
from maestro.train.fitted_q.iteration import frequent_words
from maestro.train.reading.recorded_worth import record_of
from maestro.train.reading.registry_draws import Draws, copied, with_copies
from maestro.train.seeding import generator, number
from maestro.train.variation.wording import reworded, some_of

Array = NDArray[np.float32]
Integers = NDArray[np.int64]
WORDINGS = 4
"""Wordings of every card; the first is the card's own."""
PARTS = 9
"""Parts of the record: all of it, then random parts of it, from long to short."""
SHORTEST = 12


class Ground:
    """Recorded tasks of one menu: features, record and decision trees. Rows are tasks; several trainings may share it."""

    def __init__(self, tasks: Sequence[RecordedTask], menu: Menu, images: ImageStore, eyes: Eyes, words: int, seed: int = 0) -> None:
        """`words`: how many of the most frequent one-word references become answers that a policy may give by itself."""
        self.menu = menu
        self.eyes = eyes
        self.words = frequent_words(tasks, words)
        self.tasks = tuple(tasks)
        self.pairs = menu.pairs
        self._experts = [expert.id for expert in menu.experts]
        random_originals = np.random.default_rng(number(seed, "originals"))
        self.originals = random_originals.integers(0, len(menu.experts), (len(tasks), 2))
        both = [copied(task, [self._experts[place] for place in row]) for task, row in zip(tasks, self.originals, strict=True)]
        wide = with_copies(menu)
        self.space = ActionSpace.of(wide, self.words)
        self.layout = Layout.of(wide, self.space)
        self.trees = DecisionTrees(both, self.space)
        self._see(tasks, images, eyes)
        self._texts(tasks, generator(seed, "wordings"))
        self.record = record_of(tasks, self.places, self.pairs)
        self._remember(np.random.default_rng(number(seed, "record")))
        self._columns()

    def _see(self, tasks: Sequence[RecordedTask], images: ImageStore, eyes: Eyes) -> None:
        """Features of every question and picture."""
        fixed, opinions, places = [], [], []
        for recorded in tasks:
            asked = question_vector(recorded.task.question)
            seen = eyes.seen(picture_vector(images.pixels(recorded.task.images[0]) if recorded.task.images else None))
            opinion = eyes.glance(asked, seen)
            fixed.append(np.concatenate([asked, seen]))
            opinions.append(opinion)
            places.append(place_of(asked, opinion))
        self.fixed, self.opinions, self.places = (np.stack(rows).astype(np.float32) for rows in (fixed, opinions, places))

    def _texts(self, tasks: Sequence[RecordedTask], rng: random.Random) -> None:
        """Wordings of every card, and how well every question fits every wording of the skills."""
        experts = [expert.summary for expert in self.menu.experts]
        self._expert_words = _book([[text, *(reworded(text, rng) for _ in range(WORDINGS - 1))] for text in experts])
        skills = self.menu.skills
        self._skill_words = _book([[one.summary, *(reworded(one.summary, rng) for _ in range(WORDINGS - 1))] for one in skills])
        whole = [texts_of(self.menu, skill) for skill in skills]
        said = [whole, *([some_of(texts, rng) for texts in whole] for _ in range(WORDINGS - 1))]
        questions = [recorded.task.question for recorded in tasks]
        self._likeness = np.stack([SkillTexts(texts).likeness(questions) for texts in said])

    def _remember(self, rng: np.random.Generator) -> None:
        """Moments of every pair for every task under every part of the record, without the task's own row."""
        count, tasks = len(self.pairs), len(self.places)
        weights = likeness(self.places, self.places)
        sizes = [tasks, *np.geomspace(tasks / 2, SHORTEST, PARTS - 1).astype(int).tolist()]
        self._asked = np.zeros((PARTS, tasks, count, MOMENTS), dtype=np.float16)
        self._carried = np.zeros_like(self._asked)
        for part, size in enumerate(sizes):
            out = np.ones(tasks, dtype=bool)
            out[rng.permutation(tasks)[:size]] = False
            for column, pair in enumerate(self.pairs):
                for known, into in ((self.record.asked, self._asked), (self.record.carried, self._carried)):
                    outcomes = np.where(out[:, None], np.nan, known[pair])
                    into[part, :, column] = moments(weights, outcomes, own=True)

    def _columns(self) -> None:
        """Which pair of the menu each pair of the wide one stands for on each task, -1 for none, and what it costs."""
        places = {pair: place for place, pair in enumerate(self.pairs)}
        skills = [skill.id for skill in self.menu.skills]
        experts, tasks = len(self._experts), len(self.places)
        self._base = np.full((tasks, self.layout.size), -1, dtype=np.int64)
        for column, (expert, skill) in enumerate(zip(self.layout.expert.tolist(), self.layout.skill.tolist(), strict=True)):
            known = np.array([places.get((one, skills[skill]), -1) for one in self._experts], dtype=np.int64)
            self._base[:, column] = known[expert] if expert < experts else known[self.originals[:, expert - experts]]
        own = np.tile(np.arange(experts), (tasks, 1))
        cards = np.array([expert.price.call_usd for expert in self.menu.experts], dtype=np.float32)
        self._price = cards[np.concatenate([own, self.originals], axis=1)][:, self.layout.expert]

    def offer(self, draws: Draws) -> Offer:
        """What a registry drawn for every task offers on it."""
        expert, skill, rows = self.layout.expert, self.layout.skill, np.arange(len(self.places))
        offered = draws.experts[:, expert] & draws.skills[:, skill] & (self._base >= 0)
        card = draws.skill_card[:, skill]
        like = np.where((card >= 0)[..., None], self._likeness[draws.wording[:, None], rows[:, None], card], 0.0)
        part = np.where(draws.known[:, skill], draws.record[:, expert], -1)
        on_record = (part >= 0)[..., None]
        asked, carried = (
            np.where(on_record, known[part, rows[:, None], self._base], 0.0).astype(np.float32) for known in (self._asked, self._carried)
        )
        return Offer(
            self.layout,
            offered=offered,
            price=self._price * draws.factor[:, expert],
            weight=draws.weight,
            likeness=self._among(like.astype(np.float32), offered),
            asked=asked,
            carried=carried,
            expert_words=self._expert_words,
            expert_text=draws.expert_text[:, expert],
            skill_words=self._skill_words,
            skill_text=np.where(card >= 0, card * WORDINGS + draws.wording[:, None], -1),
        )

    def _among(self, like: Array, offered: NDArray[np.bool_]) -> Array:
        """The likeness with its second number, a chance among all skills, made one among those offered."""
        first = np.zeros((len(like), len(self.menu.skills)), dtype=np.float32)
        rows, columns = np.nonzero(offered)
        first[rows, self.layout.skill[columns]] = like[rows, columns, 1]
        total = np.maximum(first.sum(axis=1), 1e-6)
        return np.stack([like[..., 0], np.where(offered, like[..., 1] / total[:, None], like[..., 1])], axis=2)

    def answerable(self, skills: Sequence[str]) -> NDArray[np.bool_]:
        """Which tasks do not need one of these skills, (tasks,): their best recorded plan does without."""
        if not skills:
            return np.ones(len(self.tasks), dtype=bool)
        return np.array([not set(best(task.plans(self.menu)).skills) & set(skills) for task in self.tasks])

    def history(self, nodes: Integers) -> Array:
        """Histories of nodes of the trees, (nodes, numbers)."""
        return self.trees.history[nodes].astype(np.float32)


def _book(cards: Sequence[Sequence[str]]) -> Array:
    """Words of every wording of every card, in a row each, and zeros in the last one: what index -1 finds."""
    rows = [words_vector(text) for wordings in cards for text in wordings]
    return np.stack([*rows, np.zeros_like(rows[0])])


def part_of(record: TrackRecord, tasks: int, rng: np.random.Generator) -> TrackRecord:
    """The record of some questions, drawn at random: all of them where there are fewer."""
    kept = np.sort(rng.permutation(len(record.places))[:tasks])

    def some(by: dict[tuple[str, str], Array]) -> dict[tuple[str, str], Array]:
        return {pair: rows[kept] for pair, rows in by.items()}

    questions = tuple(record.questions[row] for row in kept) if record.questions else ()
    return TrackRecord(record.places[kept], some(dict(record.asked)), some(dict(record.carried)), questions)
