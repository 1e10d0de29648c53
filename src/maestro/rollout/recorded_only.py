"""A recorded pool for policies that make up their own queries: what was never recorded is refused, and the policy is told what was."""

from __future__ import annotations

from maestro.rollout.pool import RecordedPool
from maestro.types import Call, Observation, Task


class RecordedOnly:
    """Performs recorded calls, and none else.

    Experts were asked the question as it stands, or with what an earlier call gave. A model that words its own queries repeats
    the question for the former. Anything else is its own mistake and not the infrastructure's, so the episode goes on and is not broken.
    """

    def __init__(self, pool: RecordedPool) -> None:
        self.pool = pool
        self.name = pool.name
        self.menu = pool.menu

    async def perform(self, call: Call, task: Task, deadline_seconds: float = 0.0) -> Observation:
        """The recorded outcome, or a refusal that says what can be asked."""
        query = "" if call.query.strip() == task.question.strip() else call.query
        asked = call.model_copy(
            update={
                "expert": self.menu.expert_id(call.expert) or call.expert,
                "skill": self.menu.skill_id(call.skill) or call.skill,
                "query": query,
            }
        )
        if query.strip() and self.menu.allows(asked.expert, asked.skill) and self.pool.known(asked, task) is None:
            text = "error: only recorded calls can be made here; leave the query empty to ask the question itself, or repeat word for word "
            return Observation(text=text + "a region, an expression or code that came back before", status="policy_error")
        return await self.pool.perform(asked, task, deadline_seconds)
