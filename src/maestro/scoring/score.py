"""What a scorer returns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Score(BaseModel):
    """One prediction's score with the reason, so that anybody can see which rule decided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: float = Field(ge=0, le=1)
    extracted: str | None = None
    """What was compared, after the envelope was removed; None when nothing could be read."""
    rule: str
    """The rule that decided."""
    reason: str = ""
