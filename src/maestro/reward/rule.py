"""The reward of an episode: outcome, format and cost, each kept apart."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from maestro.reward.terms import TERMS
from maestro.scoring import score_off_loop
from maestro.types import Episode, Reward, Task


class RewardRule(BaseModel):
    """Weights of the reward terms; total = outcome + format_weight * format + cost_weight * cost + latency_weight * latency.

    The terms are defined in `maestro.reward.terms`: `outcome` in [0, 1], `format` <= 0, `cost` <= 0 (minus dollars), `latency` <= 0
    (minus seconds; measured only where it has a weight).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    cost_weight: float = Field(default=20.0, ge=0)
    """Reward lost per dollar spent."""
    format_weight: float = Field(default=0.5, ge=0)
    """Reward lost per unit of bad form."""
    latency_weight: float = Field(default=0.0, ge=0)
    """Reward lost per second that calls take."""

    def at(self, cost_weight: float | None) -> RewardRule:
        """The rule with the cost weight that an episode was told; None changes nothing."""
        return self if cost_weight is None or cost_weight == self.cost_weight else self.model_copy(update={"cost_weight": cost_weight})

    def score(self, task: Task, episode: Episode, outcome: float | None = None) -> Reward:
        """Every term of the episode's reward with its weight. Raises TaskError when the task cannot be scored.

        `outcome` is that term where the answer has been scored already: a judge or a sandbox is not asked twice.
        """
        weights = {"outcome": 1.0, "format": self.format_weight, "cost": self.cost_weight}
        if self.latency_weight:
            weights["latency"] = self.latency_weight
        known = {} if outcome is None else {"outcome": outcome}
        terms = {name: known[name] if name in known else TERMS[name](task, episode) for name in weights}
        return Reward(terms=terms, weights=weights)

    def scored(self, task: Task, episode: Episode, outcome: float | None = None) -> Episode:
        """The episode with its reward filled in."""
        return episode.model_copy(update={"reward": self.score(task, episode, outcome)})

    async def scored_off_loop(self, task: Task, episode: Episode) -> Episode:
        """`scored` for callers on an event loop, which goes on while an answer is compared by algebra or run."""
        found = await score_off_loop(task, episode.answer)
        return self.scored(task, episode, found.score)

    def utility(self, task: Task, episode: Episode) -> float:
        """Score minus weighted cost and latency: what reports compare. Form plays no part."""
        return utility(self.score(task, episode))


def utility(reward: Reward) -> float:
    """Outcome minus weighted cost and latency of a reward that has been given."""
    return sum(reward.weights[name] * reward.terms[name] for name in ("outcome", "cost", "latency") if name in reward.terms)
