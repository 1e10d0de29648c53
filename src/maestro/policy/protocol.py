"""What a policy is to the rest: it opens a session on a task, and a session decides turn by turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from maestro.registry.menu import Menu
from maestro.types import Action, Decision, Task, Tokens, Turn


@dataclass(frozen=True)
class Opening:
    """What a session may know at the start."""

    task: Task
    """Without references, scoring profile or category."""
    menu: Menu
    sample: int = 0
    """Which of several episodes on the same task; part of the sampling seed."""
    cost_weight: float | None = None
    """What a dollar costs in reward, when the user said so."""


class Dialect(Protocol):
    """How actions and observations are written, and parsed back."""

    name: str

    def parse(self, text: str) -> Action:
        """The action in one decision's text. Never guesses: what is not an action is `Malformed`."""
        ...

    def write(self, action: Action, thought: str = "") -> str:
        """The canonical text of an action; `parse(write(a)) == a`."""
        ...


class Session(Protocol):
    """One episode of one policy."""

    async def decide(self) -> Decision:
        """The next turn. Raises InfrastructureFault when the policy's own server fails."""
        ...

    def observe(self, turn: Turn) -> bool:
        """Take note of a finished turn; False when its observation no longer fits the token buffer."""
        ...

    def tokens(self) -> Tokens | None:
        """The append-only row of ids, for policies that have one."""
        ...


class Policy(Protocol):
    """Who decides."""

    name: str
    dialect: Dialect

    def open(self, opening: Opening) -> Session:
        """Begin an episode."""
        ...
