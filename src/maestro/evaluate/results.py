"""From episodes to numbers: one `Result` per episode, one `Summary` per policy and set of tasks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import orjson

from maestro.evaluate.clusters import cluster_of
from maestro.evaluate.statistics import Information, Interval, cluster_means, mean_interval, mutual_information, wilson
from maestro.reward import RewardRule
from maestro.scoring import Score, score
from maestro.types import Call, Episode, Malformed, StopReason, Task

AT_ONCE = "answers at once"
"""First action of an episode that calls nobody."""


@dataclass(frozen=True)
class CallMade:
    """One call of an episode as its bill shows it."""

    expert: str
    skill: str
    status: str
    """Of its observation; `not_made` when the episode ended first."""
    cost_usd: float = 0.0
    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True)
class Result:
    """What one episode came to: a line of `samples.jsonl`."""

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
    cluster: str = ""
    """What its question shares with others (a scene, a picture); the question itself when empty."""
    answer: str | None = None
    extracted: str | None = None
    """What of the answer was compared."""
    rule: str = ""
    """The scoring rule that decided."""
    reason: str = ""
    made: tuple[CallMade, ...] = ()
    tokens_in: int = 0
    """Of the policy's own prompts, all turns."""
    tokens_out: int = 0
    deciding_seconds: float = 0.0
    """The policy's own part of `seconds`: the price of routing."""
    task_digest: str = ""
    """SHA-256 over question, pictures, choices, references and profile: what makes two runs comparable."""

    @property
    def first(self) -> str:
        """The first call, or `AT_ONCE`."""
        return self.calls[0] if self.calls else AT_ONCE


def digest_of(task: Task) -> str:
    """SHA-256 over everything of a task that decides its score, first 16 hexadecimal digits."""
    asked = task.model_dump(mode="json", include={"id", "question", "images", "references", "profile", "params", "choices"})
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def measure(task: Task, episode: Episode, rule: RewardRule, scored: Score | None = None) -> Result:
    """What an episode came to; `scored` is the score of its answer when that is known already.

    Raises TaskError when the task has no reference.
    """
    found = scored if scored is not None else score(task, episode.answer)
    points = 0.0 if episode.stop is StopReason.INFRASTRUCTURE else found.score
    refused = sum(
        isinstance(turn.action, Malformed) or (turn.observation is not None and turn.observation.status == "policy_error")
        for turn in episode.turns
    )
    return Result(
        task_id=task.id,
        category=task.category or task.source,
        sample=episode.sample,
        score=points,
        cost_usd=episode.cost_usd,
        utility=points - rule.cost_weight * episode.cost_usd,
        calls=tuple(f"{call.expert}@{call.skill}" for call in episode.calls),
        malformed=refused,
        seconds=_seconds(episode),
        stop=episode.stop,
        error=episode.error,
        cluster=cluster_of(task),
        answer=episode.answer,
        extracted=found.extracted,
        rule=found.rule,
        reason=found.reason,
        made=tuple(_calls_made(episode)),
        tokens_in=sum(turn.decision.prompt_tokens for turn in episode.turns),
        tokens_out=sum(turn.decision.completion_tokens for turn in episode.turns),
        deciding_seconds=sum(turn.decision.latency_seconds for turn in episode.turns),
        task_digest=digest_of(task),
    )


def _calls_made(episode: Episode) -> Iterable[CallMade]:
    """Every call of an episode; the tokens are those of the expert calls that its skill made."""
    for turn in episode.turns:
        if not isinstance(turn.action, Call):
            continue
        expert, skill, seen = turn.action.expert, turn.action.skill, turn.observation
        if seen is None:
            yield CallMade(expert, skill, "not_made")
            continue
        tokens = [sum(getattr(child, name) for child in seen.children) for name in ("input_tokens", "output_tokens")]
        yield CallMade(expert, skill, seen.status, seen.cost_usd, seen.latency_seconds, *tokens)


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

    @property
    def macro_accuracy(self) -> float:
        """Mean of the categories' accuracies."""
        return float(np.mean([row["accuracy"] for row in self.by_category.values()])) if self.by_category else float("nan")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def summarise(name: str, results: Sequence[Result]) -> Summary:
    """The summary of one policy's results; questions on one scene, and all samples of a question, are one cluster."""
    ids = [result.task_id for result in results]
    scenes = scenes_of(results)
    seconds = [result.seconds for result in results] or [float("nan")]
    free = not any(result.cost_usd for result in results)
    return Summary(
        name=name,
        questions=len(set(ids)),
        episodes=len(results),
        accuracy=_accuracy(results),
        cost_usd=mean_interval([result.cost_usd for result in results], ids, scenes=scenes),
        utility=mean_interval([result.utility for result in results], ids, shares=free, scenes=scenes),
        calls=mean_interval([float(len(result.calls)) for result in results], ids, scenes=scenes),
        seconds_median=float(np.median(seconds)),
        seconds_p95=float(np.quantile(seconds, 0.95)),
        well_formed=_share(result.stop is StopReason.ANSWERED and not result.malformed for result in results),
        information=mutual_information([result.category for result in results], [result.first for result in results]),
        errors=tuple(f"{result.task_id}: {result.error}" for result in results if result.stop is StopReason.INFRASTRUCTURE),
        by_category={category: _means(rows) for category, rows in by_category(results).items()},
    )


def _accuracy(results: Sequence[Result]) -> Interval:
    """Wilson's interval for one right-or-wrong episode a question on its own, else a bootstrap over scenes."""
    scores = [result.score for result in results]
    ids, scenes = [result.task_id for result in results], scenes_of(results)
    if len(set(scenes.values())) == len(ids) and all(score in {0.0, 1.0} for score in scores):
        return wilson(sum(scores), len(scores))
    return mean_interval(scores, ids, shares=True, scenes=scenes)


def scenes_of(results: Iterable[Result]) -> dict[Any, str]:
    """The cluster of every task id."""
    return {result.task_id: result.cluster or result.task_id for result in results}


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


__all__ = [
    "AT_ONCE",
    "CallMade",
    "Result",
    "Summary",
    "by_category",
    "call_shares",
    "digest_of",
    "measure",
    "per_question",
    "scenes_of",
    "summarise",
]
