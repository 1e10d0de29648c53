"""Features of what has happened in an episode so far, and the actions that are open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.registry.menu import Menu
from maestro.types import Action, Answer, Call, Observation

Step = tuple[Call, Observation]
_KINDS = ("answer", "region", "expression", "code")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_SHAPE = 8
CALLS = 3
"""Calls after which the policy must answer."""


@dataclass(frozen=True)
class ActionSpace:
    """Every action the policy values, in a fixed order.

    The menu's calls, answers taken from observations, the number stated in the question, and short answers it may give by itself.
    """

    pairs: tuple[tuple[str, str], ...]
    takes: tuple[tuple[str, ...], ...]
    """What each pair's skill takes."""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, menu: Menu, words: Sequence[str] = ()) -> ActionSpace:
        """The action space of a menu."""
        takes = {skill.id: skill.takes for skill in menu.skills}
        return cls(menu.pairs, tuple(takes[skill] for _, skill in menu.pairs), tuple(words))

    @property
    def size(self) -> int:
        """Number of actions."""
        return len(self.pairs) + 3 + len(self.words)

    @property
    def history_size(self) -> int:
        """Length of `vector`."""
        return 2 * len(self.pairs) + 2 + 2 * (2 + len(_KINDS) + _SHAPE) + 4

    def actions(self, question: str, steps: Sequence[Step]) -> list[Action | None]:
        """The action behind each index, None where it is not open: a call already made, an answer nobody gave."""
        open_: list[Action | None] = []
        last = steps[-1][1] if steps else None
        carried = (last.value or "").strip() if last is not None and last.status == "ok" and last.gives != "answer" else ""
        made = {call for call, _ in steps}
        for (expert, skill), takes in zip(self.pairs, self.takes, strict=True):
            call: Call | None = None
            if len(steps) < CALLS:
                if carried and last is not None and last.gives in takes:
                    call = Call(expert=expert, skill=skill, query=carried)
                elif "question" in takes:
                    call = Call(expert=expert, skill=skill)
            open_.append(call if call not in made else None)
        values = _values(steps)
        best = max(values, key=lambda item: item[1])[0] if values else None
        open_.append(Answer(text=values[-1][0]) if values else None)
        open_.append(Answer(text=best) if best is not None and best != values[-1][0] else None)
        stated = _NUMBER.findall(question)
        open_.append(Answer(text=stated[-1]) if stated else None)
        open_.extend(Answer(text=word) for word in self.words)
        return open_

    def vector(self, steps: Sequence[Step]) -> NDArray[np.float32]:
        """The history as numbers, shape (history_size,)."""
        made = np.zeros(len(self.pairs), dtype=np.float32)
        last_pair = np.zeros(len(self.pairs), dtype=np.float32)
        for place, (call, _) in enumerate(steps):
            index = self.pairs.index((call.expert, call.skill))
            made[index] = 1.0
            if place == len(steps) - 1:
                last_pair[index] = 1.0
        spent = [len(steps) / CALLS, 20 * sum(seen.cost_usd for _, seen in steps)]
        last = steps[-1][1] if steps else None
        before = steps[-2][1] if len(steps) > 1 else None
        return np.concatenate([made, last_pair, spent, _seen(last), _seen(before), _agreement(steps)]).astype(np.float32)


def _values(steps: Sequence[Step]) -> list[tuple[str, float]]:
    """(value, confidence) of every answer found, in order."""
    return [
        (seen.value.strip(), seen.confidence or 0.0)
        for _, seen in steps
        if seen.status == "ok" and seen.gives == "answer" and seen.value and seen.value.strip()
    ]


def _seen(seen: Observation | None) -> list[float]:
    if seen is None:
        return [0.0] * (2 + len(_KINDS) + _SHAPE)
    found = seen.status == "ok" and bool(seen.value)
    kinds = [float(found and seen.gives == kind) for kind in _KINDS]
    return [float(seen.status != "ok"), (seen.confidence or 0.0) if found else -0.5, *kinds, *_shape((seen.value or "") if found else "")]


def _shape(value: str) -> list[float]:
    """What a value looks like, without saying what it is."""
    if not value:
        return [0.0] * _SHAPE
    length = len(value)
    return [
        min(1.0, length / 40),
        sum(c.isdigit() for c in value) / length,
        sum(c.isalpha() for c in value) / length,
        sum(c.isspace() for c in value) / length,
        float(any(c in "+-*/=" for c in value)),
        float("\n" in value),
        float(value[0].isupper()),
        float(any(not c.isascii() for c in value)),
    ]


def _agreement(steps: Sequence[Step]) -> list[float]:
    """Whether several answers agree, and how sure the surest was."""
    values = _values(steps)
    if not values:
        return [0.0] * 4
    last = values[-1][0].casefold()
    same = sum(value.casefold() == last for value, _ in values)
    return [float(same > 1), float(len(values) > same), max(sure for _, sure in values), float(len(values)) / CALLS]
