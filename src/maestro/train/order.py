"""In which order training visits the tasks."""

from __future__ import annotations

from collections.abc import Sequence

from maestro.train.seeding import generator
from maestro.types import Task


class TaskOrder:
    """Endless passes over the tasks, each in its own random order; position n is the same whenever it is asked for."""

    def __init__(self, tasks: Sequence[Task], seed: int) -> None:
        self.tasks = tasks
        self.seed = seed
        self._passes: dict[int, list[int]] = {}

    def at(self, start: int, count: int) -> list[Task]:
        """`count` tasks from position `start` on. No task comes twice in a stretch within one pass."""
        return [self.tasks[self._pass(position // len(self.tasks))[position % len(self.tasks)]] for position in range(start, start + count)]

    def _pass(self, number: int) -> list[int]:
        if number not in self._passes:
            order = list(range(len(self.tasks)))
            generator(self.seed, "pass", number).shuffle(order)
            self._passes = {number: order, **{old: kept for old, kept in self._passes.items() if old == number - 1}}
        return self._passes[number]
