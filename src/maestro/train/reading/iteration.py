"""Fitted Q iteration for the reading policy: as `train.fitted_q`, over registries drawn anew in every round.

Kept of it: every visited state is backed up for its actions from the recorded pool, outcomes and prices are all that enters, and what
lies behind a call is valued by a network that was fitted to the other half of the tasks. Changed: an action is valued by what it reads
like instead of by its place in a list, a dollar counts differently from task to task and is told, and of the calls that look bad only
a few are backed up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from maestro.policy.features.history import CALLS
from maestro.policy.reading.network import ReadingCommittee
from maestro.policy.reading.situation import Situations
from maestro.train.fitted_q.decision_tree import Edges
from maestro.train.reading.ground import PARTS, WORDINGS, Ground
from maestro.train.reading.network import Batch, ReadingLearner, ReadingModule
from maestro.train.reading.registry_draws import DrawConfig, RegistryDraws
from maestro.train.seeding import number, seed_all

Array = NDArray[np.float32]
Integers = NDArray[np.int64]
CLOSE, FAINT = 0.35, 0.15
"""An action that looks worse than the best by more than CLOSE, in utility, weighs FAINT in the fit."""
WORST = -1.0
"""No target is lower: how much too dear a call is need not be known."""
_CHUNK = 4096


class ReadingQConfig(BaseModel):
    """Settings of the reading policy's training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    sizes: tuple[int, int, int, int] = (48, 192, 96, 48)
    """Numbers that question and picture are pressed into; widths of the trunk, of the layer where situation and call meet, of the last."""
    rounds: int = Field(default=10, ge=1)
    returns_from: int = Field(default=7, ge=2)
    """Round from which on a likely call is backed up by what the greedy policy really gets behind it."""
    epochs: int = Field(default=4, ge=1)
    batch: int = Field(default=256, ge=1)
    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    dropout: float = Field(default=0.4, ge=0, lt=1)
    """Of the question and picture features."""
    explore: float = Field(default=0.35, ge=0, le=1)
    walks: int = Field(default=2, ge=1)
    states: int = Field(default=16000, ge=1)
    """States fitted in a round at most: the roots, and a draw of the others."""
    others: int = Field(default=3, ge=0)
    """Calls backed up at random in every state besides the likely ones."""
    words: int = Field(default=24, ge=0)
    tasks: int | None = Field(default=None, ge=2)
    scenes: int = Field(default=2500, ge=1)
    cost_weights: tuple[float, float] = (2.0, 200.0)
    """Between these a dollar counts, drawn on a log scale for two tasks in three; equal ones train for one weight."""
    cost_weight: float = Field(default=20.0, gt=0)
    """What a dollar counts on the other tasks, on validation, and where nobody says."""
    draws: DrawConfig = DrawConfig()


