"""Failures of experts as something a policy can read and act on, in place of the end of its episode."""

from __future__ import annotations

from maestro.rollout.episode import Performs
from maestro.types import Call, Observation, Task

UNAVAILABLE = "unavailable:"
"""What the observation of a failed call begins with."""


class ReroutingEnsemble:
    """Says `unavailable: EXPERT` where a call failed for infrastructure's reasons, so that the policy can ask another or answer.

    The call was no mistake, so it is no `policy_error`: the reward's format term does not count it. What it had cost stays in it.
    The reasons of the failure (addresses, messages of servers) are not shown to the policy.
    """

    def __init__(self, ensemble: Performs) -> None:
        self.ensemble = ensemble
        self.menu = ensemble.menu
        self.name = ensemble.name

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        """The observation of the call, or one that says that the expert is unavailable."""
        seen = await self.ensemble.perform(call, task, deadline_seconds)
        if seen.status not in {"expert_error", "timeout"}:
            return seen
        expert = self.menu.expert_id(call.expert) or call.expert
        return seen.model_copy(update={"status": "ok", "text": f"{UNAVAILABLE} {expert}", "value": None, "confidence": None})


def told_unavailable(observation: Observation | None) -> bool:
    """Whether a policy was told by this observation that its expert is unavailable."""
    return observation is not None and observation.value is None and observation.text.startswith(UNAVAILABLE)
