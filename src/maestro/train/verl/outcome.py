"""An episode as verl takes it: ids, mask, log-probs, reward, and what its logs should say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro.reward.terms import TERMS
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.metrics import wellformed
from maestro.train.episodes.signal import PENALTIES, Standing, standing, truncated
from maestro.types import Episode, Tokens


@dataclass(frozen=True)
class Outcome:
    """The fields of verl's `AgentLoopOutput` that an episode decides."""

    prompt_ids: list[int]
    response_ids: list[int]
    response_mask: list[int]
    """All 0 for an episode that must not teach: that is how the advantage estimator knows it."""
    response_logprobs: list[float]
    reward_score: float
    numbers: Mapping[str, float]
    """The same names for every episode; verl averages them in its logs."""


def outcome(episode: Episode, signal: SignalConfig, prompt_ids: list[int]) -> Outcome:
    """The outcome of a scored episode; `prompt_ids` stand in where the episode broke before it had a row.

    A row without any token of the policy gets one masked id, because verl's rows are never empty.
    """
    tokens = episode.tokens or Tokens(prompt_ids=tuple(prompt_ids))
    place = standing(episode, signal)
    taught, empty = place is Standing.TRAINED, not tokens.completion_ids
    reward = episode.reward
    return Outcome(
        prompt_ids=list(tokens.prompt_ids),
        response_ids=[tokens.prompt_ids[-1]] if empty else list(tokens.completion_ids),
        response_mask=list(tokens.mask) if taught else [0] * max(1, len(tokens.completion_ids)),
        response_logprobs=[0.0] if empty else list(tokens.logprobs),
        reward_score=reward.total if taught and reward is not None else 0.0,
        numbers={
            **{f"reward/{name}": (reward.terms.get(name, 0.0) if reward else 0.0) for name in (*TERMS, *PENALTIES)},
            "reward/total": reward.total if reward else 0.0,
            **{f"episode/{name.value}": float(place is name) for name in Standing},
            "episode/calls": float(len(episode.calls)),
            "episode/turns": float(len(episode.turns)),
            "episode/wellformed": float(wellformed(episode)),
            "episode/cut": float(truncated(episode)),
            "episode/cost_usd": episode.cost_usd,
        },
    )


def metrics_of(episode: Episode) -> dict[str, Any]:
    """Seconds of an episode by what took them, under the names of verl's `AgentLoopMetrics`."""
    deciding = sum(turn.decision.latency_seconds for turn in episode.turns)
    calling = sum(turn.observation.latency_seconds for turn in episode.turns if turn.observation is not None)
    return {"generate_sequences": deciding, "tool_calls": calling}
