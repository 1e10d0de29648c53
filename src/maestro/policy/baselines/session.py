"""The session every baseline shares: it chooses an action from the turns so far and writes it in the dialect."""

from __future__ import annotations

from abc import ABC, abstractmethod

from maestro.policy.baselines.route import NOTHING
from maestro.policy.protocol import Dialect, Opening
from maestro.types import Action, Answer, Call, Decision, Observation, Tokens, Turn


class BaselineSession(ABC):
    """One episode of a baseline; subclasses say what to do next."""

    def __init__(self, opening: Opening, dialect: Dialect) -> None:
        self.opening = opening
        self.dialect = dialect
        self.turns: list[Turn] = []

    @abstractmethod
    def choose(self) -> Action:
        """The next action, given `self.turns`."""

    async def decide(self) -> Decision:
        """The next turn in the dialect's words."""
        return Decision(text=self.dialect.write(self.choose()))

    def observe(self, turn: Turn) -> bool:
        """Remember the turn; a baseline has no token buffer to overflow."""
        self.turns.append(turn)
        return True

    def tokens(self) -> Tokens | None:
        """None: baselines are not trained."""
        return None

    @property
    def last(self) -> Observation | None:
        """What came back last."""
        return self.turns[-1].observation if self.turns else None

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls so far."""
        return tuple(turn.action for turn in self.turns if isinstance(turn.action, Call))

    def answer(self) -> Answer:
        """The last value found, or `NOTHING`."""
        for turn in reversed(self.turns):
            if turn.observation is not None and turn.observation.value and turn.observation.value.strip():
                return Answer(text=turn.observation.value)
        return Answer(text=NOTHING)
