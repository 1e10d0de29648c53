"""Named scoring profiles: which rule a benchmark is scored by, and whose rule it is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from maestro.errors import TaskError, not_found
from maestro.scoring import choice_profiles, count_profiles, math_profiles, original_profiles, text_profiles
from maestro.scoring.blocking import off_loop
from maestro.scoring.boxed import has_box
from maestro.scoring.envelope import CLOSE_ANSWER, OPEN_ANSWER, open_envelope
from maestro.scoring.parameters import require_usable
from maestro.scoring.profile import Profile
from maestro.scoring.score import Score
from maestro.types import Task

__all__ = ["PROFILES", "Profile", "profile_named", "score", "score_off_loop", "score_response"]

_LONG = 20_000
"""Characters of an answer that any rule may take its time over."""

PROFILES: dict[str, Profile] = {
    **text_profiles.PROFILES,
    **choice_profiles.PROFILES,
    **count_profiles.PROFILES,
    **math_profiles.PROFILES,
    **original_profiles.PROFILES,
}


def score(task: Task, prediction: str | None) -> Score:
    """Score an answer by the task's profile; no answer scores 0. Raises TaskError for an unknown profile or parameter.

    Rules that read a whole response get the answer back in its tags, which the dialect took off, and those that read a box get it in one.
    """
    if not task.references:
        raise TaskError(f"task {task.id} has no reference answer, so it cannot be scored.")
    try:
        profile = profile_named(task.profile)
        if prediction is not None and profile.given == "response" and OPEN_ANSWER not in prediction:
            prediction = f"{OPEN_ANSWER}{prediction}{CLOSE_ANSWER}"
        elif prediction is not None and prediction.strip() and profile.boxed and not has_box(prediction):
            prediction = f"\\boxed{{{prediction.strip().strip('$')}}}"
        return score_response(task.profile, prediction, task.references, options=task.choices, params=task.params)
    except TaskError as error:
        raise TaskError(f"task {task.id}: {error}") from error


async def score_off_loop(task: Task, prediction: str | None) -> Score:
    """`score` for callers on an event loop, which goes on while an answer is computed, run or just long; raises as `score` does."""
    return await off_loop(partial(score, task, prediction), at_once=prediction is None or len(prediction) <= _LONG)


def score_response(
    name: str,
    response: str | None,
    references: tuple[str, ...],
    *,
    options: tuple[str, ...] = (),
    params: Mapping[str, Any] | None = None,
) -> Score:
    """Score a whole response by a profile; no response, an empty one, or no reference scores 0.

    Raises TaskError for an unknown profile, an unknown parameter or one that makes no sense.
    """
    profile = profile_named(name)
    params = dict(params or {})
    if unknown := set(params) - set(profile.params):
        known = f"takes the parameters {', '.join(profile.params)}" if profile.params else "takes no parameters"
        raise TaskError(f"the profile {name} {known}; {', '.join(sorted(unknown))} is none of them. Mend params.")
    require_usable(params)
    given = "" if response is None else _given(profile, response)
    if not given.strip():
        return Score(score=0.0, rule=name, reason="no answer")
    if not references:
        return Score(score=0.0, rule=name, reason="no reference answer")
    if profile.takes_options:
        params["options"] = options
    return profile.rule(given, references, **params)


def profile_named(name: str) -> Profile:
    """The profile of this name. Raises TaskError naming what exists."""
    if name not in PROFILES:
        raise TaskError(not_found("scoring profile", name, PROFILES, "See them with: maestro score --list"))
    return PROFILES[name]


def _given(profile: Profile, response: str) -> str:
    if profile.given == "response":
        return response
    text = open_envelope(response).text
    return text if profile.given == "untouched" else text.strip()
