"""The policy without eyes: what worked best on the most similar training questions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.errors import ConfigError
from maestro.policy.baselines.fixed import RouteSession
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.baselines.route import Pair, Route, followers, takes
from maestro.policy.baselines.similarity import QuestionIndex, direct_answer
from maestro.policy.protocol import Dialect, Opening
from maestro.registry.menu import Menu
from maestro.types import Call

Utilities = NDArray[np.float64]
NEIGHBOURS = (1, 3, 5, 10, 20, 40)
"""The k that are tried."""
DIRECT_NEIGHBOURS = 5
"""How many similar questions vote on a direct answer."""


def candidate_routes(menu: Menu, tasks: Sequence[RecordedTask]) -> tuple[Route, ...]:
    """Every first pair, followed up for each kind of thing it was seen to give by each pair that takes it."""
    routes: list[Route] = []
    for expert, skill in menu.pairs:
        kinds = _kinds(menu, tasks, Call(expert=expert, skill=skill))
        takers: list[list[Pair]] = [[pair for pair in menu.pairs if takes(menu, pair[1], kind)] for kind in kinds]
        routes += [((expert, skill), *chosen) for chosen in itertools.product(*takers)]
    return tuple(routes)


def _kinds(menu: Menu, tasks: Sequence[RecordedTask], first: Call) -> tuple[str, ...]:
    """What `first`, or a call following it, was seen to give besides answers; regions first, for they are followed up first."""
    seen: set[str] = set()
    for recorded in tasks:
        frontier = [first]
        for _ in range(2):
            observations = [recorded.outcomes.get((call.expert, call.skill, call.query)) for call in frontier]
            frontier = [call for observation in observations if observation is not None for call in followers(menu, observation)]
            seen |= {o.gives for o in observations if o is not None and o.value is not None and o.gives != "answer"}
    return tuple(kind for kind in ("region", "code", "expression") if kind in seen)


def route_utilities(menu: Menu, tasks: Sequence[RecordedTask], routes: Sequence[Route]) -> Utilities:
    """Utility of each route on each task, shape (tasks, routes); NaN where a call is missing."""
    table = np.full((len(tasks), len(routes)), np.nan)
    for row, recorded in enumerate(tasks):
        final: dict[Pair, float] = {}  # first pairs whose outcome nobody takes up: all routes that begin so are alike
        for column, route in enumerate(routes):
            if not route or route[0] not in final:
                plan = recorded.walk(menu, route)
                if plan is None:
                    continue
                table[row, column] = plan.utility
                if route and not followers(menu, recorded.outcomes[*route[0], ""]):
                    final[route[0]] = plan.utility
            else:
                table[row, column] = final[route[0]]
    return table


def mean_utility(rows: Utilities) -> Utilities:
    """Mean over rows without NaN; minus infinity where nothing is known."""
    known = ~np.isnan(rows)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, rows, 0.0).sum(axis=0) / np.maximum(count, 1), -np.inf)


class Examples:
    """Training questions with what every route, and answering by analogy, was worth on them."""

    def __init__(self, menu: Menu, train: Sequence[RecordedTask]) -> None:
        if len(train) < 2:
            raise ConfigError(f"a lookup needs at least 2 recorded training questions, not {len(train)}; run `maestro record` on more.")
        self.menu = menu
        self.train = tuple(train)
        self.index = QuestionIndex([recorded.task.question for recorded in train])
        self.routes: tuple[Route, ...] = ((), *candidate_routes(menu, train))
        self.utilities = route_utilities(menu, train, self.routes)
        self.utilities[:, 0] = self._direct_utilities()

    def best_route(self) -> Route:
        """The one route with the highest mean utility on all of them."""
        return self.routes[1 + int(np.argmax(mean_utility(self.utilities[:, 1:])))]

    def direct(self, question: str, rows: Sequence[int]) -> str:
        """The answer by analogy with the training questions in `rows`."""
        shown = [self.train[row].task for row in rows[:DIRECT_NEIGHBOURS]]
        return direct_answer(question, [(task.question, task.references[0]) for task in shown])

    def by_analogy(self, question: str) -> str:
        """The answer by analogy with the questions most like this one."""
        return self.direct(question, list(self.index.nearest([question], DIRECT_NEIGHBOURS)[0]))

    def _direct_utilities(self) -> Utilities:
        """Of answering each training question by analogy with the others (a route without calls costs nothing)."""
        questions = [recorded.task.question for recorded in self.train]
        nearest = self.index.nearest(questions, DIRECT_NEIGHBOURS, skip_self=True)
        answers = [self.direct(question, list(rows)) for question, rows in zip(questions, nearest, strict=True)]
        return np.array([recorded.score(answer) for recorded, answer in zip(self.train, answers, strict=True)])


class LookupPolicy:
    """Question-only k nearest neighbours: follows the route (or answers by analogy) that paid best on similar questions."""

    name = "lookup"

    def __init__(self, examples: Examples, dialect: Dialect, k: int) -> None:
        self.examples = examples
        self.dialect = dialect
        self.k = k

    @classmethod
    def fit(cls, examples: Examples, dialect: Dialect, validation: Sequence[RecordedTask], ks: Sequence[int] = NEIGHBOURS) -> LookupPolicy:
        """The lookup whose k has the highest mean utility on `validation` (the middle of `ks` when there is none)."""
        if not validation:
            return cls(examples, dialect, ks[len(ks) // 2])
        nearest = examples.index.nearest([recorded.task.question for recorded in validation], max(ks))
        gained = {k: np.mean([_gain(examples, recorded, rows[:k]) for recorded, rows in zip(validation, nearest, strict=True)]) for k in ks}
        return cls(examples, dialect, max(ks, key=lambda k: gained[k]))

    def open(self, opening: Opening) -> RouteSession:
        """A session on the route that the question's neighbours recommend."""
        rows = self.examples.index.nearest([opening.task.question], max(self.k, DIRECT_NEIGHBOURS))[0]
        route = _recommended(self.examples, rows[: self.k])
        return RouteSession(opening, self.dialect, route, None if route else self.examples.direct(opening.task.question, list(rows)))


def _recommended(examples: Examples, rows: NDArray[np.int64]) -> Route:
    return examples.routes[int(np.argmax(mean_utility(examples.utilities[rows])))]


def _gain(examples: Examples, recorded: RecordedTask, rows: NDArray[np.int64]) -> float:
    route = _recommended(examples, rows)
    if not route:
        return recorded.score(examples.direct(recorded.task.question, list(rows)))
    plan = recorded.walk(examples.menu, route)
    return plan.utility if plan is not None else 0.0
