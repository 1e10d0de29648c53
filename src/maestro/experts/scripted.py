"""Scripted experts: replies, failures and delays from a list or a function, for tests and demonstrations."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from maestro.errors import CallFailed, CallTimeout, ConfigError, InfrastructureFault, PolicyFault
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.types import Expert


@dataclass(frozen=True)
class Delayed:
    """A reply that takes its time."""

    seconds: float
    reply: str | Reply | CallFailed


Script = str | Reply | CallFailed | Delayed
"""What one call gives: a text, a whole reply, a failure to raise, or one of these after a while."""
Answering = Callable[[ExpertRequest], Script | Awaitable[Script]]


class ScriptedExpert:
    """Gives `replies` in order, or asks a function for each; keeps the requests it got.

    Raises InfrastructureFault when a list is used up.
    """

    def __init__(self, card: Expert, replies: Sequence[Script] | Answering) -> None:
        self.card = card
        self.requests: list[ExpertRequest] = []
        self.closed = False
        self._replies = replies

    async def call(self, request: ExpertRequest) -> Reply:
        """The next reply. Raises the failure that the script holds."""
        self.requests.append(request)
        script = await self._next(request)
        if isinstance(script, Delayed):
            await asyncio.sleep(script.seconds)
            script = script.reply
        if isinstance(script, CallFailed):
            raise script
        return script if isinstance(script, Reply) else Reply(text=script)

    async def close(self) -> None:
        """Nothing to free; remembered for tests."""
        self.closed = True

    async def _next(self, request: ExpertRequest) -> Script:
        if callable(self._replies):
            script = self._replies(request)
            return await script if inspect.isawaitable(script) else script
        if len(self.requests) > len(self._replies):
            raise InfrastructureFault(f"scripted expert {self.card.id} has {len(self._replies)} replies and was asked once more.")
        return self._replies[len(self.requests) - 1]


_FAILURES: dict[str, Callable[[str], CallFailed]] = {
    "policy": PolicyFault,
    "unavailable": lambda message: InfrastructureFault(message, retryable=True),
    "broken": InfrastructureFault,
    "timeout": CallTimeout,
}


def scripted_from_card(card: Expert) -> ScriptedExpert:
    """The scripted expert of a registry card.

    `options.replies` lists texts or mappings `{text | error, message, delay_seconds}` with error one of policy,
    unavailable, broken, timeout; they are given in turn, over and over. Raises ConfigError.
    """
    listed = card.options.get("replies")
    if not isinstance(listed, list) or not listed:
        raise ConfigError(
            f"scripted expert {card.id} needs a list `options.replies` in registry.yaml: texts, or mappings with text or error."
        )
    scripts = [_script(card, entry) for entry in listed]
    turn = iter(range(1 << 62))
    return ScriptedExpert(card, lambda _: scripts[next(turn) % len(scripts)])


def _script(card: Expert, entry: Any) -> Script:
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, dict) or ("text" in entry) == ("error" in entry):
        raise ConfigError(f"scripted expert {card.id}: {entry!r} is neither a text nor a mapping with one of text, error.")
    if "error" in entry and entry["error"] not in _FAILURES:
        raise ConfigError(f"scripted expert {card.id}: error {entry['error']!r} does not exist; choose one of {', '.join(_FAILURES)}.")
    message = str(entry.get("message", f"{card.id} was scripted to fail"))
    script = _FAILURES[entry["error"]](message) if "error" in entry else str(entry["text"])
    return Delayed(float(entry["delay_seconds"]), script) if "delay_seconds" in entry else script
