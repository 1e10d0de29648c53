"""From a finished episode to named reward terms."""

from maestro.reward.rule import RewardRule, utility

__all__ = ["RewardRule", "utility"]
