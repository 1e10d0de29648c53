"""Policies that say what they were given: for tests, demonstrations and replaying an episode."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from maestro.errors import InfrastructureFault
from maestro.policy.codec import Wording
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.history import History
from maestro.policy.protocol import Dialect, Opening, TokenDialect
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


class ScriptedTokens:
    """Samples a list of texts as token ids: stops where the dialect stops, keeps what it keeps, and has a row like a model's.

    Every sampled id has the log-prob -0.5. Images take one placeholder each.
    """

    def __init__(
        self, script: Sequence[str], dialect: TokenDialect, wording: Wording, *, limit: int = 16_384, name: str = "scripted-tokens"
    ) -> None:
        self.name = name
        self.dialect = dialect
        self.wording = wording
        self.limit = limit
        self.script = tuple(script)

    def open(self, opening: Opening) -> ScriptedTokensSession:
        """A session that starts at the top of the script."""
        return ScriptedTokensSession(self, opening)


class ScriptedTokensSession:
    """One episode of scripted ids."""

    def __init__(self, policy: ScriptedTokens, opening: Opening) -> None:
        codec = policy.wording.codec
        prompt = codec.encode(policy.wording.render(policy.dialect.messages(opening)))
        self.policy = policy
        self.history = History(prompt, policy.dialect, codec, limit=policy.limit, reserve=0, observation_tokens=1024)

    async def decide(self) -> Decision:
        """The ids of the next text, up to the first stop in it."""
        number = self.history.generation
        if number >= len(self.policy.script):
            raise InfrastructureFault(f"the script ends after {len(self.policy.script)} decisions")
        codec = self.policy.wording.codec
        ids = codec.encode(self.policy.script[number])
        stops = self.policy.dialect.stops_at(number)
        reached = (length for length in range(1, len(ids) + 1) if any(stop in codec.decode(ids[:length]) for stop in stops))
        ids = ids[: next(reached, len(ids))]
        return self.history.take(ids, [-0.5] * len(ids), stopped=True)

    def observe(self, turn: Turn) -> bool:
        """Append what came back."""
        return self.history.observe(turn)

    def tokens(self) -> Tokens:
        """The row so far."""
        return self.history.freeze()
