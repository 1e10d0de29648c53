"""A policy that says what it was given: for tests, demonstrations and replaying an episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from maestro.errors import InfrastructureFault
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.protocol import Dialect, Opening
from maestro.types import Decision, Tokens, Turn

Script = Sequence[str] | Callable[[Opening, tuple[Turn, ...]], str]


class ScriptedPolicy:
    """Decides by a list of texts, one a turn, or by a function of the opening and the turns so far.

    A list that has run out fails as a server would: with InfrastructureFault.
    """

    def __init__(self, script: Script, *, name: str = "scripted", dialect: Dialect | None = None) -> None:
        self.name = name
        self.dialect = dialect or MaestroDialect()
        self._script = script

    def open(self, opening: Opening) -> ScriptedSession:
        """A session that starts at the top of the script."""
        return ScriptedSession(self._script, opening)


class ScriptedSession:
    """One episode of a script."""

    def __init__(self, script: Script, opening: Opening) -> None:
        self._script = script
        self._opening = opening
        self._turns: list[Turn] = []

    async def decide(self) -> Decision:
        """The next text of the script."""
        if callable(self._script):
            return Decision(text=self._script(self._opening, tuple(self._turns)))
        if len(self._turns) >= len(self._script):
            raise InfrastructureFault(f"the script ends after {len(self._script)} decisions")
        return Decision(text=self._script[len(self._turns)])

    def observe(self, turn: Turn) -> bool:
        """Remember the turn."""
        self._turns.append(turn)
        return True

    def tokens(self) -> Tokens | None:
        """None: a script has no token ids."""
        return None
