"""Observations remembered within one run: the same call on the same task is performed once."""

from __future__ import annotations

from collections import OrderedDict

from maestro.rollout.episode import Performs
from maestro.types import Call, Observation, Task


class RememberingEnsemble:
    """An ensemble whose answers to (task, expert, skill, query) are kept, `capacity` of them.

    Right for deterministic experts and recorded pools; training visits the same pairs again and again, and even a replayed
    call runs its skill's code. Failures of infrastructure are not kept.
    """

    def __init__(self, ensemble: Performs, capacity: int = 200_000) -> None:
        self.ensemble = ensemble
        self.menu = ensemble.menu
        self.name = ensemble.name
        self.capacity = capacity
        self._known: OrderedDict[tuple[str, Call], Observation] = OrderedDict()

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        """The remembered observation, or a new one."""
        key = (task.id, call)
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known
        seen = await self.ensemble.perform(call, task, deadline_seconds)
        if seen.status in {"ok", "policy_error"}:
            self._known[key] = seen
            if len(self._known) > self.capacity:
                self._known.popitem(last=False)
        return seen
