"""How far sampled episodes are from the best that the recorded pool knows of, and what their calls bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from maestro.reward import RewardRule, utility
from maestro.rollout.pool import PooledEnsemble, RecordedPool
from maestro.train.episodes.metrics import broken
from maestro.types import Episode, Reward, Task


class Worth(NamedTuple):
    """What a task is worth, in utility and in score."""

    best: float
    """Utility of the best recorded plan."""
    uncalled: float
    """Score of answering without any call."""


class Oracle:
    """Values tasks of a recorded pool by the run's own weights; every task once."""

    def __init__(self, pool: RecordedPool, rule: RewardRule) -> None:
        self.pool = pool
        self.rule = rule
        self._known: dict[str, Worth] = {}

    @classmethod
    def of(cls, ensemble: Any, rule: RewardRule) -> Oracle | None:
        """The oracle of the pool behind an ensemble, None when nothing was recorded."""
        while ensemble is not None and not isinstance(ensemble, RecordedPool | PooledEnsemble):
            ensemble = getattr(ensemble, "ensemble", None)
        pool = ensemble.pool if isinstance(ensemble, PooledEnsemble) else ensemble
        return cls(pool, rule) if pool is not None else None

    def numbers(self, tasks: Sequence[Task], episodes: Sequence[Episode]) -> dict[str, float]:
        """Means over unbroken episodes on recorded tasks; empty when there are none.

        `oracle_gap` is in utility, and below 0 where the policy knows an answer that no recorded plan finds. `lift_per_call` is the score
        that a call brings over answering without one, `price_per_call` the reward that it costs.
        """
        pairs = [
            (self._worth(task), episode, episode.reward)
            for task, episode in zip(tasks, episodes, strict=True)
            if task.id in self.pool.tasks and episode.reward is not None and not broken(episode)
        ]
        if not pairs:
            return {}
        found = {"oracle_gap": sum(worth.best - utility(reward) for worth, _, reward in pairs) / len(pairs)}
        calling = [(worth, episode, reward) for worth, episode, reward in pairs if episode.calls]
        if calls := sum(len(episode.calls) for _, episode, _ in calling):
            found["lift_per_call"] = sum(reward.terms["outcome"] - worth.uncalled for worth, _, reward in calling) / calls
            found["price_per_call"] = sum(_price(reward) for _, _, reward in calling) / calls
        return found

    def _worth(self, task: Task) -> Worth:
        if task.id not in self._known:
            plans = self.pool.plans(task.id)
            rule = self.rule
            best = max(plan.score - rule.cost_weight * plan.cost_usd - rule.latency_weight * plan.latency_seconds for plan in plans)
            self._known[task.id] = Worth(best, next(plan.score for plan in plans if not plan.calls))
        return self._known[task.id]


def _price(reward: Reward) -> float:
    """Reward lost to money and time."""
    return reward.terms["outcome"] * reward.weights["outcome"] - utility(reward)
