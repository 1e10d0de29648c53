"""Routes: what to call first, and with whom to follow up; the actions of every baseline that plans ahead.

A route is a sequence of (expert, skill) pairs, written `full-rapidocr@read>algebra-solver@solve`. The first pair is called
on the task's own question. When what comes back is a region, an expression or code, the next pair in the route whose skill
takes such a thing is called with it; pairs that do not fit are skipped, and without one the route answers with what it has.
So one route can serve questions that need one call and questions that need two. The empty route calls nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from maestro.errors import ConfigError
from maestro.registry.menu import Menu
from maestro.types import Call, Observation

Pair = tuple[str, str]
"""(expert id, skill id)"""
Route = tuple[Pair, ...]

NOTHING = "unknown"
"""What a baseline answers when its calls found nothing."""


def write_route(route: Route) -> str:
    """`expert@skill>expert@skill`; `-` for the empty route."""
    return ">".join(f"{expert}@{skill}" for expert, skill in route) or "-"


def read_route(text: str, menu: Menu) -> Route:
    """The route in `text`. Raises ConfigError when it is misspelt or names a pair the menu does not allow."""
    if text == "-":
        return ()
    route: list[Pair] = []
    for part in text.split(">"):
        expert, at, skill = part.strip().partition("@")
        if not at or not expert or not skill:
            raise ConfigError(f"route {text!r}: {part!r} is not `expert@skill`; write for example full-rapidocr@read>algebra-solver@solve.")
        if not menu.allows(expert, skill):
            offered = [known for known, other in menu.pairs if other == skill]
            what = f"{skill} is offered by {', '.join(offered)}" if offered else f"skills are {', '.join(s.id for s in menu.skills)}"
            raise ConfigError(f"route {text!r}: the menu has no {expert}@{skill}; {what}.")
        route.append((expert, skill))
    return tuple(route)


def takes(menu: Menu, skill: str, kind: str) -> bool:
    """Whether level-1 `skill` takes a `kind` (region, expression, code, question) as its query."""
    return any(known.id == skill and kind in known.takes for known in menu.skills)


def followers(menu: Menu, observation: Observation) -> tuple[Call, ...]:
    """Every allowed call that takes what `observation` gives, in menu order; none after an answer or a failure.

    The query is stripped, as it comes out of every dialect.
    """
    if observation.status != "ok" or observation.gives == "answer" or not (query := (observation.value or "").strip()):
        return ()
    return tuple(Call(expert=expert, skill=skill, query=query) for expert, skill in menu.pairs if takes(menu, skill, observation.gives))


def next_call(menu: Menu, route: Sequence[Pair], used: int, observation: Observation | None) -> tuple[Call | None, int]:
    """The route's next call after `observation` (None at the start) and how many of its pairs are then used up."""
    if observation is None:
        return (Call(expert=route[0][0], skill=route[0][1]), 1) if route else (None, 0)
    offered = followers(menu, observation)
    for position in range(used, len(route)):
        for call in offered:
            if (call.expert, call.skill) == route[position]:
                return call, position + 1
    return None, len(route)
