"""Prices of a dollar that the policy is told while it is trained, so that one checkpoint serves every budget."""

from __future__ import annotations

from pydantic import Field, model_validator

from maestro.config import Config


class DialConfig(Config):
    """The budget dial. Off while `high` is 0: the policy is told nothing, and every episode counts `reward.cost_weight`."""

    low: float = Field(default=1.0, gt=0)
    high: float = Field(default=0.0, ge=0)
    """Each task of a step is told a cost weight drawn between `low` and `high`, evenly on a log scale, and is rewarded by it."""
    usual: float = Field(default=0.25, ge=0, le=1)
    """Share of the tasks that are told `reward.cost_weight` instead, as validation is."""

    @model_validator(mode="after")
    def _in_order(self) -> DialConfig:
        if self.high and self.high < self.low:
            raise ValueError(f"dial.high {self.high:g} is below dial.low {self.low:g}")
        return self
