"""The decision trees of recorded tasks: states reached by calls, grown where they are visited.

A node is a state of one task: the calls made so far and what came back. The roots come first, one a task. Nodes are kept as
rows of arrays, so that a network values all of them in a few passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maestro.policy.baselines.recorded import RecordedTask, key_of
from maestro.policy.features.history import ActionSpace, Step
from maestro.types import Answer, Call


@dataclass
class Edges:
    """The known actions of a node, as columns of the action space."""

    answers: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    """Of the answers."""
    calls: list[int] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    """Of the calls, in dollars."""
    nodes: list[int] = field(default_factory=list)
    """Where the calls lead."""


class DecisionTrees:
    """All nodes of all tasks; node i of the first `tasks` is the root of task i."""

    def __init__(self, recorded: Sequence[RecordedTask], space: ActionSpace) -> None:
        self.recorded = recorded
        self.space = space
        self.tasks = len(recorded)
        self.expanded: dict[int, Edges] = {}
        self.grown: list[tuple[int, int]] = []
        """(node, column) that each node but the roots was first reached by, in order: replayed, every node gets its number back."""
        self._steps: list[tuple[Step, ...]] = []
        self._ids: dict[tuple[int, tuple[Call, ...]], int] = {}
        self._task = np.zeros(1024, dtype=np.int64)
        self._history = np.zeros((1024, space.history_size), dtype=np.float16)
        self._open = np.zeros((1024, space.size), dtype=bool)
        for index in range(self.tasks):
            self._node(index, (), None)

    def __len__(self) -> int:
        return len(self._steps)

    @property
    def task(self) -> NDArray[np.int64]:
        """Task of every node, shape (nodes,)."""
        return self._task[: len(self)]

    @property
    def history(self) -> NDArray[np.float16]:
        """Features of every node's history, shape (nodes, history_size)."""
        return self._history[: len(self)]

    @property
    def open(self) -> NDArray[np.bool_]:
        """Which actions are open in every node, shape (nodes, actions)."""
        return self._open[: len(self)]

    def expand(self, node: int) -> Edges:
        """The node's known actions, found once."""
        if (known := self.expanded.get(node)) is not None:
            return known
        task, steps = int(self._task[node]), self._steps[node]
        recorded, edges = self.recorded[task], Edges()
        for column, action in enumerate(self.space.actions(recorded.task.question, steps)):
            if isinstance(action, Answer):
                edges.answers.append(column)
                edges.scores.append(recorded.score(action.text))
            elif isinstance(action, Call) and (seen := recorded.outcomes.get(key_of(action))) is not None:
                edges.calls.append(column)
                edges.prices.append(seen.cost_usd)
                edges.nodes.append(self._node(task, (*steps, (action, seen)), (node, column)))
        self.expanded[node] = edges
        return edges

    def take(self, node: int, column: int) -> tuple[float, int | None] | None:
        """What one action of a node brings: (score, None) of an answer, (price, node) of a call, None where the pool does not know it.

        Unlike `expand`, only this one child is made.
        """
        task, steps = int(self._task[node]), self._steps[node]
        recorded = self.recorded[task]
        action = self.space.actions(recorded.task.question, steps)[column]
        if isinstance(action, Answer):
            return recorded.score(action.text), None
        if isinstance(action, Call) and (seen := recorded.outcomes.get(key_of(action))) is not None:
            return seen.cost_usd, self._node(task, (*steps, (action, seen)), (node, column))
        return None

    def _node(self, task: int, steps: tuple[Step, ...], reached: tuple[int, int] | None) -> int:
        """The node of these steps; the order of calls is part of it."""
        key = (task, tuple(call for call, _ in steps))
        if (known := self._ids.get(key)) is not None:
            return known
        number = len(self._steps)
        if number == len(self._task):
            self._task = np.concatenate([self._task, np.zeros_like(self._task)])
            self._history = np.concatenate([self._history, np.zeros_like(self._history)])
            self._open = np.concatenate([self._open, np.zeros_like(self._open)])
        self._ids[key] = number
        if reached is not None:
            self.grown.append(reached)
        self._steps.append(steps)
        self._task[number] = task
        self._history[number] = self.space.vector(steps)
        actions = self.space.actions(self.recorded[task].task.question, steps)
        self._open[number] = [action is not None for action in actions]
        return number
