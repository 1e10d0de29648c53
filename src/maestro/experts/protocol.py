"""What an expert is to the rest: one request in, one reply out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from maestro.types import ChildCall, Expert

Pixels = NDArray[np.uint8]
"""RGB image, shape (height, width, 3)."""


@dataclass(frozen=True)
class ExpertRequest:
    """One call to one frozen model, complete enough to be its own key in the call store."""

    operation: str
    """What is asked: for an in-process expert the name of one of its operations, for a served one `chat`."""
    skill: str = ""
    skill_digest: str = ""
    images: tuple[str, ...] = ()
    """Content hashes of what the expert shall see (crops included)."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """Arguments of the operation, or `messages` for `chat`. JSON values only."""
    sampling: dict[str, Any] = field(default_factory=dict)
    draw: int = 0
    """Which of several draws of the same request (for experts that sample)."""


@dataclass(frozen=True)
class Reply:
    """What an expert said."""

    text: str
    """For in-process experts JSON, so that a skill can read it; for served ones the message."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    latency_seconds: float = 0.0
    """Of the first, real call; a replayed reply keeps it."""
    replayed: bool = False
    reasoning: str = ""
    """What a thinking model thought, kept apart from `text`."""
    answered_by: str = ""
    """Id of the fallback that answered; empty when the expert that was asked did."""

    def child(self, expert: str, skill: str) -> ChildCall:
        """The record of this reply inside an observation: of the expert that answered."""
        return ChildCall(
            expert=self.answered_by or expert,
            skill=skill,
            replayed=self.replayed,
            cost_usd=self.cost_usd,
            latency_seconds=self.latency_seconds,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )


class ExpertClient(Protocol):
    """A way to reach one expert. Raises PolicyFault or InfrastructureFault, nothing else."""

    card: Expert

    async def call(self, request: ExpertRequest) -> Reply:
        """Ask once; deadlines, retries and the store are the pool's business, not the client's."""
        ...

    async def close(self) -> None:
        """Free what the client holds."""
        ...


class LocalModel(Protocol):
    """What the `target` of a `local` expert is: a class built with the card's options inside a worker process.

    Every public method named `do_<operation>` is an operation: it takes the images and the request's arguments as
    keywords and returns a JSON value. It raises ValueError for a request that makes no sense (the policy's fault);
    anything else it raises is its own failure.
    """

    def __init__(self, **options: Any) -> None: ...
