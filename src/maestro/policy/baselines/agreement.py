"""The cascade for experts that state no confidence: ask one after the other until what most of them say was right often enough before.

Confidence is measured, not stated: of the training questions on which, after so many experts, the leading answer had so many votes, the
share on which it was right.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

from maestro.policy.baselines.recorded import RecordedTask, mean_costs
from maestro.policy.baselines.route import NOTHING, Pair, write_route
from maestro.policy.baselines.session import BaselineSession
from maestro.policy.protocol import Dialect, Opening
from maestro.registry.menu import Menu
from maestro.scoring.exact import normalise
from maestro.types import Action, Answer, Call, Observation

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99)
"""Confidences below which another expert is asked that are tried."""
CALLS = 4
"""Experts asked at most, so that the answer fits in five turns."""

Standing = tuple[int, int]
"""(experts asked, votes of the leading answer)"""


class AgreementSession(BaselineSession):
    """Asks the next expert of the ladder while the leading answer is not trusted."""

    def __init__(self, opening: Opening, policy: AgreementPolicy) -> None:
        super().__init__(opening, policy.dialect)
        self.policy = policy

    def choose(self) -> Action:
        """The next expert, or the leading answer."""
        ladder = [pair for pair in self.policy.ladder if self.opening.menu.allows(*pair)][: self.policy.width]
        said = [turn.observation for turn in self.turns if turn.observation is not None]
        answer, standing = leading(said)
        if len(said) >= len(ladder) or (said and self.policy.trust(standing) >= self.policy.threshold):
            return Answer(text=answer)
        expert, skill = ladder[len(said)]
        return Call(expert=expert, skill=skill)


class AgreementPolicy:
    """Cheap experts first, of equal price the better on the training questions; threshold and width are tuned there."""

    def __init__(self, menu: Menu, train: Sequence[RecordedTask], dialect: Dialect, name: str = "cascade") -> None:
        self.name = name
        self.dialect = dialect
        self.ladder = _ladder(menu, train)
        self._right: Counter[Standing] = Counter()
        self._seen: Counter[Standing] = Counter()
        climbs = [self._climb(recorded) for recorded in train]
        for standing, score, _ in itertools.chain(*climbs):
            self._seen[standing] += 1
            self._right[standing] += score >= 1.0
        settings = list(itertools.product(THRESHOLDS, range(1, len(self.ladder) + 1))) or [(0.0, 0)]
        worth = [sum(self._gained(climb, *setting) for climb in climbs) for setting in settings]
        self.threshold, self.width = settings[worth.index(max(worth))]

    @property
    def setting(self) -> str:
        """What was chosen, in words."""
        route = ", ".join(write_route((pair,)) for pair in self.ladder[: self.width])
        return f"threshold={self.threshold:g}, ladder {route}"

    def trust(self, standing: Standing) -> float:
        """How often the leading answer was right in this standing; half a question of each kind is added, so that few prove little."""
        return (self._right[standing] + 0.5) / (self._seen[standing] + 1.0)

    def open(self, opening: Opening) -> AgreementSession:
        """A session at the foot of the ladder."""
        return AgreementSession(opening, self)

    def _climb(self, recorded: RecordedTask) -> list[tuple[Standing, float, float]]:
        """Standing, score and utility of the leading answer after every expert of the ladder, up to the first that was not recorded."""
        said: list[Observation] = []
        steps = []
        for expert, skill in self.ladder:
            if (observation := recorded.outcomes.get((expert, skill, ""))) is None:
                break
            said.append(observation)
            answer, standing = leading(said)
            score = recorded.score(answer)
            steps.append((standing, score, score - recorded.cost_weight * sum(one.cost_usd for one in said)))
        return steps

    def _gained(self, climb: Sequence[tuple[Standing, float, float]], threshold: float, width: int) -> float:
        """Utility of a setting on one training question."""
        steps = climb[:width]
        return next((gain for standing, _, gain in steps if self.trust(standing) >= threshold), steps[-1][2] if steps else 0.0)


def leading(said: Sequence[Observation]) -> tuple[str, Standing]:
    """The answer with the most votes, the earliest of equals, and how it stands; an expert that found nothing has no vote."""
    answers = [observation.value for observation in said if observation.status == "ok" and (observation.value or "").strip()]
    votes = Counter(normalise(answer or "") for answer in answers)
    if not votes:
        return NOTHING, (len(said), 0)
    first, count = votes.most_common(1)[0]
    return next(answer for answer in answers if answer and normalise(answer) == first), (len(said), count)


def _ladder(menu: Menu, train: Sequence[RecordedTask]) -> tuple[Pair, ...]:
    """Pairs whose skill answers questions, cheapest first, then by their mean score on the training tasks, then by name."""
    costs = mean_costs(train)
    scores: dict[Pair, float] = {}
    for pair in menu.pairs:
        seen = [(recorded, recorded.outcomes.get((*pair, ""))) for recorded in train]
        values = [recorded.score(one.value) for recorded, one in seen if one is not None and one.gives == "answer" and one.value]
        if values:
            scores[pair] = sum(values) / len(train)
    return tuple(sorted(scores, key=lambda pair: (costs.get(pair, 0.0), -scores[pair], pair)))[:CALLS]
