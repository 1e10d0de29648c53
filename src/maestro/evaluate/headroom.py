"""What there is to learn: the obvious policies on a recorded pool, from random to the oracle, and the gap between them.

The rows of `Baselines`. `random`: uniform over the menu. `best single`: the one route with the highest mean utility on the training tasks.
`lookup`: the route that paid best on the most similar training questions, without eyes. `cascade`: the skill by lookup, cheap
experts first, dearer ones while the stated confidence is low. `oracle`: the best recorded plan of every task, or nothing
where no plan pays.

A plan can pay by luck: with forty calls to choose from, some wrong skill says "left" when left is right. `skilled oracle` is
therefore given too: the best plan among those with the one sequence of skills that is best for the task's category, so it
only chooses the experts. What a policy can hope for lies between lookup and that.

`headroom` plays those of `maestro.evaluate.choosers` beside them where it is given some, and every pair alone, so that a call store
is judged by all that a folder of recorded systems is judged by.

Answering without a call is possible for the oracles in `direct` categories only (the answer is in the question, or plain to
see for anyone with eyes); they then state the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from maestro.errors import ConfigError
from maestro.evaluate.choosers import Choosers
from maestro.evaluate.play import play, shown_order
from maestro.evaluate.results import Summary, per_question, scenes_of
from maestro.evaluate.run import Evaluation
from maestro.evaluate.statistics import Interval, paired_difference
from maestro.evaluate.systems import each_alone
from maestro.policy.baselines import (
    Arms,
    CascadePolicy,
    Examples,
    FixedPolicy,
    LookupPolicy,
    OraclePolicy,
    Pictures,
    RandomPolicy,
    best,
)
from maestro.policy.baselines.recorded import Plan, RecordedTask
from maestro.policy.baselines.route import write_route
from maestro.policy.protocol import Dialect, Policy
from maestro.rollout.limits import Limits
from maestro.rollout.pool import RecordedPool

RANDOM_SAMPLES = 4
"""Episodes of the random policy on each task."""
VOTES = "vote cascade"
"""The cascade that counts votes, beside `cascade`, which trusts the confidence that experts state."""


@dataclass(frozen=True)
class Headroom:
    """Every baseline on one set of tasks."""

    tasks: int
    evaluations: Mapping[str, Evaluation]
    """By name, in the order they are shown."""
    settings: Mapping[str, str]
    """What was chosen on train and validation, by policy."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Baselines that cannot be had here, with the reason."""

    @cached_property
    def summaries(self) -> dict[str, Summary]:
        """The rows, in the order they are shown."""
        return {name: evaluation.summary() for name, evaluation in self.evaluations.items()}

    @property
    def gap(self) -> Interval:
        """Oracle minus lookup in utility, paired: what a policy with eyes could gain at most."""
        return self.difference("oracle", "lookup")

    @property
    def skilled_gap(self) -> Interval:
        """Skilled oracle minus lookup in utility, paired: the gap without lucky hits of wrong skills."""
        return self.difference("skilled oracle", "lookup")

    def difference(self, ours: str, theirs: str, what: str = "utility") -> Interval:
        """Paired difference of two rows."""
        ones, others = (per_question(self.evaluations[name].results, what) for name in (ours, theirs))
        return paired_difference(ones, others, scenes_of(self.evaluations[ours].results))

    def gate(self, least: float = 0.10) -> bool:
        """Whether the gap is at least `least`."""
        return self.gap.mean >= least

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = {name: {**summary.as_dict(), "macro_accuracy": summary.macro_accuracy} for name, summary in self.summaries.items()}
        gaps = {"gap": self.gap.as_dict(), "skilled_gap": self.skilled_gap.as_dict()}
        return {"tasks": self.tasks, "settings": dict(self.settings), "left_out": dict(self.left_out), **gaps, "rows": rows}


