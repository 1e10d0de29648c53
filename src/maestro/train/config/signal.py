"""Which sampled episodes may teach, and what is drawn again in place of the others."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from maestro.config import Config

Treatment = Literal["keep", "mask", "penalise"]


class SignalConfig(Config):
    """What happens to episodes that say little or nothing about the policy. Everything that is done is counted in metrics.jsonl."""

    redraws: int = Field(default=2, ge=0, le=16)
    """Further draws of a member that infrastructure broke. One that is still broken then is masked: no reward, no loss."""
    truncated: Treatment = "keep"
    """An episode with a decision that the token limit cut off: scored as it is, masked, or scored with `penalty` less."""
    overlong: Treatment = "keep"
    """An episode that used up its turns, tokens or money without an answer, likewise."""
    penalty: float = Field(default=0.5, ge=0)
    """Reward that a penalised episode loses, once for each of the two reasons."""
    equal_groups: Literal["keep", "drop", "resample"] = "keep"
    """Groups whose rewards are all equal have no advantages: left in the loss (for its entropy and KL terms), masked, or drawn again."""
    equal_redraws: int = Field(default=2, ge=1, le=16)
    """With `resample`, further draws of a whole group; one whose rewards are equal even then is masked."""
