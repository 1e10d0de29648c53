"""Fitted Q iteration for the feature policy: reinforcement learning from outcomes on a recorded pool.

The pool answers every call for free, so each visited state is backed up for all of its actions instead of the one that was
taken: an answer is worth its score, a call is worth minus its price plus the best value of the state it leads to. Nothing but
scores and prices enters; there is no teacher. (Ernst, Geurts and Wehenkel, JMLR 2005, with a network for the trees.)

A network that was fitted to a task knows by heart which of its answers is right and takes every state of it for worth more than it
is to somebody who has to find out. So the tasks are halved, and what lies behind a call is valued by a network that was fitted to
the other half (cross-fitting; Chernozhukov et al., Econometrics Journal 2018). The policy's own network is fitted to all of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from maestro.images import ImageStore
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.features import picture, question
from maestro.policy.features.history import CALLS, ActionSpace
from maestro.policy.features.network import Committee, Network
from maestro.policy.features.picture import picture_vector
from maestro.policy.features.question import question_vector
from maestro.registry.menu import Menu
from maestro.train.decision_tree import DecisionTrees
from maestro.train.glance import Taught

Array = NDArray[np.float32]

MEMORY = 0.995
"""Of the running average of a network's weights, per step. The maximum over noisy values is too high; the average has less noise."""
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
    tasks: int | None = Field(default=None, ge=2)
    """First tasks of the training split that are used; all of them by default."""
    scenes: int = Field(default=1500, ge=1)
    """Scenes of the warm split that the glance is taught from."""
    cost_weight: float = Field(default=20.0, ge=0)
    blank_images: bool = False


class ValueNetwork(nn.Module):  # type: ignore[misc]
    """An embedding of question and picture, then two hidden layers over (embedding, glance, history)."""

    def __init__(self, inputs: int, glance: int, history: int, outputs: int, config: FittedQConfig) -> None:
        super().__init__()
        self.drop = nn.Dropout(config.dropout)
        self.embed = nn.Linear(inputs, config.embedding)
        self.into = nn.Linear(config.embedding + glance + history, config.hidden[0])
        self.middle = nn.Linear(config.hidden[0], config.hidden[1])
        self.out = nn.Linear(config.hidden[1], outputs)

    def forward(self, fixed: torch.Tensor, glance: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Values (batch, actions) of states given fixed (batch, inputs), glance (batch, opinions), history (batch, numbers)."""
        embedded = torch.relu(self.embed(self.drop(fixed)))
        hidden = torch.relu(self.into(torch.cat([embedded, glance, history], dim=1)))
        values: torch.Tensor = self.out(torch.relu(self.middle(hidden)))
        return values


class FittedQ:
    """Trains a `Network` on recorded tasks. Same seed, same data, same thread count: same weights."""

    def __init__(self, tasks: Sequence[RecordedTask], menu: Menu, images: ImageStore, taught: Taught, config: FittedQConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.taught = taught
        self.rng = random.Random(config.seed)
        self._optimizers: dict[ValueNetwork, torch.optim.AdamW] = {}
        self._averages: dict[ValueNetwork, AveragedModel] = {}
        self.space = ActionSpace.of(menu, frequent_words(tasks, config.words))
        self.trees = DecisionTrees(tasks, self.space)
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
        self.net, *self.others = (self._build() for _ in range(3))

    def train(self, done: Callable[[int, Mapping[str, float]], None] | None = None) -> Committee:
        """Run every round; `done(round, numbers)` hears of each. Returns the weights."""
        for number in range(1, self.config.rounds + 1):
            self._collect(first=number == 1)
            states = sorted(self.trees.expanded)
            targets, weights = self._backup(states)
            nodes = np.asarray(states)
            for half, net in enumerate(self.others):
                # The network for one half is fitted to the states of the other.
                rows = np.flatnonzero(self._half[self.trees.task[nodes]] != half)
                self._fit(net, nodes[rows], targets[rows], weights[rows])
            loss = self._fit(self.net, nodes, targets, weights)
            if done is not None:
                done(number, {"states": float(len(states)), "loss": loss})
        return self.committee()

    def committee(self) -> Committee:
        """The weights as the policy uses them: the network fitted to all tasks and those fitted to a half."""
        return Committee([self._network(net) for net in (self.net, *self.others)])

    def _network(self, net: ValueNetwork) -> Network:
        """One network, steadied, as arrays."""
        steady = self._averages[net].module

        def array(parameter: torch.Tensor) -> Array:
            return np.ascontiguousarray(parameter.detach().numpy().T, dtype=np.float32)

        layers = {
            name: array(value)
            for layer in ("embed", "into", "middle", "out")
            for name, value in ((layer, getattr(steady, layer).weight), (f"{layer}_bias", getattr(steady, layer).bias))
        }
        return Network(glance=self.taught.glance, mean=self.taught.mean, scale=self.taught.scale, **layers)

    def _collect(self, *, first: bool) -> None:
        """Walk through the pool, mostly by the present values, and expand the states met."""
        for _ in range(self.config.walks):
            alive = list(range(self.trees.tasks))
            for _ in range(CALLS + 1):
                if not alive:
                    break
                values = None if first else self._values(alive)
                walked = [self._walk(node, None if values is None else values[place]) for place, node in enumerate(alive)]
                alive = [node for node in walked if node is not None]

    def _walk(self, node: int, values: Array | None) -> int | None:
        """The node one call further, or None when the walk answers."""
        edges = self.trees.expand(node)
        if not edges.calls:
            return None
        if values is None or self.rng.random() < self.config.explore:
            return self.rng.choice(edges.nodes)
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
        near = np.where(looks >= looks.max(axis=1, keepdims=True) - CLOSE, 1.0, FAINT).astype(np.float32)
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
        halves = self._half[self.trees.task[np.asarray(nodes, dtype=np.int64)]]
        for half, net in enumerate(self.others):
            steady = self._averages[net].module.eval()
            rows = np.flatnonzero(halves == half)
            with torch.no_grad():
                for start in range(0, len(rows), chunk):
                    part = rows[start : start + chunk]
                    values[part] = steady(*self._inputs(np.asarray(nodes, dtype=np.int64)[part])).numpy()
        return values

    def _inputs(self, nodes: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the network reads of these nodes."""
        tasks = torch.from_numpy(self.trees.task[nodes])
        return self._fixed[tasks], self._glance[tasks], torch.from_numpy(self.trees.history[nodes].astype(np.float32))

    def _fit(self, net: ValueNetwork, nodes: NDArray[np.int64], targets: torch.Tensor, weights: torch.Tensor) -> float:
        """Regress the weights targets; the mean squared error of the last pass."""
        optimizer, average = self._optimizers[net], self._averages[net]
        net.train()
        total = 0.0
        for _ in range(self.config.epochs):
            order = torch.randperm(len(nodes))
            total = 0.0
            for start in range(0, len(nodes), self.config.batch):
                rows = order[start : start + self.config.batch]
                error = (net(*self._inputs(nodes[rows.numpy()])) - targets[rows]) ** 2 * weights[rows]
                loss = error.sum() / weights[rows].sum()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                average.update_parameters(net)
                total += float(loss.detach()) * len(rows) / len(nodes)
        return total

    def _build(self) -> ValueNetwork:
        """An untrained network with its optimiser."""
        inputs = question.SIZE + picture.SIZE
        net = ValueNetwork(inputs, self.taught.glance.size, self.space.history_size, self.space.size, self.config)
        self._optimizers[net] = torch.optim.AdamW(net.parameters(), lr=self.config.lr, weight_decay=self.config.weight_decay)
        self._averages[net] = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(MEMORY))
        return net


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
