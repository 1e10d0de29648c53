"""Whether tasks can be scored at all: asked before a run spends anything on them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable

from maestro.errors import TaskError, not_found
from maestro.scoring.profiles import PROFILES, score
from maestro.types import Task

_PROBE = "0"


def require_scorable(tasks: Iterable[Task]) -> None:
    """Raise TaskError when tasks have no reference answer, a profile that does not exist or parameters it cannot use, saying how many.

    One answer is scored by each profile with each set of parameters. Raises MissingDependency where a rule needs what is not installed.
    """
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
    problems += _unusable_parameters([task for task in chosen if task.references and task.profile in PROFILES])
    if problems:
        raise TaskError("these tasks cannot be scored: " + "; ".join(problems))


def _unusable_parameters(tasks: list[Task]) -> list[str]:
    alike: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        alike.setdefault((task.profile, json.dumps(task.params, sort_keys=True, default=str)), []).append(task)
    problems = []
    for same in alike.values():
        try:
            score(same[0], _PROBE)
        except TaskError as error:
            problems.append(f"{error}" + (f" (so for {len(same)} tasks)" if len(same) > 1 else ""))
    return problems
