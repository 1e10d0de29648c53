"""What a sampled episode may teach: everything, nothing, or as it is with a penalty; and what broke the ones that teach nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from maestro.rollout.rerouting import told_unavailable
from maestro.train.config.signal import SignalConfig, Treatment
from maestro.train.episodes.metrics import broken
from maestro.types import Call, Episode, Reward, StopReason

ALIKE = 1e-9
"""Rewards closer than this are equal."""


PENALTIES = ("truncated", "overlong")
"""Terms that `penalised` adds to a reward."""


class Standing(StrEnum):
    """Whether an episode is trained on, and why not."""

    TRAINED = "trained"
    INFRASTRUCTURE = "infrastructure"
    """An expert, the policy's server or the clock ended it."""
    UNTRAINABLE = "untrainable"
    """Its row is not what was sampled in its context, or there is none; or its reward is no finite number."""
    TRUNCATED = "truncated"
    """A decision was cut off, and the config masks those."""
    OVERLONG = "overlong"
    """It used up a limit without an answer, and the config masks those."""


class Fault(NamedTuple):
    """What broke an episode."""

    kind: str
    """Stage and type, such as `perform expert_error` or `decide EndpointDown`."""
    where: str
    """Id of the expert that was called, or `policy`."""


def judged(episode: Episode) -> Episode:
    """A scored episode; one whose reward is no finite number has none, and its error says which terms are not.

    Of such a number no mean can be taken, and no file of JSON holds it.
    """
    if episode.reward is None or math.isfinite(episode.reward.total):
        return episode
    terms = ", ".join(f"{name} {value}" for name, value in episode.reward.terms.items() if not math.isfinite(value))
    reason = f"reward: no finite number: {terms or episode.reward.total}"
    return episode.model_copy(update={"reward": None, "error": f"{episode.error}; {reason}" if episode.error else reason})


def truncated(episode: Episode) -> bool:
    """Whether the token limit cut off one of its decisions."""
    return any(turn.decision.truncated for turn in episode.turns)


def overlong(episode: Episode) -> bool:
    """Whether it used up its turns, tokens or money without an answer."""
    return episode.stop in {StopReason.TURN_LIMIT, StopReason.TOKEN_LIMIT, StopReason.COST_LIMIT} and episode.answer is None


def standing(episode: Episode, config: SignalConfig) -> Standing:
    """Whether the episode is trained on."""
    if broken(episode):
        return Standing.INFRASTRUCTURE
    tokens = episode.tokens
    if tokens is None or tokens.untrainable is not None or not tokens.completion_ids:
        return Standing.UNTRAINABLE
    if episode.reward is None or not math.isfinite(episode.reward.total):
        return Standing.UNTRAINABLE
    if config.truncated == "mask" and truncated(episode):
        return Standing.TRUNCATED
    if config.overlong == "mask" and overlong(episode):
        return Standing.OVERLONG
    return Standing.TRAINED


def penalised(episode: Episode, config: SignalConfig) -> Episode:
    """The episode with the terms `truncated` and `overlong` in its reward, for as far as the config penalises those."""
    if episode.reward is None or "penalise" not in {config.truncated, config.overlong}:
        return episode
    reasons: tuple[tuple[str, Treatment, bool], ...] = (
        ("truncated", config.truncated, truncated(episode)),
        ("overlong", config.overlong, overlong(episode)),
    )
    added = {name: -float(holds) for name, treatment, holds in reasons if treatment == "penalise"}
    reward = Reward(terms={**episode.reward.terms, **added}, weights={**episode.reward.weights, **dict.fromkeys(added, config.penalty)})
    return episode.model_copy(update={"reward": reward})


def equal(group: Sequence[Episode], config: SignalConfig) -> bool:
    """Whether the rewards of those members that are trained on are all the same; a group with fewer than two of them counts as equal."""
    totals = [member.reward.total for member in group if member.reward is not None and standing(member, config) is Standing.TRAINED]
    return len(totals) < 2 or max(totals) - min(totals) < ALIKE


def fault(episode: Episode) -> Fault | None:
    """What broke an episode, None when nothing did."""
    if not broken(episode):
        return None
    stage, _, rest = (episode.error or episode.stop.value).partition(": ")
    kind = f"{stage} {rest.partition(': ')[0]}".strip()
    action = episode.turns[-1].action if episode.turns and stage == "perform" else None
    return Fault(kind, action.expert if isinstance(action, Call) else "policy")


def fault_counts(episodes: Sequence[Episode]) -> dict[str, Any]:
    """How many episodes broke by kind and by expert, and how many calls were answered with `unavailable`."""
    found = [one for episode in episodes if (one := fault(episode)) is not None]
    told = sum(told_unavailable(turn.observation) for episode in episodes for turn in episode.turns)
    return {
        "kinds": dict(Counter(one.kind for one in found).most_common()),
        "experts": dict(Counter(one.where for one in found).most_common()),
        "told": told,
    }
