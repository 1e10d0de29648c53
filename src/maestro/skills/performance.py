"""One call of a policy as it is performed: the expert calls it leads to, what they cost, what was lost on the way."""

from __future__ import annotations

import time
from typing import Any, Literal

import orjson

from maestro.errors import InfrastructureFault, NothingSaid, PolicyFault
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.images import ImageStore
from maestro.skills.protocol import Caller, HelperReply
from maestro.types import ChildCall, Observation, Skill

_LONGEST_FAULT = 2000
"""Characters of a fault that a policy reads: a library may put a whole file into its message."""
_HELPER_SHARE = 0.5
"""Of the time that is left a helper may take so much: one that hangs must leave the expert time to answer."""


class Performance:
    """Gives skills their callers and keeps the record of what they ask, in the order in which it was asked."""

    def __init__(self, pool: ExpertPool, images: ImageStore, deadline_seconds: float) -> None:
        self.pool = pool
        self.images = images
        self.lost: list[str] = []
        """Evidence that could not be had."""
        self._started = time.monotonic()
        self._deadline = self._started + deadline_seconds
        self._calls: list[ChildCall | None] = []

    def caller(self, expert: str, skill: Skill) -> Caller:
        """The caller of a skill that is run with an expert."""

        async def ask(operation: str, images: tuple[str, ...] = (), sampling: dict[str, Any] | None = None, **arguments: Any) -> Any:
            reply = await self._call(expert, skill, _request(operation, skill, images, sampling, arguments), self._left())
            return reply.text if operation == "chat" else orjson.loads(reply.text)

        async def help_(role: str, images: tuple[str, ...] = (), sampling: dict[str, Any] | None = None, **arguments: Any) -> HelperReply:
            if not (helper := skill.helpers.get(role)):
                return HelperReply(fault=f"nobody fills the role {role}")
            request = _request("chat", skill, images, sampling, arguments)
            try:
                return HelperReply((await self._call(helper, skill, request, self._left() * _HELPER_SHARE)).text)
            except NothingSaid as fault:  # a picture without text has an empty transcript; running out of tokens is a failure
                return HelperReply("") if fault.retryable else HelperReply(fault=str(fault))
            except (PolicyFault, InfrastructureFault) as fault:  # costs its evidence, not the episode; the skill says so
                return HelperReply(fault=str(fault))

        return Caller(expert=expert, ask=ask, pixels=self.images.pixels, put=self.images.put, skill=skill, help=help_, lost=self.lost)

    def observation(self, status: Literal["ok", "policy_error", "expert_error", "timeout"], text: str, **fields: Any) -> Observation:
        """The observation that the policy gets; `fields` are those of a result."""
        children = tuple(call for call in self._calls if call is not None)
        replayed = sum(call.latency_seconds for call in children if call.replayed)
        return Observation(
            text=text if status == "ok" else text[:_LONGEST_FAULT],
            status=status,
            children=children,
            cost_usd=sum(call.cost_usd for call in children),
            # What the call took, or would have taken with its replayed replies live.
            latency_seconds=time.monotonic() - self._started + replayed,
            **fields,
        )

    async def _call(self, expert: str, skill: Skill, request: ExpertRequest, seconds: float) -> Reply:
        slot = len(self._calls)
        self._calls.append(None)
        reply = await self.pool.call(expert, request, seconds)
        self._calls[slot] = reply.child(expert, skill.id)
        return reply

    def _left(self) -> float:
        return max(0.0, self._deadline - time.monotonic())


def _request(
    operation: str, skill: Skill, images: tuple[str, ...], sampling: dict[str, Any] | None, arguments: dict[str, Any]
) -> ExpertRequest:
    return ExpertRequest(
        operation=operation, skill=skill.id, skill_digest=skill.digest, images=images, arguments=arguments, sampling=sampling or {}
    )
