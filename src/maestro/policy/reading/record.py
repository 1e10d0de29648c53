"""What is on record about a pair: how its calls turned out on questions whose answers are known, weighed by likeness to this one.

A record is what tells a good expert from one that merely says so. A pair without one is judged by its cards alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.policy.features.glance import Glance
from maestro.policy.features.question import SIZE as QUESTION
from maestro.policy.features.question import question_vector

Array = NDArray[np.float32]
Pair = tuple[str, str]
OUTCOME = 4
"""Columns of an outcome: worth (score that the call led to), found a value, refused, confidence."""
MOMENTS = 8
"""Columns of `moments`: likeness-weighted count, count, means of worth, found, refused, confidence, worth x confidence, confidence^2."""
SOLVED = 0.5
"""Worth from which on a call counts as one that led to the right answer."""
_PROJECTED = 96
_WIDTH = 0.08
_PRIOR = 1.0
"""How many questions the mean over the whole record counts for beside the questions that are alike."""
_PROJECTION = np.random.default_rng(20260101).normal(size=(QUESTION, _PROJECTED)).astype(np.float32) / np.float32(np.sqrt(_PROJECTED))


def place_of(question: Array, opinion: Array) -> Array:
    """Where a question lies among others: unit vector of the glance's opinion and its words pressed together."""
    said = opinion / max(float(np.linalg.norm(opinion)), 1e-6)
    vector = np.concatenate([said, 0.8 * (question @ _PROJECTION)])
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), dtype=np.float32)


def likeness(ours: Array, theirs: Array) -> Array:
    """Weights (ours, theirs) in 0..1 of unit vectors: 1 for the same place."""
    return np.asarray(np.exp((ours @ theirs.T - 1.0) / _WIDTH), dtype=np.float32)


def moments(weights: Array, outcomes: Array, *, own: bool = False) -> Array:
    """Moments (questions, MOMENTS) of outcomes (rows, OUTCOME) under weights (questions, rows); a row of NaN is not on record.

    With `own`, questions and rows are the same, and each question's moments leave out its own row.
    """
    known = ~np.isnan(outcomes[:, 0])
    if not known.any():
        return np.zeros((len(weights), MOMENTS), dtype=np.float32)
    rows = np.where(known[:, None], outcomes, 0.0).astype(np.float32)
    worth, sure = rows[:, 0], rows[:, 3]
    values = np.column_stack([known.astype(np.float32), rows, worth * sure, sure * sure])
    near = weights @ values
    total = np.broadcast_to(values.sum(axis=0), near.shape)
    if own:
        near, total = near - weights.diagonal()[:, None] * values, total - values
    overall = total[:, 1:] / np.maximum(total[:, :1], 1.0)
    means = np.where(total[:, :1] > 0, (near[:, 1:] + _PRIOR * overall) / (near[:, :1] + _PRIOR), 0.0)
    return np.concatenate([near[:, :1], total[:, :1], means], axis=1).astype(np.float32)


@dataclass(frozen=True)
class TrackRecord:
    """Outcomes of pairs on recorded questions."""

    places: Array
    """(questions, numbers): `place_of` each."""
    asked: Mapping[Pair, Array]
    """By pair: outcomes (questions, OUTCOME) of a call on the question itself; NaN where there was none."""
    carried: Mapping[Pair, Array]
    """The same of calls on something that another call had found."""
    questions: tuple[str, ...] = ()
    """Their texts, where they are known; then as many as places."""

    def of(self, pair: Pair, weights: Array) -> tuple[Array, Array]:
        """Moments of both kinds of call, each (questions, MOMENTS); zeros where nothing is on record."""
        empty = np.zeros((len(weights), MOMENTS), dtype=np.float32)
        found = (by.get(pair) for by in (self.asked, self.carried))
        first, second = (moments(weights, outcomes) if outcomes is not None else empty for outcomes in found)
        return first, second

    def only(self, pairs: frozenset[Pair]) -> TrackRecord:
        """The record of these pairs."""
        asked, carried = ({pair: rows for pair, rows in by.items() if pair in pairs} for by in (self.asked, self.carried))
        return TrackRecord(self.places, asked, carried, self.questions)

    def joined(self, other: TrackRecord) -> TrackRecord:
        """Both records; where both know a pair, the other one holds."""
        ours, theirs = len(self.places), len(other.places)

        def both(mine: Mapping[Pair, Array], its: Mapping[Pair, Array]) -> dict[Pair, Array]:
            before = {pair: _padded(rows, 0, theirs) for pair, rows in mine.items()}
            return before | {pair: _padded(rows, ours, 0) for pair, rows in its.items()}

        questions = (*self._texts(), *other._texts())
        places = np.concatenate([self.places, other.places])
        return TrackRecord(places, both(self.asked, other.asked), both(self.carried, other.carried), questions)

    def solved(self, skill: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which questions a call with this skill led to an answer that is right, and on which it did not, each (questions,).

        At the best expert, asked directly; where nobody was asked, neither.
        """
        worth = [rows[:, 0] for (_, which), rows in self.asked.items() if which == skill]
        if not worth:
            return np.zeros(len(self.places), dtype=bool), np.zeros(len(self.places), dtype=bool)
        best = np.where(np.isnan(worth), -1.0, worth).max(axis=0)
        return best >= SOLVED, (best >= 0) & (best < SOLVED)

    def _texts(self) -> tuple[str, ...]:
        """A text for every question, empty where it is not known."""
        return self.questions or ("",) * len(self.places)

    def arrays(self) -> dict[str, Array]:
        """Every array by name."""
        found = {"record.places": self.places}
        for kind, by in (("asked", self.asked), ("carried", self.carried)):
            found |= {f"record.{kind}.{expert}@{skill}": rows for (expert, skill), rows in by.items()}
        return found

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Array], questions: Sequence[str] = ()) -> TrackRecord:
        """The record of these arrays and texts. Raises KeyError when there is none among them, ValueError when they do not fit together."""
        kinds: dict[str, dict[Pair, Array]] = {"asked": {}, "carried": {}}
        for name, rows in arrays.items():
            _, kind, rest = [*name.split(".", 2), "", ""][:3]
            if name.startswith("record.") and kind in kinds:
                expert, _, skill = rest.partition("@")
                kinds[kind][expert, skill] = np.asarray(rows, dtype=np.float32)
        places = np.asarray(arrays["record.places"], dtype=np.float32)
        if questions and len(questions) != len(places):
            raise ValueError(f"a record of {len(places)} questions has {len(questions)} texts")
        return cls(places, kinds["asked"], kinds["carried"], tuple(questions))


def _padded(rows: Array, before: int, after: int) -> Array:
    return np.pad(rows, ((before, after), (0, 0)), constant_values=np.nan)


def place_of_question(question: str, seen: Array, glance: Glance) -> Array:
    """`place_of` a question with its normalised picture features."""
    asked = question_vector(question)
    return place_of(asked, glance(asked, seen))
