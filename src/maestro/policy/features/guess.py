"""Answers that nobody gave: a word of the policy's own is said only where it is worth saying."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.policy.baselines.route import NOTHING
from maestro.policy.features.history import Step
from maestro.types import Action, Answer

WORTH = 0.2
"""Value, in utility, below which a word that no call has brought is not said: it would be wrong four times in five."""


def settled(actions: Sequence[Action], values: NDArray[np.float32], place: int, steps: Sequence[Step]) -> Action:
    """The action at a place, unless it is an answer that no call has brought and that is not worth saying.

    In its place stands the most valued answer that a call has brought, and `unknown` where none has.
    """
    action = actions[place]
    if not isinstance(action, Answer) or values[place] >= WORTH:
        return action
    brought = {(seen.value or "").strip().casefold() for _, seen in steps if seen.gives == "answer"} - {""}
    given = [one for one, other in enumerate(actions) if isinstance(other, Answer) and other.text.strip().casefold() in brought]
    if place in given:
        return action
    return actions[max(given, key=lambda one: values[one])] if given else Answer(text=NOTHING)


def worth(action: Action, actions: Sequence[Action], values: NDArray[np.float32]) -> float | None:
    """What the action taken is worth in utility, at most 1; None for `unknown` where it is not among the open ones."""
    return min(1.0, round(float(values[actions.index(action)]), 4)) if action in actions else None
