"""Headroom of recorded systems: baselines fitted on one part of a folder's scenes and played on another, in the loop of every policy.

`random`, every system alone, and `best single`: nothing is looked at. Then those of `maestro.evaluate.choosers`, models that were prompted,
and `oracle`, which knows every outcome: any system right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from maestro.evaluate.choosers import Choosers
from maestro.evaluate.play import play, shown_order
from maestro.evaluate.results import Summary, per_question, scenes_of
from maestro.evaluate.run import Evaluation
from maestro.evaluate.statistics import Interval, paired_difference
from maestro.policy.baselines import Arms, FixedPolicy, OraclePolicy, Pictures, RandomPolicy, best, write_route
from maestro.policy.protocol import Dialect, Policy
from maestro.registry.menu import Menu
from maestro.rollout.limits import Limits
from maestro.rollout.pool import RecordedPool

BASELINES = (
    "random",
    "best single",
    "question kNN",
    "tfidf lookup",
    "image kNN",
    "linear bandit",
    "cascade",
    "category rule",
    "oracle",
)
"""In the order they are shown; every system alone comes behind `best single`."""


class SystemBaselines:
    """The baselines, fitted on a recorded pool of training tasks; `left_out` says which cannot be had here, and why."""

    def __init__(self, train: RecordedPool, pictures: Pictures | None, dialect: Dialect) -> None:
        """Raises ConfigError when there is too little to fit on. `pictures` None leaves out what looks at them."""
        self.dialect = dialect
        self.menu = train.menu
        self.arms = Arms.of(train.menu, list(train.tasks.values()))
        self.single = FixedPolicy(self.arms.best(), dialect, "best single")
        self.choosers = Choosers(train, self.arms, pictures, dialect)

    @property
    def left_out(self) -> dict[str, str]:
        """Baselines that cannot be had here, with the reason."""
        return self.choosers.left_out

    @property
    def settings(self) -> dict[str, str]:
        """What was chosen in fitting."""
        return {"best single": write_route(self.single.route), **self.choosers.settings}

    def policies(self, pool: RecordedPool, *, alone: bool = True) -> tuple[Policy, ...]:
        """Every baseline; the category rule and the oracle are told of the tasks of `pool`. `alone`: with every system alone."""
        plans = {name: best(recorded.plans(self.menu, depth=1)) for name, recorded in pool.tasks.items()}
        oracle = OraclePolicy(plans, self.dialect)
        systems = each_alone(self.menu, self.dialect) if alone else ()
        return (RandomPolicy(self.dialect), self.single, *systems, *self.choosers.policies(pool), oracle)


def each_alone(menu: Menu, dialect: Dialect) -> tuple[FixedPolicy, ...]:
    """Every expert with every skill it is offered for, asked whatever the question is."""
    return tuple(FixedPolicy((pair,), dialect, write_route((pair,))) for pair in menu.pairs)


@dataclass(frozen=True)
class SystemHeadroom:
    """Every baseline on the tasks it was not fitted on."""

    fitted: int
    """Tasks that they were fitted on."""
    evaluations: Mapping[str, Evaluation]
    settings: Mapping[str, str]
    left_out: Mapping[str, str]

    @cached_property
    def summaries(self) -> dict[str, Summary]:
        """The rows, in the order they are shown."""
        return {name: self.evaluations[name].summary() for name in shown_order(self.evaluations)}

    def macro(self, name: str) -> float:
        """Mean of the categories' accuracies of one row."""
        return self.summaries[name].macro_accuracy

    @property
    def gap(self) -> Interval:
        """Oracle minus question kNN in utility, paired: what a policy with eyes could gain at most."""
        return self.difference("oracle", "question kNN")

    def difference(self, ours: str, theirs: str) -> Interval:
        """Paired difference of two rows in utility, whole scenes drawn together."""
        ones, others = (self.evaluations[name].results for name in (ours, theirs))
        return paired_difference(per_question(ones), per_question(others), scenes_of(ones))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = {name: {**summary.as_dict(), "macro_accuracy": summary.macro_accuracy} for name, summary in self.summaries.items()}
        return {
            "fitted_on": self.fitted,
            "settings": dict(self.settings),
            "left_out": dict(self.left_out),
            "gap": self.gap.as_dict(),
            "rows": rows,
        }


async def system_headroom(
    baselines: SystemBaselines,
    pool: RecordedPool,
    limits: Limits | None = None,
    *,
    alone: bool = True,
    prompted: Sequence[Policy] = (),
    progress: Callable[[int], None] | None = None,
) -> SystemHeadroom:
    """Run every baseline on a pool's tasks, and `prompted` models too; `progress` hears how many episodes are done in all."""
    found = await play(baselines.policies(pool, alone=alone), pool, limits, prompted=prompted, progress=progress)
    return SystemHeadroom(len(baselines.arms.tasks), found, baselines.settings, baselines.left_out)
