"""An ensemble behind a varied menu."""

from __future__ import annotations

import re
from collections.abc import Mapping

from maestro.rollout.episode import Performs
from maestro.rollout.rerouting import UNAVAILABLE, told_unavailable
from maestro.train.variation.menu import Variation
from maestro.types import Call, Observation, Task


class VariedEnsemble:
    """Performs calls that are made in a variation's ids; what is not on its menu is refused as the registry refuses it."""

    def __init__(self, ensemble: Performs, variation: Variation) -> None:
        self.ensemble = ensemble
        self.variation = variation
        self.menu = variation.menu
        self.name = f"{ensemble.name}~varied"

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        """The observation of the call in the registry's own ids; a failure, told to the policy or not, names things as this menu does."""
        refusal = self._refusal(call)
        if refusal is not None:
            return Observation(text=f"error: {refusal}", status="policy_error")
        original = self.variation.original(call)
        seen = await self.ensemble.perform(original, task, deadline_seconds)
        if told_unavailable(seen):
            return seen.model_copy(update={"text": f"{UNAVAILABLE} {call.expert}"})
        if seen.status == "ok":
            return seen
        return seen.model_copy(update={"text": _renamed(seen.text, {original.expert: call.expert, original.skill: call.skill})})

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


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """The text with ids replaced where they stand by themselves, all at once: ids change hands, and one may be a word in another."""
    known = "|".join(map(re.escape, names))
    return re.sub(rf"(?<![\w-])(?:{known})(?![\w-])", lambda found: names[found.group()], text)
