"""Whether tasks can be scored at all: asked before a run spends anything on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from maestro.errors import TaskError, not_found
from maestro.scoring.profiles import PROFILES
from maestro.types import Task


def require_scorable(tasks: Iterable[Task]) -> None:
    """Raise TaskError when tasks have no reference answer or a scoring profile that does not exist, saying how many."""
    chosen = list(tasks)
    problems = []
    unknown = Counter(task.profile for task in chosen if task.profile not in PROFILES)
    for profile, count in unknown.most_common():
        step = "Name one that exists in the column profile."
        problems.append(
            f"{count} of {len(chosen)} tasks ask for one that is not there: {not_found('scoring profile', profile, PROFILES, step)}"
        )
    if without := [task.id for task in chosen if not task.references]:
        problems.append(
            f"{len(without)} of {len(chosen)} tasks have no reference answer, {without[0]} for one: fill their column answer (or answers)"
        )
    if problems:
        raise TaskError("these tasks cannot be scored: " + "; ".join(problems))
