"""Answers that nobody gave: a word of the policy's own is said only where it is worth saying."""

from __future__ import annotations

from collections.abc import Sequence

from maestro.policy.baselines.route import NOTHING
from maestro.policy.features.history import Step
from maestro.types import Action, Answer

WORTH = 0.2
"""Value below which a word that no call has brought is not said: it would be wrong four times in five."""


def said_or_nothing(action: Action, value: float, steps: Sequence[Step]) -> Action:
    """The action, or `unknown` in the place of an answer that no call has brought and that is hardly worth anything, in utility."""
    if not isinstance(action, Answer) or value >= WORTH:
        return action
    brought = {(seen.value or "").strip().casefold() for _, seen in steps}
    return action if action.text.strip().casefold() in brought else Answer(text=NOTHING)
