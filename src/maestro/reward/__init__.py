"""From a finished episode to named reward terms."""

from maestro.reward.rule import RewardRule

__all__ = ["RewardRule"]
