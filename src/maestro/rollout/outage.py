"""An ensemble some of whose experts are out, for drills: failures are injected where a call reaches its expert."""

from __future__ import annotations

from maestro.rollout.episode import Performs
from maestro.types import Call, Observation, Task


class OutageEnsemble:
    """Calls to the experts in `out` fail as those to a dead endpoint do; all others go through.

    An expert counts by id or alias, and also when a skill asked it on behalf of another (its children say so).
    """

    def __init__(self, ensemble: Performs, out: frozenset[str]) -> None:
        self.ensemble = ensemble
        self.menu = ensemble.menu
        self.name = ensemble.name
        self.out = out

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        """The observation of the call, or an `expert_error`. A call that the menu does not allow is the policy's error, outage or not."""
        expert = self.menu.expert_id(call.expert)
        if expert in self.out and self.menu.allows(expert, self.menu.skill_id(call.skill) or call.skill):
            return self._failed(call, expert)
        seen = await self.ensemble.perform(call, task, deadline_seconds)
        asked = next((child.expert for child in seen.children if child.expert in self.out), None)
        return seen if asked is None else self._failed(call, asked)

    def _failed(self, call: Call, expert: str) -> Observation:
        return Observation(text=f"{call.expert}@{call.skill}: {expert} is out (an outage on purpose)", status="expert_error")
