"""What is known of one task when every allowed call has been made once: outcomes, and the plans they make up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maestro.policy.baselines.route import NOTHING, Pair, Route, followers, next_call
from maestro.policy.baselines.session import BaselineSession
from maestro.registry.menu import Menu
from maestro.scoring import score
from maestro.types import Answer, Call, Decision, Malformed, Observation, Task, Turn

CallKey = tuple[str, str, str]
"""(expert id, skill id, query)"""


def key_of(call: Call) -> CallKey:
    """What a call is filed under."""
    return (call.expert, call.skill, call.query)


@dataclass(frozen=True)
class Plan:
    """A sequence of calls on one task, and what answering with the last value found is worth."""

    calls: tuple[Call, ...]
    answer: str
    score: float
    cost_usd: float
    utility: float
    """score - cost_weight * cost_usd"""
    confidences: tuple[float | None, ...] = ()
    """Of the calls, as their observations stated them."""
    latency_seconds: float = 0.0

    @property
    def pairs(self) -> Route:
        """The (expert, skill) pairs in order."""
        return tuple((call.expert, call.skill) for call in self.calls)

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills in order."""
        return tuple(call.skill for call in self.calls)


class RecordedTask:
    """One task with the outcome of every recorded call on it."""

    def __init__(self, task: Task, outcomes: Mapping[CallKey, Observation], cost_weight: float = 20.0) -> None:
        self.task = task
        self.outcomes = dict(outcomes)
        self.cost_weight = cost_weight
        self._scores: dict[str, float] = {}

    def plan(self, calls: Sequence[Call], answer: str | None = None) -> Plan:
        """The plan that makes `calls` and answers with `answer`, or else with the last value found. KeyError for a call not recorded."""
        seen = [self.outcomes[key_of(call)] for call in calls]
        values = [observation.value for observation in seen if observation.value and observation.value.strip()]
        text = answer if answer is not None else values[-1] if values else NOTHING
        cost = sum(observation.cost_usd for observation in seen)
        points = self.score(text)
        return Plan(
            calls=tuple(calls),
            answer=text,
            score=points,
            cost_usd=cost,
            utility=points - self.cost_weight * cost,
            confidences=tuple(observation.confidence for observation in seen),
            latency_seconds=sum(observation.latency_seconds for observation in seen),
        )

    def score(self, answer: str) -> float:
        """Score of an answer by the task's profile, each answer scored once."""
        if answer not in self._scores:
            self._scores[answer] = score(self.task, answer).score
        return self._scores[answer]

    def walk(self, menu: Menu, route: Route) -> Plan | None:
        """The plan that following `route` comes to; None when a call on the way was not recorded."""
        calls: list[Call] = []
        observation: Observation | None = None
        used = 0
        while True:
            call, used = next_call(menu, route, used, observation)
            if call is None:
                return self.plan(calls)
            observation = self.outcomes.get(key_of(call))
            if observation is None:
                return None
            calls.append(call)

    def plans(self, menu: Menu, depth: int = 3) -> tuple[Plan, ...]:
        """Every recorded plan of 0 to `depth` calls, the one without calls (answering `NOTHING`) first."""
        found = [self.plan(())]
        frontier: list[tuple[Call, ...]] = [(Call(expert=expert, skill=skill),) for expert, skill in menu.pairs]
        for _ in range(depth):
            deeper: list[tuple[Call, ...]] = []
            for calls in frontier:
                observation = self.outcomes.get(key_of(calls[-1]))
                if observation is None or observation.status != "ok":
                    continue
                found.append(self.plan(calls))
                used = {key_of(call) for call in calls}
                deeper += [(*calls, call) for call in followers(menu, observation) if key_of(call) not in used]
            frontier = deeper
        return tuple(found)

    def play(self, session: BaselineSession, turns: int = 5) -> Plan | None:
        """What a baseline's session comes to on this task, without the event loop; None when it made a call not recorded."""
        calls: list[Call] = []
        for _ in range(turns):
            action = session.choose()
            if isinstance(action, Answer):
                return self.plan(calls, action.text)
            assert not isinstance(action, Malformed), action
            observation = self.outcomes.get(key_of(action))
            if observation is None:
                return None
            calls.append(action)
            session.observe(Turn(decision=_UNSAID, action=action, observation=observation))
        return self.plan(calls, "")  # out of turns: no answer


_UNSAID = Decision(text="")


def best(plans: Sequence[Plan]) -> Plan:
    """The plan of highest utility; among equals the one with fewest calls, then the earliest."""
    return min(plans, key=lambda plan: (-plan.utility, len(plan.calls)))


def mean_costs(tasks: Sequence[RecordedTask]) -> dict[Pair, float]:
    """Average price in dollars of each pair over every recorded call that went through."""
    total: dict[Pair, float] = {}
    count: dict[Pair, int] = {}
    for recorded in tasks:
        for (expert, skill, _), observation in recorded.outcomes.items():
            if observation.status == "ok":
                total[expert, skill] = total.get((expert, skill), 0.0) + observation.cost_usd
                count[expert, skill] = count.get((expert, skill), 0) + 1
    return {pair: total[pair] / count[pair] for pair in total}
