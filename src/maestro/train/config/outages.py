"""Outages of experts on purpose, for drills and for learning to ask somebody else."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from maestro.config import Config


class OutageWindow(Config):
    """Experts that are out from one step to another. Steps count from 0; in expert iteration they are rounds."""

    start: int = Field(ge=0)
    """The first step without them."""
    end: int = Field(ge=1)
    """The first step with them again."""
    share: float = Field(default=0.5, gt=0, le=1)
    """Share of the experts that are out, drawn from the seed."""
    experts: tuple[str, ...] = ()
    """Their ids, in place of a share."""
    stage: int | None = Field(default=None, ge=0)
    """Index of the stage, from 0; by default every stage that samples episodes."""

    @model_validator(mode="after")
    def _forward(self) -> OutageWindow:
        if self.end <= self.start:
            raise ValueError(f"an outage that starts at step {self.start} must end after it, not at {self.end}")
        return self


class RandomOutages(Config):
    """Each expert is out for stretches drawn at random, independently of the others."""

    share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the time that an expert is out."""
    steps: int = Field(default=1, ge=1)
    """Length of a stretch."""


class OutageConfig(Config):
    """Which experts are out when, and who is told of it. Looks at the validation split have every expert.

    Failures of live experts are told to the same one as these.
    """

    windows: tuple[OutageWindow, ...] = ()
    random: RandomOutages = RandomOutages()
    told: Literal["trainer", "policy"] = "trainer"
    """`trainer`: the episode ends, is drawn again or masked, and teaches nothing. `policy`: it reads that the expert is unavailable and
    goes on, so that it learns to ask another."""
