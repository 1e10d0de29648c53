"""Track records from a recorded pool: what every pair's calls led to on questions whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.policy.baselines.recorded import CallKey, RecordedTask
from maestro.policy.reading.record import OUTCOME, TrackRecord
from maestro.types import Observation

Array = NDArray[np.float32]
Pair = tuple[str, str]
_DEPTH = 3
"""Calls in a row that a worth looks ahead, as many as are recorded."""


def worth(task: RecordedTask, seen: Observation, by_query: dict[str, list[CallKey]], depth: int = _DEPTH) -> float:
    """Score of an observation's answer, or the best score that a recorded call on what it gave comes to."""
    if seen.status != "ok" or not (value := (seen.value or "").strip()):
        return 0.0
    if seen.gives == "answer":
        return task.score(value)
    if depth <= 1:
        return 0.0
    return max((worth(task, task.outcomes[key], by_query, depth - 1) for key in by_query.get(value, ())), default=0.0)


def record_of(tasks: Sequence[RecordedTask], places: Array, pairs: Sequence[Pair]) -> TrackRecord:
    """The record of these pairs on these tasks, whose places (tasks, numbers) are given.

    A call on something found counts by the mean over all such calls of the pair on the task.
    """
    asked = {pair: np.full((len(tasks), OUTCOME), np.nan, dtype=np.float32) for pair in pairs}
    carried = {pair: np.full((len(tasks), OUTCOME), np.nan, dtype=np.float32) for pair in pairs}
    for row, task in enumerate(tasks):
        by_query: dict[str, list[CallKey]] = {}
        for key in task.outcomes:
            if key[2]:
                by_query.setdefault(key[2], []).append(key)
        gathered: dict[Pair, list[list[float]]] = {}
        for (expert, skill, query), seen in task.outcomes.items():
            found = seen.status == "ok" and bool(seen.value)
            sure = (seen.confidence or 0.0) if found else 0.0
            outcome = [worth(task, seen, by_query), float(found), float(seen.status != "ok"), sure]
            if query:
                gathered.setdefault((expert, skill), []).append(outcome)
            elif (expert, skill) in asked:
                asked[expert, skill][row] = outcome
        for pair, outcomes in gathered.items():
            if pair in carried:
                carried[pair][row] = np.mean(outcomes, axis=0)
    return TrackRecord(places, asked, carried, tuple(task.task.question for task in tasks))
