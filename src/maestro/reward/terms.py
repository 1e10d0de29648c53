"""The closed set of reward terms, each a pure function of task and episode."""

from __future__ import annotations

from collections.abc import Callable

from maestro.scoring import score
from maestro.types import Answer, Episode, Malformed, Task


def outcome(task: Task, episode: Episode) -> float:
    """Score of the answer by the task's profile, in [0, 1]; 0 without an answer."""
    return score(task, episode.answer).score


def format(task: Task, episode: Episode) -> float:  # noqa: A001, ARG001 (the term's name in every report)
    """Minus the share of turns that were no valid action (unparsable, or a call the registry does not allow), minus 1 without an answer.

    In [-2, 0]. It counts from the first training step, so that the grammar of calls and answers cannot decay unnoticed.
    """
    if not episode.turns:
        return -1.0
    bad = sum(
        isinstance(turn.action, Malformed) or (turn.observation is not None and turn.observation.status == "policy_error")
        for turn in episode.turns
    )
    answered = isinstance(episode.turns[-1].action, Answer)
    return -bad / len(episode.turns) - (0.0 if answered else 1.0)


def cost(task: Task, episode: Episode) -> float:  # noqa: ARG001
    """Minus the dollars the episode cost."""
    return -episode.cost_usd


def latency(task: Task, episode: Episode) -> float:  # noqa: ARG001
    """Minus the seconds that the episode's calls took, as their observations say; a recorded call took what it took when it was made.

    The policy's own seconds are left out: how long a batched decision takes in training says nothing about serving.
    """
    return -sum(turn.observation.latency_seconds for turn in episode.turns if turn.observation is not None)


TERMS: dict[str, Callable[[Task, Episode], float]] = {"outcome": outcome, "format": format, "cost": cost, "latency": latency}
