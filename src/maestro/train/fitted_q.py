"""Fitted Q iteration for the feature policy: reinforcement learning from outcomes on a recorded pool.

The pool answers every call for free, so each visited state is backed up for all of its actions instead of the one that was
taken: an answer is worth its score, a call is worth minus its price plus the best value of the state it leads to. Nothing but
scores and prices enters; there is no teacher. (Ernst, Geurts and Wehenkel, JMLR 2005, with a network for the trees.)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field
from torch import nn

from maestro.images import ImageStore
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.features import picture, question
from maestro.policy.features.history import CALLS, ActionSpace, Step
from maestro.policy.features.picture import picture_vector
from maestro.policy.features.policy import Network
from maestro.policy.features.question import question_vector
from maestro.registry.menu import Menu
from maestro.types import Answer, Call

Array = NDArray[np.float32]


class FittedQConfig(BaseModel):
    """Settings of the feature policy's training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 1
    hidden: tuple[int, int] = (384, 192)
    rounds: int = Field(default=8, ge=1)
    """Each collects states with the newest values, backs them up and fits the network to them."""
    epochs: int = Field(default=10, ge=1)
    """Passes over all states per round."""
    batch: int = Field(default=512, ge=1)
    lr: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    """Of the input features."""
    explore: float = Field(default=0.35, ge=0, le=1)
    """Share of random calls when states are collected."""
    walks: int = Field(default=4, ge=1)
    """Walks per task and round."""
    words: int = Field(default=24, ge=0)
    """How many of the most frequent one-word references of the training split become answers the policy may give by itself."""
    cost_weight: float = Field(default=20.0, ge=0)
    blank_images: bool = False


@dataclass(frozen=True)
class _Facts:
    """A task as the trainer sees it."""

    recorded: RecordedTask
    fixed: Array
    """Question and picture features, shape (fixed inputs,)."""


State = tuple[int, tuple[Step, ...]]
"""(task index, calls and observations so far)"""


