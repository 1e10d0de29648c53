"""Features of what has happened in an episode so far, and the actions that are open."""

from __future__ import annotations

import math
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
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_SHAPE = 13
_AGREEMENT = 5
CALLS = 4
"""Calls after which the policy must answer."""


@dataclass(frozen=True)
class ActionSpace:
    """Every action the policy values, in a fixed order.

    The menu's calls; the last, the surest and the best supported answer found; the number stated in the question, and
    short answers it may give by itself.
    """

    pairs: tuple[tuple[str, str], ...]
    takes: tuple[tuple[str, ...], ...]
    """What each pair's skill takes."""
    words: tuple[str, ...] = ()
    unasked: bool = True
    """Whether it may answer before anybody was asked."""
    elsewhere: bool = False
    """Whether a question that brought no answer may go to another skill."""

    @classmethod
    def of(cls, menu: Menu, words: Sequence[str] = (), *, unasked: bool = True, elsewhere: bool = False) -> ActionSpace:
        """The action space of a menu."""
        takes = {skill.id: skill.takes for skill in menu.skills}
        pairs = tuple(takes[skill] for _, skill in menu.pairs)
        return cls(menu.pairs, pairs, tuple(words), unasked, elsewhere)

    @property
    def size(self) -> int:
        """Number of actions."""
        return len(self.pairs) + 4 + len(self.words)

    @property
    def history_size(self) -> int:
        """Length of `vector`."""
        return 4 * len(self.pairs) + 2 + 2 * (2 + len(_KINDS) + _SHAPE) + 2 * (_AGREEMENT + _SHAPE)

    def actions(self, question: str, steps: Sequence[Step]) -> list[Action | None]:
        """The action behind each index, None where it is not open: a call already made, an answer nobody gave."""
        made = {call for call, _ in steps}
        carried, values = _supported_first(_carried(steps)), _values(steps)
        begun = None if self.elsewhere and not values and not carried else {call.skill for call in made}
        open_: list[Action | None] = [
            self._call(pair, takes, carried, made, begun) if len(steps) < CALLS else None
            for pair, takes in zip(self.pairs, self.takes, strict=True)
        ]
        said: list[str | None] = [None, None, None]
        if values:
            said = [values[-1][0], max(values, key=lambda item: item[1])[0], _supported(values)]
        for place, text in enumerate(said):
            open_.append(Answer(text=text) if text is not None and text not in said[:place] else None)
        stated = _NUMBER.findall(question) if self.unasked or steps else []
        open_.append(Answer(text=stated[-1]) if stated else None)
        open_.extend(Answer(text=word) if self.unasked or steps else None for word in self.words)
        return open_

    def without_picture(self, actions: Sequence[Action | None], menu: Menu, *, sighted: bool) -> list[Action | None]:
        """The same where the question has no picture: skills that need one are closed, and with `sighted` words that pictures taught."""
        blind = {skill.id for skill in menu.skills if skill.needs_image}
        left = [None if isinstance(action, Call) and action.skill in blind else action for action in actions]
        return left[: len(left) - len(self.words)] + [None] * len(self.words) if sighted else left

    def vector(self, steps: Sequence[Step]) -> NDArray[np.float32]:
        """The history as numbers, shape (history_size,)."""
        by_pair = np.zeros((4, len(self.pairs)), dtype=np.float32)  # asked, how sure it was, says what most say, asked last
        answers, carried = _values(steps), [(value, sure) for _, value, sure in _carried(steps)]
        most = {_plain(_supported(found)) for found in (answers, carried) if found}
        for place, (call, seen) in enumerate(steps):
            index = self.pairs.index((call.expert, call.skill))
            found = seen.status == "ok" and bool(seen.value)
            by_pair[0, index] = 1.0
            by_pair[1, index] = (seen.confidence or 0.0) if found else -0.5
            by_pair[2, index] = float(found and _plain(seen.value or "") in most)
            by_pair[3, index] = float(place == len(steps) - 1)
        spent = [len(steps) / CALLS, 20 * sum(seen.cost_usd for _, seen in steps)]
        last = steps[-1][1] if steps else None
        before = steps[-2][1] if len(steps) > 1 else None
        parts: list[Sequence[float]] = [by_pair.ravel().tolist(), spent, _seen(last), _seen(before)]
        for found_values in (answers, carried):
            parts += [_agreement(found_values), _shape(_supported(found_values) if found_values else "")]
        return np.concatenate(parts).astype(np.float32)

    def _call(
        self, pair: tuple[str, str], takes: tuple[str, ...], carried: Sequence[tuple[str, str]], made: set[Call], begun: set[str] | None
    ) -> Call | None:
        """The pair's call: with the surest value it takes and has not had yet, else, where no value fits, on the question.

        Behind the first call a question goes to skills already begun only (any of them for None): another expert is a second opinion,
        another skill is noise.
        """
        fitting = [value for gives, value in carried if gives in takes]
        queries = fitting or ([""] if "question" in takes and (not made or begun is None or pair[1] in begun) else [])
        calls = (Call(expert=pair[0], skill=pair[1], query=query) for query in queries)
        return next((call for call in calls if call not in made), None)