class ReadingQ:
    """Trains the networks on recorded tasks. Same seed, same data, same thread count: same weights."""

    def __init__(self, ground: Ground, config: ReadingQConfig, held: tuple[Sequence[str], Sequence[str]] = ((), ())) -> None:
        """`held`: experts and skills of the ground that this training never meets, nor the questions that need such a skill."""
        torch.manual_seed(config.seed)
        self.config = config
        self.ground = ground
        experts = np.array([card.id not in held[0] for card in ground.menu.experts])
        skills = np.array([card.id not in held[1] for card in ground.menu.skills])
        self._met = ground.answerable(held[1])
        self._fixed, self._glance = torch.from_numpy(self.ground.fixed), torch.from_numpy(self.ground.opinions)
        self._half = np.random.default_rng(config.seed).permutation(ground.trees.tasks) % 2
        inputs, opinions = self._fixed.shape[1], self._glance.shape[1]
        modules = [ReadingModule(inputs, opinions, 4 + len(ground.words), config.sizes, config.dropout) for _ in range(2)]
        self.learners = [ReadingLearner(module, config.lr, config.weight_decay) for module in modules]
        self._drawing = RegistryDraws(experts, skills, ground.originals, WORDINGS, PARTS, config.draws)
        self.finished = 0
        self._draw()

    def train(self, done: Callable[[int, Mapping[str, float]], None] | None = None) -> ReadingCommittee:
        """Run the rounds; `done(round, numbers)` hears of each. Returns the weights."""
        while self.finished < self.config.rounds:
            numbers = self._round()
            if done is not None:
                done(self.finished, numbers)
        return self.committee()

    def committee(self) -> ReadingCommittee:
        """The weights as the policy uses them: both networks, each fitted to one half of the tasks."""
        return ReadingCommittee([learner.network() for learner in self.learners])

    def _draw(self) -> None:
        """A registry for every task of the coming round."""
        rng = np.random.default_rng(number(self.config.seed, "registries", self.finished))
        draws = self._drawing.draw(rng, self.config.cost_weights, self.config.cost_weight)
        self.offer = self.ground.offer(draws)
        self.situations = Situations(self.offer)
        self.factor = draws.factor[:, self.ground.layout.expert]

    def _round(self) -> dict[str, float]:
        """Draw registries, collect, back up, fit."""
        self._draw()
        seed_all(self.config.seed, "reading_q", self.finished)
        rng = np.random.default_rng(number(self.config.seed, "reading_q", self.finished))
        for _ in range(self.config.walks):
            self._walk(rng)
        states = self._states(rng)
        answers, calls, weights = self._backup(states, rng)
        losses = [
            self._fit(learner, np.flatnonzero(self._half[self.ground.trees.task[states]] == half), states, (answers, calls), weights)
            for half, learner in enumerate(self.learners)
        ]
        self.finished += 1
        return {"states": float(len(states)), "loss": float(np.mean(losses))}

    def _walk(self, rng: np.random.Generator) -> None:
        """Walk through the pool once on every task, mostly by the present values, and expand the states met."""
        alive = np.flatnonzero(self._met)
        for _ in range(CALLS + 1):
            if not len(alive):
                return
            said, called = self._values(alive)
            steps = [self._step(node, said[place], called[place], rng) for place, node in enumerate(alive.tolist())]
            alive = np.array([step for step in steps if step is not None], dtype=np.int64)

    def _step(self, node: int, said: Array, called: Array, rng: np.random.Generator) -> int | None:
        """The node one call further, or None when the walk answers."""
        known = self._open_calls(node, self.ground.trees.expand(node))
        if not known:
            return None
        if self.finished == 0 or rng.random() < self.config.explore:
            return known[int(rng.integers(len(known)))][1]
        column, child = max(known, key=lambda one: called[one[0]])
        return child if called[column] > said.max(initial=-np.inf) else None

    def _open_calls(self, node: int, edges: Edges) -> list[tuple[int, int]]:
        """(column, child) of the known calls of a node that its task's registry offers."""
        offered = self.offer.offered[self.ground.trees.task[node]]
        return [(column, child) for column, child in zip(edges.calls, edges.nodes, strict=True) if offered[column]]

    def _states(self, rng: np.random.Generator) -> Integers:
        """The roots, and a draw of the other expanded states that the present registries can lead to."""
        trees, pairs = self.ground.trees, self.ground.layout.size
        nodes = np.array(sorted(trees.expanded), dtype=np.int64)
        asked = trees.history[nodes, :pairs] > 0  # the first of the four rows by pair
        nodes = nodes[self._met[trees.task[nodes]] & ~(asked & ~self.offer.offered[trees.task[nodes]]).any(axis=1)]
        roots, deeper = nodes[nodes < trees.tasks], nodes[nodes >= trees.tasks]
        if (room := self.config.states - len(roots)) < len(deeper):
            deeper = np.sort(rng.permutation(deeper)[: max(0, room)])
        return np.concatenate([roots, deeper])

    def _backup(self, states: Integers, rng: np.random.Generator) -> tuple[Array, Array, tuple[Array, Array]]:
        """Targets of answers (states, answers) and calls (states, pairs), and their weights; what is not known weighs nothing.

        What weighs full is decided by a network that does not know the outcome, for an outcome may not choose its own weight.
        """
        trees, pairs = self.ground.trees, self.ground.layout.size
        said, called = self._values(states)
        bar = np.maximum(said.max(axis=1, initial=-np.inf), called.max(axis=1, initial=-np.inf)) - CLOSE
        targets = np.zeros_like(said), np.zeros_like(called)
        weights = np.zeros_like(said), np.zeros_like(called)
        wanted: list[tuple[int, int, int, float]] = []
        for row, node in enumerate(states.tolist()):
            edges = trees.expanded[node]
            columns = np.array(edges.answers, dtype=np.int64) - pairs
            targets[0][row, columns] = edges.scores
            weights[0][row, columns] = np.where(said[row, columns] >= bar[row], 1.0, FAINT)
            known = self._open_calls(node, edges)
            prices = dict(zip(edges.calls, edges.prices, strict=True))
            extra = set(rng.permutation(len(known))[: self.config.others].tolist())
            for place, (column, child) in enumerate(known):
                likely = called[row, column] >= bar[row]
                if likely or place in extra:
                    weights[1][row, column] = 1.0 if likely else FAINT
                    wanted.append((row, column, child, prices[column]))
        if wanted:
            rows, columns, children = (np.array([one[side] for one in wanted], dtype=np.int64) for side in (0, 1, 2))
            task = trees.task[states[rows]]
            cost = self.offer.weight[task] * np.array([one[3] for one in wanted]) * self.factor[task, columns]
            behind = self._behind(children, called[rows, columns] >= bar[rows])
            targets[1][rows, columns] = np.maximum(behind - cost, WORST)
        return targets[0], targets[1], weights

    def _behind(self, children: Integers, likely: NDArray[np.bool_]) -> Array:
        """What follows each of these nodes: the best value there, in late rounds behind likely calls what the greedy policy gets."""
        if self.finished + 1 < self.config.returns_from:
            return self._best(children)
        behind = np.zeros(len(children), dtype=np.float32)
        behind[~likely] = self._best(children[~likely])
        behind[likely] = self._returns(children[likely])
        return behind

    def _best(self, nodes: Integers) -> Array:
        """The best value among the open actions of every node; 0 where none is open."""
        said, called = self._values(nodes)
        best = np.maximum(said.max(axis=1, initial=-np.inf), called.max(axis=1, initial=-np.inf))
        return np.where(np.isfinite(best), best, 0.0).astype(np.float32)

    def _returns(self, nodes: Integers) -> Array:
        """Utility of acting greedily from every node to an answer: its score less the prices paid."""
        trees = self.ground.trees
        unique, back = np.unique(nodes, return_inverse=True)
        at, total = unique.copy(), np.zeros(len(unique), dtype=np.float32)
        alive = np.arange(len(unique))
        for _ in range(CALLS + 1):
            if not len(alive):
                break
            said, called = self._values(at[alive])
            chosen = np.concatenate([called, said], axis=1).argmax(axis=1)
            going = []
            for place, column in zip(alive.tolist(), chosen.tolist(), strict=True):
                node = int(at[place])
                taken = trees.take(node, column)
                if taken is None:
                    continue  # nobody recorded it: worth nothing more
                if taken[1] is None:
                    total[place] += taken[0]
                    continue
                task = trees.task[node]
                total[place] -= self.offer.weight[task] * taken[0] * self.factor[task, column]
                at[place] = taken[1]
                going.append(place)
            alive = np.array(going, dtype=np.int64)
        return total[back]

    def _values(self, nodes: Sequence[int] | Integers) -> tuple[Array, Array]:
        """Values of answers and calls, each by the network not fitted to the node's task; minus infinity where not open."""
        numbers, pairs = np.asarray(nodes, dtype=np.int64), self.ground.layout.size
        said = np.full((len(numbers), self.ground.space.size - pairs), -np.inf, dtype=np.float32)
        called = np.full((len(numbers), pairs), -np.inf, dtype=np.float32)
        halves = self._half[self.ground.trees.task[numbers]]
        for half, learner in enumerate((self.learners[1], self.learners[0])):
            rows = np.flatnonzero(halves == half)
            for start in range(0, len(rows), _CHUNK):
                part = rows[start : start + _CHUNK]
                batch, columns = self._inputs(numbers[part])
                answers, calls = learner.values(batch)
                opened = self.ground.trees.open[numbers[part], pairs:]
                said[part] = np.where(opened, answers, -np.inf)
                called[part[batch.owner.numpy()], columns] = calls
        return said, called

    def _inputs(self, nodes: Integers) -> tuple[Batch, Integers]:
        """What the network reads of these nodes, and the column of each call."""
        ground, pairs = self.ground, self.ground.layout.size
        task, history = ground.trees.task[nodes], ground.history(nodes)
        owner, columns = np.nonzero(ground.trees.open[nodes, :pairs] & self.offer.offered[task])
        state = self.situations.state(task, history)
        calls = self.situations.calls(task[owner], columns, history[owner])
        rows = torch.from_numpy(task)
        return Batch(self._fixed[rows], self._glance[rows], *(torch.from_numpy(part) for part in (state, calls, owner))), columns

    def _fit(
        self, learner: ReadingLearner, mine: Integers, states: Integers, targets: tuple[Array, Array], weights: tuple[Array, Array]
    ) -> float:
        """Regress the weighted targets of the states `mine`; the mean loss of the last pass."""
        total = 0.0
        parts = [self._part(mine[start : start + _CHUNK], states, targets, weights) for start in range(0, len(mine), _CHUNK)]
        sizes = [len(part[0].state) for part in parts]
        for _ in range(self.config.epochs):
            total = 0.0
            for place in torch.randperm(len(parts)).tolist():
                order = torch.randperm(sizes[place])
                for start in range(0, sizes[place], self.config.batch):
                    chosen = order[start : start + self.config.batch]
                    total += learner.fit(*_picked(parts[place], chosen)) * len(chosen) / max(1, sum(sizes))
        return total

    def _part(
        self, rows: Integers, states: Integers, targets: tuple[Array, Array], weights: tuple[Array, Array]
    ) -> tuple[Batch, tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
        """Some states with their targets and weights, calls that weigh nothing left out."""
        batch, columns = self._inputs(states[rows])
        owner = batch.owner.numpy()
        kept = np.flatnonzero(weights[1][rows[owner], columns] > 0)
        sides = tuple(
            (torch.from_numpy(side[0][rows]), torch.from_numpy(side[1][rows[owner[kept]], columns[kept]])) for side in (targets, weights)
        )
        calls = torch.from_numpy(kept)
        return Batch(batch.fixed, batch.glance, batch.state, batch.calls[calls], batch.owner[calls]), sides[0], sides[1]


def _picked(
    part: tuple[Batch, tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]], chosen: torch.Tensor
) -> tuple[Batch, tuple[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]:
    """The chosen situations of a part and their calls."""
    batch, targets, weights = part
    place = torch.full((len(batch.state),), -1, dtype=torch.long)
    place[chosen] = torch.arange(len(chosen))
    calls = torch.nonzero(place[batch.owner] >= 0).flatten()
    picked = Batch(batch.fixed[chosen], batch.glance[chosen], batch.state[chosen], batch.calls[calls], place[batch.owner[calls]])
    return picked, (targets[0][chosen], targets[1][calls]), (weights[0][chosen], weights[1][calls])