class ValueNetwork(nn.Module):  # type: ignore[misc]
    """Two hidden layers over (question, picture, history)."""

    def __init__(self, inputs: int, hidden: tuple[int, int], outputs: int, dropout: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.into = nn.Linear(inputs, hidden[0])
        self.middle = nn.Linear(hidden[0], hidden[1])
        self.out = nn.Linear(hidden[1], outputs)

    def forward(self, fixed: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Values (batch, actions) of states given fixed (batch, fixed inputs) and history (batch, history inputs) features."""
        hidden = torch.relu(self.into(torch.cat([self.drop(fixed), history], dim=1)))
        values: torch.Tensor = self.out(torch.relu(self.middle(hidden)))
        return values


class FittedQ:
    """Trains a `Network` on recorded tasks. Same seed, same data, same thread count: same weights."""

    def __init__(self, tasks: Sequence[RecordedTask], menu: Menu, images: ImageStore, config: FittedQConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.rng = random.Random(config.seed)
        self.space = ActionSpace.of(menu, frequent_words(tasks, config.words))
        pictures = [picture_vector(_picture(recorded, images, blank=config.blank_images)) for recorded in tasks]
        self.mean = np.mean(pictures, axis=0).astype(np.float32)
        self.scale = (np.std(pictures, axis=0) + 0.02).astype(np.float32)
        self.facts = [
            _Facts(recorded, np.concatenate([question_vector(recorded.task.question), np.clip((seen - self.mean) / self.scale, -4, 4)]))
            for recorded, seen in zip(tasks, pictures, strict=True)
        ]
        inputs = question.SIZE + picture.SIZE + self.space.history_size
        self.net = ValueNetwork(inputs, config.hidden, self.space.size, config.dropout)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=config.lr, weight_decay=config.weight_decay)
        self.states: dict[tuple[int, tuple[Call, ...]], State] = {(index, ()): (index, ()) for index in range(len(self.facts))}
        self._fixed = torch.from_numpy(np.stack([fact.fixed for fact in self.facts]).astype(np.float32))

    def train(self, done: Callable[[int, Mapping[str, float]], None] | None = None) -> Network:
        """Run every round; `done(round, numbers)` hears of each. Returns the weights."""
        for number in range(1, self.config.rounds + 1):
            self._collect(first=number == 1)
            states = list(self.states.values())
            targets, known = self._backup(states)
            loss = self._fit(states, targets, known)
            if done is not None:
                done(number, {"states": float(len(states)), "loss": loss})
        return self.network()

    def network(self) -> Network:
        """The weights as the policy uses them."""

        def array(parameter: torch.Tensor) -> Array:
            return np.ascontiguousarray(parameter.detach().numpy().T, dtype=np.float32)

        net = self.net
        return Network(
            mean=self.mean,
            scale=self.scale,
            into=array(net.into.weight),
            into_bias=array(net.into.bias),
            middle=array(net.middle.weight),
            middle_bias=array(net.middle.bias),
            out=array(net.out.weight),
            out_bias=array(net.out.bias),
        )

    def _collect(self, *, first: bool) -> None:
        """Walk through the pool, mostly by the present values, and remember the states met."""
        for _ in range(self.config.walks):
            alive: list[State] = [(index, ()) for index in range(len(self.facts))]
            for _ in range(CALLS):
                values = None if first else self._values(alive)
                walked = [self._walk(state, None if values is None else values[place]) for place, state in enumerate(alive)]
                alive = [state for state in walked if state is not None]
                for index, steps in alive:
                    self.states.setdefault((index, tuple(call for call, _ in steps)), (index, steps))

    def _walk(self, state: State, values: Array | None) -> State | None:
        """One call further, or None when the walk answers."""
        index, steps = state
        recorded = self.facts[index].recorded
        actions = self.space.actions(recorded.task.question, steps)
        calls = [i for i, action in enumerate(actions) if isinstance(action, Call) and _key(action) in recorded.outcomes]
        if not calls:
            return None
        if values is None or self.rng.random() < self.config.explore:
            chosen = self.rng.choice(calls)
        else:
            open_ = [i for i, action in enumerate(actions) if isinstance(action, Answer)] + calls
            chosen = max(open_, key=lambda i: values[i])
        call = actions[chosen]
        return (index, (*steps, (call, recorded.outcomes[_key(call)]))) if isinstance(call, Call) else None

    def _backup(self, states: Sequence[State]) -> tuple[torch.Tensor, torch.Tensor]:
        """Targets of every action of every state and which of them are known, both (states, actions)."""
        targets = np.zeros((len(states), self.space.size), dtype=np.float32)
        known = np.zeros_like(targets)
        after: list[State] = []
        places: list[tuple[int, int, float]] = []
        for row, (index, steps) in enumerate(states):
            recorded = self.facts[index].recorded
            for column, action in enumerate(self.space.actions(recorded.task.question, steps)):
                if isinstance(action, Answer):
                    targets[row, column], known[row, column] = recorded.score(action.text), 1.0
                elif isinstance(action, Call) and (seen := recorded.outcomes.get(_key(action))) is not None:
                    if steps and not self._worth_backing_up(steps, action):
                        continue
                    after.append((index, (*steps, (action, seen))))
                    places.append((row, column, -self.config.cost_weight * seen.cost_usd))
        best = self._best(after)
        for (row, column, price), value in zip(places, best, strict=True):
            targets[row, column], known[row, column] = price + value, 1.0
        return torch.from_numpy(targets), torch.from_numpy(known)

    def _worth_backing_up(self, steps: Sequence[Step], action: Call) -> bool:
        """After the first call: the same skill again, what takes the value found, and a tenth of all others."""
        return bool(action.query) or action.skill in {call.skill for call, _ in steps} or self.rng.random() < 0.1

    def _best(self, states: Sequence[State]) -> Array:
        """The best value among the open actions of each state; 0 where none is open."""
        values = self._values(states)
        best = np.zeros(len(states), dtype=np.float32)
        for row, (index, steps) in enumerate(states):
            actions = self.space.actions(self.facts[index].recorded.task.question, steps)
            open_ = [i for i, action in enumerate(actions) if action is not None]
            if open_:
                best[row] = values[row, open_].max()
        return best

    def _values(self, states: Sequence[State], chunk: int = 8192) -> Array:
        """Values (states, actions) under the present network."""
        self.net.eval()
        parts = []
        with torch.no_grad():
            for start in range(0, len(states), chunk):
                part = states[start : start + chunk]
                history = torch.from_numpy(np.stack([self.space.vector(steps) for _, steps in part]))
                parts.append(self.net(self._fixed[[index for index, _ in part]], history).numpy())
        return np.concatenate(parts) if parts else np.zeros((0, self.space.size), dtype=np.float32)

    def _fit(self, states: Sequence[State], targets: torch.Tensor, known: torch.Tensor) -> float:
        """Regress the known targets; the mean squared error of the last pass."""
        history = torch.from_numpy(np.stack([self.space.vector(steps) for _, steps in states]))
        tasks = torch.tensor([index for index, _ in states])
        self.net.train()
        total = 0.0
        for _ in range(self.config.epochs):
            order = torch.randperm(len(states))
            total = 0.0
            for start in range(0, len(states), self.config.batch):
                rows = order[start : start + self.config.batch]
                error = (self.net(self._fixed[tasks[rows]], history[rows]) - targets[rows]) ** 2 * known[rows]
                loss = error.sum() / known[rows].sum()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += float(loss.detach()) * len(rows) / len(states)
        return total


def frequent_words(tasks: Sequence[RecordedTask], count: int) -> tuple[str, ...]:
    """The most frequent references that are one alphabetic word, in order of frequency then alphabet."""
    counts: dict[str, int] = {}
    for recorded in tasks:
        for reference in recorded.task.references[:1]:
            if reference.isalpha() and len(reference) > 1:
                counts[reference.casefold()] = counts.get(reference.casefold(), 0) + 1
    return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:count])


def _key(call: Call) -> tuple[str, str, str]:
    return (call.expert, call.skill, call.query)


def _picture(recorded: RecordedTask, images: ImageStore, *, blank: bool) -> Image.Image | None:
    return None if blank or not recorded.task.images else images.pixels(recorded.task.images[0])
