"""Limits on one episode, and the clock that watches them."""

from __future__ import annotations

import time

from pydantic import BaseModel, ConfigDict, Field

from maestro.types import StopReason

_ROUNDING = 1e-9
"""Dollars that sums of prices may miss by rounding."""


class Limits(BaseModel):
    """What one episode may use."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    turns: int = Field(default=5, ge=1)
    """Decisions, the answer included."""
    cost_usd: float | None = Field(default=None, ge=0)
    """Once so much is spent, a call is refused and the policy told to answer; with 0 no call is made; None for no limit."""
    seconds: float = Field(default=120.0, gt=0)
    """Deadline of the whole episode, wall clock."""


class Meter:
    """What an episode has used of its limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.started = time.monotonic()
        self.turns = 0
        self.cost_usd = 0.0
        self.refused = False
        """Whether the last decision was a call for which there was no money."""

    @property
    def elapsed_seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @property
    def remaining_seconds(self) -> float:
        """Until the deadline, at least 0."""
        return max(0.0, self.limits.seconds - self.elapsed_seconds)

    def exhausted(self) -> StopReason | None:
        """The limit that is used up, if one is."""
        if self.remaining_seconds <= 0:
            return StopReason.TIME_LIMIT
        if self.turns >= self.limits.turns:
            return StopReason.COST_LIMIT if self.refused else StopReason.TURN_LIMIT
        return None

    @property
    def may_call(self) -> bool:
        """False when the money is spent, or there never was any; such an episode can only answer."""
        return self.limits.cost_usd is None or self.cost_usd < self.limits.cost_usd - _ROUNDING
