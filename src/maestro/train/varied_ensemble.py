"""An ensemble behind a varied menu."""

from __future__ import annotations

from maestro.rollout.episode import Performs
from maestro.train.variation import Variation
from maestro.types import Call, Observation, Task


class VariedEnsemble:
    """Performs calls that are made in a variation's ids; what is not on its menu is refused as the registry refuses it."""

    def __init__(self, ensemble: Performs, variation: Variation) -> None:
        self.ensemble = ensemble
        self.variation = variation
        self.menu = variation.menu
        self.name = f"{ensemble.name}~varied"

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        """The observation of the call in the registry's own ids; a failure names the expert as this menu does."""
        refusal = self._refusal(call)
        if refusal is not None:
            return Observation(text=f"error: {refusal}", status="policy_error")
        original = self.variation.original(call)
        seen = await self.ensemble.perform(original, task, deadline_seconds)
        if seen.status == "ok":
            return seen
        text = seen.text.replace(original.expert, call.expert).replace(original.skill, call.skill)
        return seen.model_copy(update={"text": text})

    def _refusal(self, call: Call) -> str | None:
        """Why the menu does not allow a call, naming what it does offer."""
        skill = next((known for known in self.menu.skills if known.id == self.menu.skill_id(call.skill)), None)
        if skill is None:
            return f"no skill {call.skill!r}; there are {', '.join(known.id for known in self.menu.skills)}"
        expert = self.menu.expert_id(call.expert)
        if expert is None:
            return f"no expert {call.expert!r}; for {skill.id} there are {', '.join(skill.experts)}"
        if expert not in skill.experts:
            return f"{expert} is not offered for {skill.id}; {', '.join(skill.experts)} are"
        return None
