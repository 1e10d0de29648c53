"""Fitted Q iteration for the feature policy: reinforcement learning from outcomes on a recorded pool.

The pool answers every call for free, so each visited state is backed up for all of its actions instead of the one that was
taken: an answer is worth its score, a call is worth minus its price plus the best value of the state it leads to. Nothing but
scores and prices enters; there is no teacher. (Ernst, Geurts and Wehenkel, JMLR 2005, with a network for the trees.)

A network that was fitted to a task knows by heart which of its answers is right and takes every state of it for worth more than it
is to somebody who has to find out. So the tasks are halved, and what lies behind a call is valued by a network that was fitted to
the other half (cross-fitting; Chernozhukov et al., Econometrics Journal 2018). The policy's own network is fitted to all of them.
The best of many estimates is still too high on average, so late rounds follow that network's greedy policy to the end instead and
take what it really gets (`returns`).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from maestro.images import ImageStore
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.features import picture, question
from maestro.policy.features.history import CALLS, ActionSpace
from maestro.policy.features.network import Committee
from maestro.policy.features.picture import picture_vector
from maestro.policy.features.question import question_vector
from maestro.registry.menu import Menu
from maestro.train.fitted_q.decision_tree import DecisionTrees
from maestro.train.fitted_q.glance import Taught
from maestro.train.fitted_q.network import Inputs, Learner, ValueNetwork
from maestro.train.fitted_q.returns import Returns
from maestro.train.seeding import generator, seed_all

Array = NDArray[np.float32]

CLOSE, FAINT = 0.35, 0.15
"""An action that looks worse than the best by more than CLOSE, in utility, weighs FAINT in the fit."""


class FittedQConfig(BaseModel):
    """Settings of the feature policy's training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    embedding: int = Field(default=64, ge=1)
    """Numbers that question and picture are pressed into, besides the glance."""
    hidden: tuple[int, int] = (384, 192)
    rounds: int = Field(default=8, ge=1)
    """Each collects states with the newest values, backs them up and fits the network to them."""
    returns_from: int = Field(default=7, ge=2)
    """Round from which on a likely call is backed up by what the greedy policy really gets behind it, not by an estimate."""
    epochs: int = Field(default=10, ge=1)
    """Passes over all states per round."""
    batch: int = Field(default=512, ge=1)
    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Of the question and picture features."""
    explore: float = Field(default=0.35, ge=0, le=1)
    """Share of random calls when states are collected."""
    walks: int = Field(default=2, ge=1)
    """Walks per task and round."""
    words: int = Field(default=24, ge=0)
    """How many of the most frequent one-word references of the training split become answers the policy may give by itself."""
    unasked: bool = True
    """Whether the policy may answer before it has asked anybody."""
    elsewhere: bool = False
    """Whether a question that brought no answer may go to another skill."""
    tasks: int | None = Field(default=None, ge=2)
    """First tasks of the training split that are used; all of them by default."""
    scenes: int = Field(default=1500, ge=1)
    """Scenes of the warm split that the glance is taught from."""
    cost_weight: float = Field(default=20.0, ge=0)
    blank_images: bool = False


class FittedQ:
    """Trains a `Network` on recorded tasks. Same seed, same data, same thread count: same weights."""

    def __init__(self, tasks: Sequence[RecordedTask], menu: Menu, images: ImageStore, taught: Taught, config: FittedQConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.taught = taught
        self.space = ActionSpace.of(menu, frequent_words(tasks, config.words), unasked=config.unasked, elsewhere=config.elsewhere)
        self.trees = DecisionTrees(tasks, self.space)
        self.returns = Returns(self.trees, config.cost_weight)
        fixed, opinions = [], []
        for recorded in tasks:
            asked = question_vector(recorded.task.question)
            seen = picture_vector(_picture(recorded, images, blank=config.blank_images))
            seen = np.clip((seen - taught.mean) / taught.scale, -4, 4).astype(np.float32)
            fixed.append(np.concatenate([asked, seen]))
            opinions.append(taught.glance(asked, seen))
        self._fixed = torch.from_numpy(np.stack(fixed).astype(np.float32))
        self._glance = torch.from_numpy(np.stack(opinions))
        self._half = np.random.default_rng(config.seed).permutation(len(tasks)) % 2
        self.finished = 0
        """Rounds done."""
        self.others = [self._build() for _ in range(2)]
        """One for each half, fitted to the other."""
        self.all = self._build()

    def train(self, done: Callable[[int, Mapping[str, float]], None] | None = None) -> Committee:
        """Run the rounds that are left; `done(round, numbers)` hears of each. Returns the weights."""
        while self.finished < self.config.rounds:
            numbers = self._round(self.finished + 1)
            self.finished += 1
            if done is not None:
                done(self.finished, numbers)
        return self.committee()

    def committee(self) -> Committee:
        """The weights as the policy uses them."""
        return Committee([learner.network_of(self.taught) for learner in self._learners()])

    def state(self) -> dict[str, Any]:
        """All that the rounds have changed: a learner given it goes on as if it had run them. Draws are seeded by round."""
        return {
            "finished": self.finished,
            "grown": list(self.trees.grown),
            "expanded": list(self.trees.expanded),
            "learners": [learner.state() for learner in self._learners()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state of a learner with the same tasks and settings."""
        self.finished = state["finished"]
        for node, column in state["grown"]:
            self.trees.take(node, column)
        for node in state["expanded"]:
            self.trees.expand(node)
        for learner, kept in zip(self._learners(), state["learners"], strict=True):
            learner.restore(kept)

    def _learners(self) -> list[Learner]:
        return [self.all, *self.others]

    def _round(self, number: int) -> dict[str, float]:
        """Collect, back up, fit."""
        seed_all(self.config.seed, "fitted_q", number)
        self._collect(generator(self.config.seed, "fitted_q", number), first=number == 1)
        states = sorted(self.trees.expanded)
        targets, weights = self._backup(states)
        nodes = np.asarray(states)
        losses = []
        for half, learner in enumerate(self.others):
            rows = np.flatnonzero(self._half[self.trees.task[nodes]] != half)
            losses.append(self._fit(learner, nodes[rows], targets[rows], weights[rows]))
        losses.append(self._fit(self.all, nodes, targets, weights))
        return {"states": float(len(states)), "loss": float(np.mean(losses))}

    def _collect(self, rng: random.Random, *, first: bool) -> None:
        """Walk through the pool, mostly by the present values, and expand the states met."""
        for _ in range(self.config.walks):
            alive = list(range(self.trees.tasks))
            for _ in range(CALLS + 1):
                if not alive:
                    break
                values = None if first else self._values(alive)
                walked = [self._walk(rng, node, None if values is None else values[place]) for place, node in enumerate(alive)]
                alive = [node for node in walked if node is not None]

    def _walk(self, rng: random.Random, node: int, values: Array | None) -> int | None:
        """The node one call further, or None when the walk answers."""
        edges = self.trees.expand(node)
        if not edges.calls:
            return None
        if values is None or rng.random() < self.config.explore:
            return rng.choice(edges.nodes)
        columns = [*edges.answers, *edges.calls]
        best = max(range(len(columns)), key=lambda place: values[columns[place]])
        return edges.nodes[best - len(edges.answers)] if best >= len(edges.answers) else None

    def _backup(self, states: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Targets of every action of every state and their weights, both (states, actions); what is not known weighs nothing.

        Most actions of a state are plainly bad. Those that look nearly as good as the best weigh full, the others little; what decides
        is the estimate of a network that does not know the outcome, for an outcome may not choose its own weight.
        """
        best = self._best()
        looks = np.where(self.trees.open[list(states)], self._values(states), -np.inf)
        likely = looks >= looks.max(axis=1, keepdims=True) - CLOSE
        near = np.where(likely, 1.0, FAINT).astype(np.float32)
        if self.finished + 1 >= self.config.returns_from:
            wanted = sorted({child for row, node in enumerate(states) for child in self._behind(node, likely[row])})
            best[wanted] = self.returns.of(wanted, best, self._values)
        targets = np.zeros((len(states), self.space.size), dtype=np.float32)
        weights = np.zeros_like(targets)
        for row, node in enumerate(states):
            edges = self.trees.expanded[node]
            targets[row, edges.answers] = edges.scores
            weights[row, edges.answers] = near[row, edges.answers]
            if edges.calls:
                targets[row, edges.calls] = best[edges.nodes] - self.config.cost_weight * np.asarray(edges.prices, dtype=np.float32)
                weights[row, edges.calls] = near[row, edges.calls]
        return torch.from_numpy(targets), torch.from_numpy(weights)

    def _behind(self, node: int, likely: NDArray[np.bool_]) -> list[int]:
        """The nodes that the likely calls of a node lead to."""
        edges = self.trees.expanded[node]
        return [child for column, child in zip(edges.calls, edges.nodes, strict=True) if likely[column]]

    def _best(self) -> Array:
        """The best value among the open actions of every node; 0 where none is open."""
        parts = []
        for start in range(0, len(self.trees), 16384):
            nodes = range(start, min(start + 16384, len(self.trees)))
            values = np.where(self.trees.open[nodes.start : nodes.stop], self._values(nodes), -np.inf).max(axis=1)
            parts.append(np.where(np.isfinite(values), values, 0.0).astype(np.float32))
        return np.concatenate(parts)

    def _values(self, nodes: Sequence[int], chunk: int = 8192) -> Array:
        """Values (nodes, actions), each by the network that was not fitted to the node's task."""
        values = np.zeros((len(nodes), self.space.size), dtype=np.float32)
        numbers = np.asarray(nodes, dtype=np.int64)
        halves = self._half[self.trees.task[numbers]]
        for half, learner in enumerate(self.others):
            rows = np.flatnonzero(halves == half)
            for start in range(0, len(rows), chunk):
                part = rows[start : start + chunk]
                values[part] = learner.values(self._inputs(numbers[part]))
        return values

    def _inputs(self, nodes: NDArray[np.int64]) -> Inputs:
        """What the network reads of these nodes."""
        tasks = torch.from_numpy(self.trees.task[nodes])
        return self._fixed[tasks], self._glance[tasks], torch.from_numpy(self.trees.history[nodes].astype(np.float32))

    def _fit(self, learner: Learner, nodes: NDArray[np.int64], targets: torch.Tensor, weights: torch.Tensor) -> float:
        """Regress the weighted targets; the mean loss of the last pass."""
        total = 0.0
        for _ in range(self.config.epochs):
            order = torch.randperm(len(nodes))
            total = 0.0
            for start in range(0, len(nodes), self.config.batch):
                rows = order[start : start + self.config.batch]
                loss = learner.fit(self._inputs(nodes[rows.numpy()]), targets[rows], weights[rows])
                total += loss * len(rows) / len(nodes)
        return total

    def _build(self) -> Learner:
        """An untrained network."""
        config, inputs = self.config, question.SIZE + picture.SIZE
        sizes = (self.taught.glance.size, self.space.history_size, config.hidden, self.space.size)
        return Learner(ValueNetwork(inputs, config.embedding, *sizes, config.dropout), config.lr, config.weight_decay)


def frequent_words(tasks: Sequence[RecordedTask], count: int) -> tuple[str, ...]:
    """The most frequent references that are one alphabetic word, in order of frequency then alphabet."""
    counts: dict[str, int] = {}
    for recorded in tasks:
        for reference in recorded.task.references[:1]:
            if reference.isalpha() and len(reference) > 1:
                counts[reference.casefold()] = counts.get(reference.casefold(), 0) + 1
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:count])


def _picture(recorded: RecordedTask, images: ImageStore, *, blank: bool) -> Image.Image | None:
    return None if blank or not recorded.task.images else images.pixels(recorded.task.images[0])
