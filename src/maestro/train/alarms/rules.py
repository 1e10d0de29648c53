"""The closed set of alarm rules, a condition each with its likely cause and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from maestro.train.config.alarms import AlarmConfig


class Reading(NamedTuple):
    """What a rule judges."""

    value: Any
    """The number (or shares) that the rule reads, smoothed where it says so."""
    metrics: Mapping[str, Any]
    offered: Mapping[str, int]
    best: float = 0.0
    """Of smoothed rules: the best value so far."""


class Advice(NamedTuple):
    """Why, and what to do."""

    cause: str
    advice: str


NOT_FINITE = Advice(
    "the learning rate is too high",
    "Lower optimizer.lr or raise warmup_steps; look for the first bad step in metrics.jsonl. The best policy so far is handed over",
)


@dataclass(frozen=True)
class Rule:
    """One alarm."""

    name: str
    reads: str
    """The metric without which it says nothing."""
    holds: Callable[[Reading, AlarmConfig], bool]
    measured: Callable[[Reading], str]
    cause: str
    advice: str
    fatal: bool = False
    smoothed: bool = False
    at_once: bool = False
    """It does not wait for the window."""
    whole: bool = False
    """It does not read what happened in the episodes that did not break, which in an outage are those that asked nobody."""
    best: Literal["highest", "lowest"] = "highest"


def _top(shares: Mapping[str, float]) -> tuple[str, float]:
    return max(shares.items(), key=lambda item: item[1], default=("nothing", 0.0))


def _worst_expert(reading: Reading) -> str:
    experts = reading.metrics.get("faults", {}).get("experts", {})
    return "; most of them by " + ", ".join(f"{name} ({count})" for name, count in list(experts.items())[:3]) if experts else ""


RULES: tuple[Rule, ...] = (
    Rule(
        "collapse",
        "first_share",
        lambda at, config: max(at.offered.values()) > 1 and at.value > config.collapse_share,
        lambda at: f"{at.value:.0%} of first actions are the same",
        "the policy has stopped routing: a learning rate too high, too little exploration, or a cost weight that makes one action safe",
        "Lower optimizer.lr, raise stratified or entropy, or look whether one action really is best on these tasks",
        fatal=True,
    ),
    Rule(
        "grammar",
        "wellformed",
        lambda at, config: at.value < config.grammar_floor,
        lambda at: f"only {at.value:.0%} of episodes are well formed",
        "the grammar is being lost: a learning rate too high, a format weight too small, or answers that no reward looks at",
        "Lower optimizer.lr, raise reward.format_weight or beta, or lengthen the warm start",
        fatal=True,
    ),
    Rule(
        "decline",
        "reward",
        lambda at, config: at.value < at.best - config.decline,
        lambda at: f"the smoothed reward is {at.value:.3f}, after {at.best:.3f}",
        "a learning rate too high, or a policy that drifts off what the warm start taught (copying)",
        "Lower optimizer.lr, set beta, or stop (alarms.stop): the best policy by validation is kept",
        fatal=True,
        smoothed=True,
    ),
    Rule(
        "drift",
        "drift",
        lambda at, config: at.value > config.drift,
        lambda at: f"sampler and trainer differ by {at.value:.3f} nats a token on the same ids",
        "the trainer does not see what was sampled: another temperature, number format, template or picture, or weights not handed over",
        "Compare log-probs on one episode with and without its picture, and the precision of the two engines, before training on",
        fatal=True,
        whole=True,
    ),
    Rule(
        "unscored",
        "unscored",
        lambda at, _: at.value > 0,
        lambda at: f"{at.value} of {at.metrics.get('episodes', at.value)} episodes have a reward that is no finite number",
        "a scorer, or a price, that gives NaN or infinity for some answers; those episodes are masked",
        "Look at error in episodes.jsonl: it names the terms. Mend the scorer, or leave the tasks out",
        at_once=True,
        whole=True,
    ),
    Rule(
        "calls",
        "calls",
        lambda at, config: at.value < config.calls_floor,
        lambda at: f"{at.value:.3f} calls an episode",
        "calling has faded: calls cost more than they earn, fail, or were never sampled",
        "Look at lift_per_call and at the faults; lower reward.cost_weight, raise stratified, or mix in questions that need an expert",
    ),
    Rule(
        "expert",
        "experts",
        lambda at, config: at.offered["experts"] > 1 and _top(at.value)[1] > config.expert_share,
        lambda at: "{} takes {:.0%} of all calls".format(*_top(at.value)),
        "one expert is best or cheapest everywhere, or the others were never tried",
        "Compare with the headroom of the pool (maestro headroom); raise stratified so that the others are tried",
    ),
    Rule(
        "skill",
        "skills",
        lambda at, config: at.offered["skills"] > 1 and _top(at.value)[1] > config.skill_share,
        lambda at: "{} takes {:.0%} of all calls".format(*_top(at.value)),
        "the questions are all of one kind, or the policy no longer reads them",
        "Look at information; if questions differ in kind, lengthen the warm start or lower optimizer.lr",
    ),
    Rule(
        "information",
        "information",
        lambda at, config: at.metrics.get("kinds", 0) > 1 and at.value < config.information_floor,
        lambda at: f"{at.value:.3f} nats of information between the question and the first action",
        "the policy does the same whatever it is asked, however good its reward looks",
        "Make sure that pictures and questions reach it; raise stratified or entropy, or lower optimizer.lr",
        smoothed=True,
    ),
    Rule(
        "entropy",
        "entropy",
        lambda at, config: at.value < config.entropy_floor,
        lambda at: f"entropy of {at.value:.4f} nats a token",
        "hardly anything is explored any more: too many steps on few tasks, a learning rate too high, no entropy bonus",
        "Raise clip_high or entropy, take more tasks, or stop: what is left to learn is little",
    ),
    Rule(
        "gap",
        "oracle_gap",
        lambda at, config: at.value > at.best + config.gap_rise,
        lambda at: f"{at.value:.3f} of utility below the oracle of the recorded pool, after {at.best:.3f}",
        "the policy moves away from the best plans although they are in the pool",
        "See which expert's or skill's share grew meanwhile; lower optimizer.lr or set beta",
        smoothed=True,
        best="lowest",
    ),
    Rule(
        "lift",
        "lift_per_call",
        lambda at, _: at.value < at.metrics.get("price_per_call", 0.0),
        lambda at: f"a call brings {at.value:.4f} and costs {at.metrics.get('price_per_call', 0.0):.4f} in reward",
        "experts that know no better than the policy, calls made twice, or prices too high for what is bought",
        "Look at the shares by expert, and at reward.cost_weight",
    ),
    Rule(
        "kl",
        "kl",
        lambda at, config: at.value > config.kl,
        lambda at: f"KL divergence of {at.value:.3f} nats a token from the policy that the stage began with",
        "the policy has moved far: what it could do before may be gone",
        "Raise beta or lower optimizer.lr",
        whole=True,
    ),
    Rule(
        "infrastructure",
        "infrastructure_share",
        lambda at, config: at.value > config.infrastructure_share,
        lambda at: f"infrastructure broke {at.value:.0%} of the episodes drawn{_worst_expert(at)}",
        "experts or the policy's server are down or overloaded; those episodes teach nothing, and steps become dearer",
        "See maestro experts status; raise the limits of the cards, add replicas, or set ensemble.outages.told to policy",
        whole=True,
    ),
    Rule(
        "truncation",
        "truncated_share",
        lambda at, config: at.value > config.truncated_share,
        lambda at: f"the token limit cut off a decision in {at.value:.0%} of the episodes",
        "the policy rambles, or the limit is too short for what it has to copy",
        "Set signal.truncated to penalise or mask, or raise the limit of tokens",
        whole=True,
    ),
    Rule(
        "equal",
        "equal_share",
        lambda at, config: at.value > config.equal_share,
        lambda at: f"in {at.value:.0%} of the groups all rewards are equal",
        "the tasks are too easy or too hard for the policy, or its samples are all alike: there is nothing to learn from",
        "Set signal.equal_groups to resample, take other tasks, or raise members or temperature",
    ),
)
"""In the order in which they are looked at; those that can end a run come first."""