def _carried(steps: Sequence[Step]) -> list[tuple[str, str, float]]:
    """(kind, value, confidence) of every value found that is no answer, in order."""
    return [
        (seen.gives, seen.value.strip(), seen.confidence or 0.0)
        for _, seen in steps
        if seen.status == "ok" and seen.gives != "answer" and seen.value and seen.value.strip()
    ]


def _supported_first(carried: Sequence[tuple[str, str, float]]) -> list[tuple[str, str]]:
    """(kind, value), each once: those first whose confidences add up to most, for two readers seldom err alike."""
    support: dict[tuple[str, str], float] = {}
    for kind, value, sure in carried:
        support[kind, value] = support.get((kind, value), 0.0) + sure
    return sorted(support, key=lambda item: -support[item])


def _values(steps: Sequence[Step]) -> list[tuple[str, float]]:
    """(value, confidence) of every answer found, in order."""
    return [
        (seen.value.strip(), seen.confidence or 0.0)
        for _, seen in steps
        if seen.status == "ok" and seen.gives == "answer" and seen.value and seen.value.strip()
    ]


def _supported(values: Sequence[tuple[str, float]]) -> str:
    """The value whose confidences add up to most; the earliest among equals."""
    support: dict[str, float] = {}
    for value, sure in values:
        support[_plain(value)] = support.get(_plain(value), 0.0) + sure
    most = max(support, key=lambda value: support[value])
    return next(value for value, _ in values if _plain(value) == most)


def _plain(value: str) -> str:
    """What two equal values have in common: case and outer spaces do not count."""
    return value.strip().casefold()


def _seen(seen: Observation | None) -> list[float]:
    if seen is None:
        return [0.0] * (2 + len(_KINDS) + _SHAPE)
    found = seen.status == "ok" and bool(seen.value)
    kinds = [float(found and seen.gives == kind) for kind in _KINDS]
    return [float(seen.status != "ok"), (seen.confidence or 0.0) if found else -0.5, *kinds, *_shape((seen.value or "") if found else "")]


def _shape(value: str) -> list[float]:
    """What a value looks like, without saying what it is: its characters, and how many and how large its numbers are."""
    if not value:
        return [0.0] * _SHAPE
    length = len(value)
    sizes = [math.log10(1 + float(number[:12])) / 6 for number in _PLAIN.findall(value[:200])] or [0.0]
    return [
        min(1.0, length / 40),
        sum(c.isdigit() for c in value) / length,
        sum(c.isalpha() for c in value) / length,
        sum(c.isspace() for c in value) / length,
        float(any(c in "+-*/=" for c in value)),
        float("\n" in value),
        float(value[0].isupper()),
        float(any(not c.isascii() for c in value)),
        float("." in value),
        min(1.0, len(sizes) / 8),
        max(sizes),
        min(sizes),
        len({c for c in value if c.isalpha()}) / 16,
    ]


def _agreement(values: Sequence[tuple[str, float]]) -> list[float]:
    """Whether several values agree, how many differ, and how sure the surest was."""
    if not values:
        return [0.0] * _AGREEMENT
    last, most = _plain(values[-1][0]), _plain(_supported(values))
    same = sum(_plain(value) == last for value, _ in values)
    support = sum(sure for value, sure in values if _plain(value) == most)
    return [float(same > 1), float(len(values) > same), max(sure for _, sure in values), float(len(values)) / CALLS, support / CALLS]
