"""What an evaluation folder says about one benchmark of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maestro.evaluate.clusters import breakdown, cluster_of
from maestro.rollout.record import read_episodes
from maestro.types import Episode, StopReason, Task


@dataclass(frozen=True)
class Measured:
    """Ours on one benchmark. Shares are from 0 to 1, seconds and dollars are means over questions."""

    name: str
    questions: int
    share: float
    """As the benchmark's figure is defined: over questions, or the mean of categories."""
    low: float
    high: float
    """95 % interval by bootstrap over clusters: questions on one picture or scene, of which a benchmark has many, are drawn together."""
    clusters: int
    by_category: dict[str, float]
    seconds: float
    cost_usd: float
    calls: float
    broken: int
    """Episodes that infrastructure broke; they count as wrong."""


def measure(name: str, folder: Path, tasks: Sequence[Task], mean_of: str) -> Measured:
    """The figures of the episodes in a folder. A task without an episode is an error (KeyError): the run is not finished."""
    found = {episode.task_id: episode for episode in read_episodes(folder / "episodes.jsonl")}
    episodes = [found[task.id] for task in tasks]
    scores = [score_of(episode) for episode in episodes]
    groups: dict[str, list[float]] = defaultdict(list)
    for task, score in zip(tasks, scores, strict=True):
        groups[task.category].append(score)
    by_category = {category: float(np.mean(group)) for category, group in groups.items()}
    clusters = [cluster_of(task) for task in tasks]
    spread = breakdown(scores, clusters, [task.category for task in tasks])
    figure = spread.macro if mean_of == "categories" else spread.micro
    return Measured(
        name=name,
        questions=len(tasks),
        share=figure.mean,
        low=figure.low,
        high=figure.high,
        clusters=len(set(clusters)),
        by_category=by_category,
        seconds=float(np.mean([seconds_of(episode) for episode in episodes])),
        cost_usd=float(np.mean([episode.cost_usd for episode in episodes])),
        calls=float(np.mean([len(episode.calls) for episode in episodes])),
        broken=sum(episode.stop is StopReason.INFRASTRUCTURE for episode in episodes),
    )


def score_of(episode: Episode) -> float:
    """What the benchmark's rule gave; 0 for an episode that infrastructure broke."""
    if episode.stop is StopReason.INFRASTRUCTURE or episode.reward is None:
        return 0.0
    return episode.reward.terms["outcome"]


def seconds_of(episode: Episode) -> float:
    """Time of decisions and calls."""
    calls = sum(turn.observation.latency_seconds for turn in episode.turns if turn.observation is not None)
    return calls + sum(turn.decision.latency_seconds for turn in episode.turns)
