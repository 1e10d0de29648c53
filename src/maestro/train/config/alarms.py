"""When a run is said to be going wrong."""

from __future__ import annotations

from pydantic import Field

from maestro.config import Config


class AlarmConfig(Config):
    """Thresholds of the alarms; all are on by default. One that holds for `window` steps in a row sounds once.

    Shares and means are those of the episodes sampled for one step (round).
    """

    collapse_share: float = Field(default=0.95, gt=0, le=1)
    """More than this share of first actions is the same."""
    expert_share: float = Field(default=0.95, gt=0, le=1)
    """More than this share of calls goes to one expert, where several are offered."""
    skill_share: float = Field(default=0.98, gt=0, le=1)
    """More than this share of calls goes through one skill, where several are offered."""
    calls_floor: float = Field(default=0.05, ge=0)
    """Fewer calls an episode than this."""
    information_floor: float = Field(default=0.02, ge=0)
    """Mutual information of question and first action, in nats, smoothed over the window; only where questions differ in kind."""
    entropy_floor: float = Field(default=0.01, ge=0)
    """Mean entropy per sampled token, in nats."""
    grammar_floor: float = Field(default=0.8, ge=0, le=1)
    """Share of episodes without a malformed turn."""
    decline: float = Field(default=0.15, gt=0)
    """Fall of the smoothed reward below its best."""
    gap_rise: float = Field(default=0.1, gt=0)
    """Rise of the smoothed gap to the oracle above its smallest; only on a recorded pool."""
    drift: float = Field(default=0.05, gt=0)
    """Mean difference, in nats a token, of the log-probs that the sampler reported and the trainer computes before its update."""
    kl: float = Field(default=1.0, gt=0)
    """KL divergence from the reference, in nats a token; only with `beta`."""
    infrastructure_share: float = Field(default=0.2, gt=0, le=1)
    """Share of the drawn episodes that infrastructure broke."""
    truncated_share: float = Field(default=0.2, gt=0, le=1)
    """Share of episodes with a decision that the token limit cut off."""
    equal_share: float = Field(default=0.9, gt=0, le=1)
    """Share of groups whose rewards are all equal."""
    window: int = Field(default=10, ge=1)
    """Steps that a condition must hold, and the width of the smoothing."""
    rounds: int = Field(default=2, ge=1)
    """The same in expert iteration, in rounds."""
    stop: bool = False
    """End the run when an alarm other than a warning sounds, and hand over the best policy so far."""
