"""The policy that knows the outcome of every call beforehand: the ceiling."""

from __future__ import annotations

from collections.abc import Mapping

from maestro.errors import StoreError
from maestro.policy.baselines.fixed import RouteSession
from maestro.policy.baselines.recorded import Plan
from maestro.policy.protocol import Dialect, Opening
from maestro.types import Action, Answer


class PlanSession(RouteSession):
    """Makes a plan's calls and gives its answer."""

    def __init__(self, opening: Opening, dialect: Dialect, plan: Plan) -> None:
        super().__init__(opening, dialect, ())
        self.plan = plan

    def choose(self) -> Action:
        """The plan's next call, or its answer."""
        made = len(self.turns)
        return self.plan.calls[made] if made < len(self.plan.calls) else Answer(text=self.plan.answer)


class OraclePolicy:
    """Follows, on each task, the plan that it was given for it."""

    def __init__(self, plans: Mapping[str, Plan], dialect: Dialect, name: str = "oracle") -> None:
        self.plans = dict(plans)
        self.dialect = dialect
        self.name = name

    def open(self, opening: Opening) -> PlanSession:
        """A session on the task's plan. Raises StoreError for a task without one."""
        plan = self.plans.get(opening.task.id)
        if plan is None:
            raise StoreError(f"{self.name} has no recorded plans for task {opening.task.id}; record it first with `maestro record`.")
        return PlanSession(opening, self.dialect, plan)
