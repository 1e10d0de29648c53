"""The policy that calls anybody."""

from __future__ import annotations

import random

from maestro.policy.baselines.route import followers
from maestro.policy.baselines.session import BaselineSession
from maestro.policy.protocol import Dialect, Opening
from maestro.types import Action, Call


class RandomSession(BaselineSession):
    """Calls a uniformly random allowed pair; a region, expression or code goes to a uniformly random pair that takes it.

    A call that was refused (the pair cannot work on the question) is followed by another random pair. Answers with the last
    value after `calls` calls at most.
    """

    def __init__(self, opening: Opening, dialect: Dialect, seed: int, calls: int) -> None:
        super().__init__(opening, dialect)
        self._random = random.Random(f"{seed}/{opening.task.id}/{opening.sample}")
        self._limit = calls

    def choose(self) -> Action:
        """A random call, or the answer."""
        if len(self.turns) >= self._limit:
            return self.answer()
        if self.last is None or self.last.status == "policy_error":
            expert, skill = self._random.choice(self.opening.menu.pairs)
            return Call(expert=expert, skill=skill)
        offered = followers(self.opening.menu, self.last)
        return self._random.choice(offered) if offered else self.answer()


class RandomPolicy:
    """Uniform over the menu; the floor that any policy must beat."""

    name = "random"

    def __init__(self, dialect: Dialect, seed: int = 0, calls: int = 4) -> None:
        self.dialect = dialect
        self.seed = seed
        self.calls = calls

    def open(self, opening: Opening) -> RandomSession:
        """A session whose draws depend on seed, task and sample only."""
        return RandomSession(opening, self.dialect, self.seed, self.calls)