class Baselines:
    """The baselines, fitted on recorded training and validation tasks."""

    def __init__(
        self,
        train: RecordedPool,
        validation: RecordedPool | None,
        dialect: Dialect,
        *,
        direct: frozenset[str] = frozenset(),
    ) -> None:
        if not train.tasks:
            raise ConfigError("baselines need recorded training tasks; the pool of the training split is empty.")
        self.train = train
        self.direct = direct
        self.dialect = dialect
        self.menu = train.menu
        known = list(train.tasks.values())
        held_out = list(validation.tasks.values()) if validation is not None else []
        examples = self.examples = Examples(self.menu, known)
        self.random = RandomPolicy(dialect)
        self.single = FixedPolicy(examples.best_route(), dialect, "best single")
        self.lookup = LookupPolicy.fit(examples, dialect, held_out)
        self.cascade = CascadePolicy.fit(examples, dialect, held_out)
        self._skills = _best_skills(train)

    @property
    def settings(self) -> dict[str, str]:
        """What was chosen."""
        cascade = self.cascade
        return {
            "best single": write_route(self.single.route),
            "lookup": f"k={self.lookup.k}",
            "cascade": f"k={cascade.k}, threshold={cascade.threshold:g}, at most {cascade.width} experts a skill",
        }

    def policies(self, pool: RecordedPool) -> tuple[Policy, ...]:
        """Every baseline, the oracles with their plans for the tasks of `pool`."""
        plans = {name: self._best_plan(recorded) for name, recorded in pool.tasks.items()}
        here = _best_skills(pool)
        skilled = {name: self._skilled_plan(recorded, here) for name, recorded in pool.tasks.items()}
        oracles = (OraclePolicy(skilled, self.dialect, "skilled oracle"), OraclePolicy(plans, self.dialect))
        return (self.random, self.single, self.lookup, self.cascade, *oracles)

    def _options(self, recorded: RecordedTask) -> list[Plan]:
        """Every plan; answering at once with the reference where that is allowed."""
        at_once = [recorded.plan((), recorded.task.references[0])] if recorded.task.category in self.direct else []
        return [*at_once, *recorded.plans(self.menu)]

    def _best_plan(self, recorded: RecordedTask) -> Plan:
        return best(self._options(recorded))

    def _skilled_plan(self, recorded: RecordedTask, here: Mapping[str, tuple[str, ...]]) -> Plan:
        """The best plan with the skills its category calls for, as learned on train (on the pool itself for a new category)."""
        category = recorded.task.category
        skills = self._skills.get(category, here[category])
        return best([plan for plan in self._options(recorded) if not plan.calls or plan.skills == skills])


async def headroom(
    baselines: Baselines,
    pool: RecordedPool,
    limits: Limits | None = None,
    *,
    choosers: Choosers | None = None,
    alone: bool = True,
    prompted: Sequence[Policy] = (),
    progress: Callable[[int], None] | None = None,
) -> Headroom:
    """Run every baseline on the tasks of a pool, in the same loop as any policy; with `choosers`, and `alone`, every pair too."""
    random, single, *rest = baselines.policies(pool)
    pairs = each_alone(pool.menu, baselines.dialect) if choosers is not None and alone else ()
    more = [*pairs, *choosers.policies(pool)] if choosers is not None else []
    policies = [random, single, *more, *rest]
    found = await play(policies, pool, limits, prompted=prompted, samples_of_random=RANDOM_SAMPLES, progress=progress)
    settings = baselines.settings | (choosers.settings if choosers is not None else {})
    ordered = {name: found[name] for name in shown_order(found)}
    return Headroom(len(pool.tasks), ordered, settings, choosers.left_out if choosers is not None else {})


def store_choosers(baselines: Baselines, pictures: Pictures | None) -> Choosers:
    """The choosers of a call store: with answering by analogy among their routes, as `lookup` has it."""
    arms = Arms.with_analogy(baselines.examples)
    return Choosers(baselines.train, arms, pictures, baselines.dialect, VOTES)


def _best_skills(pool: RecordedPool) -> dict[str, tuple[str, ...]]:
    """For each category the sequence of skills that is worth most on average, given the best experts on each task."""
    worth: dict[str, dict[tuple[str, ...], list[float]]] = {}
    count: dict[str, int] = {}
    for recorded in pool.tasks.values():
        best_of: dict[tuple[str, ...], float] = {}
        for plan in recorded.plans(pool.menu):
            if plan.calls:
                best_of[plan.skills] = max(best_of.get(plan.skills, -np.inf), plan.utility)
        category = recorded.task.category
        count[category] = count.get(category, 0) + 1
        for skills, utility in best_of.items():
            worth.setdefault(category, {}).setdefault(skills, []).append(utility)
    return {
        category: max(worth.get(category, {(): [0.0]}).items(), key=lambda item: (sum(item[1]) / number, -len(item[0])))[0]
        for category, number in count.items()
    }


def gap_closed(policy: Mapping[Any, float], lookup: Mapping[Any, float], oracle: Mapping[Any, float]) -> float:
    """Share of the gap between lookup and oracle that a policy closes, from mean utilities over the shared tasks."""
    shared: Sequence[Any] = [task for task in policy if task in lookup and task in oracle]
    low, high, ours = (float(np.mean([values[task] for task in shared])) for values in (lookup, oracle, policy))
    return (ours - low) / (high - low) if high > low else float("nan")
