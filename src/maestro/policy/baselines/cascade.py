"""The hand-written cascade: the right skill by lookup, the cheapest expert first, a dearer one while confidence is low."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from maestro.policy.baselines.lookup import DIRECT_NEIGHBOURS, Examples
from maestro.policy.baselines.recorded import RecordedTask, mean_costs
from maestro.policy.baselines.route import NOTHING, Pair, takes
from maestro.policy.baselines.session import BaselineSession
from maestro.policy.protocol import Dialect, Opening
from maestro.types import Action, Answer, Call, Observation

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)
"""The confidences below which it may ask a dearer expert that are tried."""
WIDTHS = (2, 3, 4)
"""How many experts of one skill are asked at most; these are tried."""
CALLS = 4
"""Calls per question at most, so that the answer fits in five turns."""
NEIGHBOURS = (1, 3, 5, 10, 20)
"""How many similar questions decide on the skills; these are tried."""


class CascadeSession(BaselineSession):
    """Goes through the skills the question calls for; in each, through its experts from cheap to dear."""

    def __init__(self, opening: Opening, policy: CascadePolicy, skills: tuple[str, ...], direct: str | None) -> None:
        super().__init__(opening, policy.dialect)
        self.policy = policy
        self.skills = list(skills)
        self.direct = direct
        self._query = ""
        self._tried: list[tuple[Pair, Observation]] = []
        """What the experts asked in the present stage said."""

    def choose(self) -> Action:
        """The next expert of this stage, the first of the next stage, or the answer."""
        if not self.skills:
            return Answer(text=self.direct or NOTHING)
        if self.turns and self.last is not None:
            self._tried.append((_pair(self.calls[-1]), self.last))
            if self._settled():
                found = self._best()
                if found is None or found.value is None:
                    return Answer(text=NOTHING)
                if not self._advance(found):
                    return Answer(text=found.value)
        expert, skill = self._ladder()[len(self._tried)]
        return Call(expert=expert, skill=skill, query=self._query)

    def _ladder(self) -> list[Pair]:
        """The experts of the present skill, cheapest first."""
        pairs = [pair for pair in self.opening.menu.pairs if pair[1] == self.skills[0]]
        return sorted(pairs, key=lambda pair: self.policy.costs.get(pair, 0.0))

    def _settled(self) -> bool:
        """Whether this stage ends: somebody was sure enough, or nobody is left to ask."""
        found = self._best()
        sure = found is not None and found.value is not None and (found.confidence or 0.0) >= self.policy.threshold
        spent = len(self._tried) >= min(self.policy.width, len(self._ladder())) or len(self.calls) >= CALLS
        return sure or spent

    def _best(self) -> Observation | None:
        """The most confident thing found in this stage."""
        found = [observation for _, observation in self._tried if observation.status == "ok" and (observation.value or "").strip()]
        return max(found, key=lambda observation: observation.confidence or 0.0, default=None)

    def _advance(self, found: Observation) -> bool:
        """Go to the stage that takes what was found; False when it is the answer, nobody takes it or no call is left."""
        if found.gives == "answer" or found.value is None or len(self.calls) >= CALLS:
            return False
        menu = self.opening.menu
        rest = [skill for skill in self.skills[1:] if takes(menu, skill, found.gives)]
        anybody = [skill.id for skill in menu.skills if takes(menu, skill.id, found.gives)]
        if not (chosen := rest or anybody):
            return False
        self.skills, self._query, self._tried = chosen, found.value.strip(), []
        return True


class CascadePolicy:
    """Knows the skills by question lookup and trusts the experts' own confidence; its threshold and width are tuned."""

    name = "cascade"

    def __init__(self, examples: Examples, dialect: Dialect, threshold: float = 0.8, width: int = 3, k: int = 10) -> None:
        self.examples = examples
        self.dialect = dialect
        self.threshold = threshold
        self.width = width
        self.k = k
        self.costs = mean_costs(examples.train)
        self._sequences, self._worth = _sequence_utilities(examples)

    @classmethod
    def fit(cls, examples: Examples, dialect: Dialect, validation: Sequence[RecordedTask]) -> CascadePolicy:
        """The cascade whose k, threshold and width have the highest mean utility on `validation`."""
        policy = cls(examples, dialect)
        if not validation:
            return policy
        by_k: dict[int, float] = {}
        for policy.k in NEIGHBOURS:
            by_k[policy.k] = policy._mean_gain(policy._opened(validation))
        policy.k = max(by_k, key=lambda k: by_k[k])
        opened = policy._opened(validation)
        worth: dict[tuple[float, int], float] = {}
        for policy.threshold, policy.width in itertools.product(THRESHOLDS, WIDTHS):
            worth[policy.threshold, policy.width] = policy._mean_gain(opened)
        policy.threshold, policy.width = max(worth, key=lambda setting: worth[setting])
        return policy

    def open(self, opening: Opening) -> CascadeSession:
        """A session on the skills that the question's neighbours needed."""
        return CascadeSession(opening, self, *self.skills_for(opening.task.question))

    def skills_for(self, question: str) -> tuple[tuple[str, ...], str | None]:
        """The sequence of skills that similar questions needed; for none, the answer by analogy."""
        rows = self.examples.index.nearest([question], max(self.k, DIRECT_NEIGHBOURS))[0]
        skills = self._sequences[int(np.argmax(self._worth[rows[: self.k]].mean(axis=0)))]
        return skills, None if skills else self.examples.direct(question, list(rows))

    def _opened(self, tasks: Sequence[RecordedTask]) -> list[tuple[RecordedTask, tuple[str, ...], str | None]]:
        return [(recorded, *self.skills_for(recorded.task.question)) for recorded in tasks]

    def _mean_gain(self, opened: Sequence[tuple[RecordedTask, tuple[str, ...], str | None]]) -> float:
        """Mean utility of the present settings on tasks whose skills are known."""
        total = 0.0
        for recorded, skills, direct in opened:
            opening = Opening(recorded.task.unanswered(), self.examples.menu)
            plan = recorded.play(CascadeSession(opening, self, skills, direct))
            total += plan.utility if plan is not None else 0.0
        return total / len(opened)


def _pair(call: Call) -> Pair:
    return (call.expert, call.skill)


def _sequence_utilities(examples: Examples) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """The skill sequences seen, and what each is worth on each training task with its best experts, (tasks, sequences)."""
    rows: list[dict[tuple[str, ...], float]] = []
    for number, recorded in enumerate(examples.train):
        row: dict[tuple[str, ...], float] = {}
        for plan in recorded.plans(examples.menu):
            row[plan.skills] = max(row.get(plan.skills, -np.inf), plan.utility)
        row[()] = float(examples.utilities[number, 0])
        rows.append(row)
    sequences = sorted({skills for row in rows for skills in row}, key=lambda skills: (len(skills), skills))
    return sequences, np.array([[row.get(skills, 0.0) for skills in sequences] for row in rows])
