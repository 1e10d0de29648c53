"""One drawn question: everything about a task before it becomes a `Task`, including what only the warm start may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image

Look = Literal[
    "plain",
    "scattered",
    "single",
    "dense",
    "tiny",
    "textured",
    "tinted",
    "shaded",
    "faint",
    "dark",
    "noisy",
    "tilted",
    "overlapping",
    "cluttered",
    "outlined",
    "dashed",
    "ruled",
    "framed",
    "blank",
]

LOOKS: dict[Look, str] = {
    "plain": "clean dark content on a white or nearly white background, well apart",
    "scattered": "labels lie far from each other, in several sizes",
    "single": "one line of text fills a narrow strip",
    "dense": "many small items or lines close together",
    "tiny": "what is asked about is small against the picture",
    "textured": "a pattern lies under the content",
    "tinted": "the background is clearly coloured, but even",
    "shaded": "the light falls off from one side to the other",
    "faint": "little contrast between content and background",
    "dark": "light content on a dark background",
    "noisy": "grain, specks or blur over everything",
    "tilted": "the whole content is turned by a few degrees",
    "overlapping": "objects cover each other",
    "cluttered": "stray strokes or other objects cross what is asked about",
    "outlined": "only outlines are drawn",
    "dashed": "lines are broken into dashes",
    "ruled": "cells are separated by drawn lines",
    "framed": "a pale coloured margin runs around the sheet",
    "blank": "nothing but background or things that do not matter",
}
"""Closed list of visible traits and what each means."""

SkillName = Literal["read", "chart", "count", "perceive", "locate", "diagram", "geometry", "science", "solve", "run", "embodied"]


@dataclass(frozen=True)
class Scene:
    """A question, its picture and accepted answers; `regime`, `look` and `plan` never enter the Task.

    `regime` names the visual regime inside the family (for diagnosis only), `look` says what the picture looks like in
    one or two words of `LOOKS`, and `plan` lists the level-1 skills the question calls for, in order.
    """

    question: str
    references: tuple[str, ...]
    image: Image.Image
    regime: str
    look: tuple[Look, ...]
    plan: tuple[SkillName, ...] = ()
    profile: Literal["exact", "number"] = "exact"
    params: Mapping[str, Any] = field(default_factory=dict)
