"""From episodes to numbers: one `Result` per episode, one `Summary` per policy and set of tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from maestro.evaluate.statistics import Information, Interval, cluster_means, mean_interval, mutual_information, wilson
from maestro.reward import RewardRule
from maestro.types import Episode, Malformed, StopReason, Task

AT_ONCE = "answers at once"
"""First action of an episode that calls nobody."""


@dataclass(frozen=True)
class Result:
    """What one episode came to."""

    task_id: str
    category: str
    sample: int
    score: float
    cost_usd: float
    utility: float
    """score - cost_weight * cost_usd; an episode that infrastructure broke scores 0 and is listed."""
    calls: tuple[str, ...]
    """`expert@skill` of the calls, in order."""
    malformed: int
    """Turns that were no action, or a call that was refused."""
    seconds: float
    stop: StopReason
    error: str | None = None

    @property
    def first(self) -> str:
        """The first call, or `AT_ONCE`."""
        return self.calls[0] if self.calls else AT_ONCE


def measure(task: Task, episode: Episode, rule: RewardRule) -> Result:
    """Score one episode. Raises TaskError when the task has no reference."""
    terms = rule.score(task, episode).terms
    broken = episode.stop is StopReason.INFRASTRUCTURE
    score = 0.0 if broken else terms["outcome"]
    refused = sum(
        isinstance(turn.action, Malformed) or (turn.observation is not None and turn.observation.status == "policy_error")
        for turn in episode.turns
    )
    return Result(
        task_id=task.id,
        category=task.category or task.source,
        sample=episode.sample,
        score=score,
        cost_usd=episode.cost_usd,
        utility=score - rule.cost_weight * episode.cost_usd,
        calls=tuple(f"{call.expert}@{call.skill}" for call in episode.calls),
        malformed=refused,
        seconds=_seconds(episode),
        stop=episode.stop,
        error=episode.error,
    )


def _seconds(episode: Episode) -> float:
    """What the episode takes with live experts: the time of decisions plus that of every call, replayed ones as first measured."""
    calls = sum(turn.observation.latency_seconds for turn in episode.turns if turn.observation is not None)
    return sum(turn.decision.latency_seconds for turn in episode.turns) + calls


@dataclass(frozen=True)
class Summary:
    """A policy on a set of tasks, with 95 % intervals over questions."""

    name: str
    questions: int
    episodes: int
    accuracy: Interval
    cost_usd: Interval
    utility: Interval
    calls: Interval
    seconds_median: float
    seconds_p95: float
    well_formed: float
    """Share of episodes without a malformed or refused turn that ended with an answer."""
    information: Information
    """What the category of a question tells about the first call."""
    errors: tuple[str, ...] = ()
    """`task: error` of every episode that infrastructure broke."""
    by_category: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """accuracy, cost_usd, utility and calls of each category."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def summarise(name: str, results: Sequence[Result]) -> Summary:
    """The summary of one policy's results; all samples of a question are one cluster."""
    ids = [result.task_id for result in results]
    seconds = [result.seconds for result in results] or [float("nan")]
    return Summary(
        name=name,
        questions=len(set(ids)),
        episodes=len(results),
        accuracy=_accuracy(results),
        cost_usd=mean_interval([result.cost_usd for result in results], ids),
        utility=mean_interval([result.utility for result in results], ids, shares=not any(result.cost_usd for result in results)),
        calls=mean_interval([float(len(result.calls)) for result in results], ids),
        seconds_median=float(np.median(seconds)),
        seconds_p95=float(np.quantile(seconds, 0.95)),
        well_formed=_share(result.stop is StopReason.ANSWERED and not result.malformed for result in results),
        information=mutual_information([result.category for result in results], [result.first for result in results]),
        errors=tuple(f"{result.task_id}: {result.error}" for result in results if result.stop is StopReason.INFRASTRUCTURE),
        by_category={category: _means(rows) for category, rows in by_category(results).items()},
    )


def _accuracy(results: Sequence[Result]) -> Interval:
    """Wilson's interval for one right-or-wrong episode a question, else a bootstrap over questions."""
    scores = [result.score for result in results]
    ids = [result.task_id for result in results]
    if len(set(ids)) == len(ids) and all(score in {0.0, 1.0} for score in scores):
        return wilson(sum(scores), len(scores))
    return mean_interval(scores, ids, shares=True)


def by_category(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Results grouped by category, in order of appearance."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.category, []).append(result)
    return groups


def per_question(results: Sequence[Result], what: str = "utility") -> dict[Any, float]:
    """Mean of a number of the results (`utility`, `score`, `cost_usd`, `seconds`) for each task id."""
    return cluster_means([getattr(result, what) for result in results], [result.task_id for result in results])


def call_shares(results: Sequence[Result], *, first: bool = False) -> dict[str, dict[str, float]]:
    """For each category how often each `expert@skill` is called per episode (or called first); `AT_ONCE` counts episodes without calls."""
    shares: dict[str, dict[str, float]] = {}
    for category, rows in by_category(results).items():
        counts: Counter[str] = Counter()
        for row in rows:
            counts.update([row.first] if first else (row.calls or (AT_ONCE,)))
        shares[category] = {name: count / len(rows) for name, count in counts.items()}
    return shares


def _means(rows: Sequence[Result]) -> dict[str, float]:
    numbers = {"accuracy": "score", "cost_usd": "cost_usd", "utility": "utility"}
    means = {name: float(np.mean([getattr(row, attribute) for row in rows])) for name, attribute in numbers.items()}
    return {**means, "calls": float(np.mean([len(row.calls) for row in rows])), "episodes": float(len(rows))}


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return sum(listed) / len(listed) if listed else float("nan")


__all__ = ["AT_ONCE", "Result", "Summary", "by_category", "call_shares", "measure", "per_question", "summarise"]
