"""A named way of scoring: a rule, whose rule it is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from maestro.scoring.score import Score


@dataclass(frozen=True)
class Profile:
    """A rule with its origin. Rules are pure, take any string and never raise on one; bad parameters raise TaskError."""

    rule: Callable[..., Score]
    """`rule(prediction, references, **params) -> Score`, with `options` among the keywords when it takes options."""
    origin: str
    """Whose rule it is, with the ways in which it departs from it."""
    params: tuple[str, ...] = ()
    takes_options: bool = False
    given: Literal["answer", "untouched", "response"] = "answer"
    """The answer out of its envelope and stripped; the same with its white space; or the whole response."""
    boxed: bool = False
    """Whether the rule reads a box only: the answer of an episode, which is no reply any more, stands for the content of one."""
    rubric: str = ""
    """What a judge is told when one is asked to score beside the rule; empty where the benchmark has none."""
    shapes: bool = False
    """Whether references are boxes or polygons, so that a list of numbers is one of them and not as many answers."""
    first_item: bool = False
    """Whether a reference that is one plain string is read as a list of its characters (a hole of the original's rules)."""
