"""What every route was worth on every training question: the table that baselines which choose a route once are fitted on.

Such a baseline sees question and pictures as any policy does, picks one route, follows it and answers with what it finds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.errors import ConfigError
from maestro.policy.baselines.fixed import RouteSession
from maestro.policy.baselines.lookup import Examples, Utilities, candidate_routes, mean_utility, route_utilities
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.baselines.route import Route
from maestro.policy.protocol import Dialect, Opening
from maestro.registry.menu import Menu
from maestro.types import Task


@dataclass(frozen=True)
class Arms:
    """Training tasks, routes, and what each route was worth on each task."""

    menu: Menu
    tasks: tuple[Task, ...]
    routes: tuple[Route, ...]
    utilities: Utilities
    """Shape (tasks, routes); NaN where a call of the route was not recorded."""
    examples: Examples | None = None
    """Where answering by analogy, without a call, is the first of the routes: the questions it is drawn from."""

    @classmethod
    def of(cls, menu: Menu, train: Sequence[RecordedTask]) -> Arms:
        """The table of recorded training tasks. Raises ConfigError when there are fewer than two, or no route at all."""
        if len(train) < 2:
            raise ConfigError(f"baselines are fitted on at least 2 recorded training questions, not {len(train)}.")
        routes = candidate_routes(menu, train)
        if not routes:
            raise ConfigError("the menu offers no expert with a skill, so there is nothing to choose between.")
        return cls(menu, tuple(recorded.task for recorded in train), routes, route_utilities(menu, train, routes))

    @classmethod
    def with_analogy(cls, examples: Examples) -> Arms:
        """The same with answering by analogy as a route, as the question-only lookup has it."""
        tasks = tuple(recorded.task for recorded in examples.train)
        return cls(examples.menu, tasks, examples.routes, examples.utilities, examples)

    def answer(self, task: Task) -> str | None:
        """What answering a question by analogy says; None where that is no route."""
        return None if self.examples is None else self.examples.by_analogy(task.question)

    def best(self, rows: NDArray[np.bool_] | None = None) -> Route:
        """The route with the highest mean utility, on all training tasks or those in a mask; the first of equals."""
        return self.routes[int(np.argmax(mean_utility(self.utilities if rows is None else self.utilities[rows])))]

    @property
    def groups(self) -> NDArray[np.int64]:
        """A number for each task, the same for tasks of one scene; a task without one is on its own."""
        names = [task.cluster or f"task {task.id}" for task in self.tasks]
        order = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([order[name] for name in names], dtype=np.int64)

    def gained(self, chosen: NDArray[np.int64]) -> float:
        """Mean utility of one chosen route a task, shape (tasks,); a route that was not recorded there is worth nothing."""
        return float(np.nan_to_num(self.utilities[np.arange(len(chosen)), chosen]).mean())


class ChoosesOnce(ABC):
    """A policy that picks its route from the question as it stands."""

    def __init__(self, name: str, arms: Arms, dialect: Dialect) -> None:
        self.name = name
        self.arms = arms
        self.dialect = dialect

    @abstractmethod
    def route(self, task: Task) -> Route:
        """The route for a task, of which it may know what any policy knows."""

    def open(self, opening: Opening) -> RouteSession:
        """A session on the chosen route; on the empty one it answers by analogy."""
        route = self.route(opening.task)
        return RouteSession(opening, self.dialect, route, None if route else self.arms.answer(opening.task))


class CategoryRule(ChoosesOnce):
    """The best route of each category on the training tasks. It is told categories, which no real policy is."""

    def __init__(self, arms: Arms, categories: dict[str, str], dialect: Dialect) -> None:
        """`categories` by id, of the tasks it will be asked."""
        super().__init__("category rule", arms, dialect)
        self.categories = categories
        there = np.array([task.category for task in arms.tasks])
        self.rule = {str(name): arms.best(there == name) for name in np.unique(there)}
        self._otherwise = arms.best()

    def route(self, task: Task) -> Route:
        """The route of its category; the best single one for a category that was not trained on."""
        return self.rule.get(self.categories.get(task.id, ""), self._otherwise)
