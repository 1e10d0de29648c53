"""A question put to the skill of its kind, without worker processes, policy and dispatch."""

import asyncio
from functools import cache

import numpy as np

from maestro.ensembles.vlms_are_blind.experts.circled_letter import CircledLetter
from maestro.ensembles.vlms_are_blind.experts.fitted_shapes import FittedShapes
from maestro.ensembles.vlms_are_blind.experts.ruled_grid import RuledGrid
from maestro.ensembles.vlms_are_blind.experts.subway_routes import SubwayRoutes
from maestro.ensembles.vlms_are_blind.procedures import (
    circle_contact,
    circled_letter,
    grid_size,
    line_crossings,
    pentagon_count,
    ring_count,
    square_count,
    subway_routes,
)
from maestro.scoring.vlms_are_blind import vlms_are_blind_reward
from maestro.skills.protocol import Caller, SkillRequest

SKILLS = {
    "lines": (line_crossings, FittedShapes), "contact": (circle_contact, FittedShapes), "rings": (ring_count, FittedShapes),
    "pentagons": (pentagon_count, FittedShapes), "squares": (square_count, FittedShapes), "blank_grid": (grid_size, RuledGrid),
    "word_grid": (grid_size, RuledGrid), "letter": (circled_letter, CircledLetter), "subway": (subway_routes, SubwayRoutes),
}  # fmt: skip
_expert = cache(lambda expert: expert())


def asked(kind, image, question):
    """The SkillResult of a kind's skill on one PIL picture."""
    procedure, expert = SKILLS[kind]
    model, pixels = _expert(expert), np.asarray(image.convert("RGB"))

    async def ask(operation, *, images, **arguments):
        return getattr(model, f"do_{operation}")([pixels for _ in images], **arguments)

    caller = Caller(expert="any", ask=ask, pixels=lambda _: image, put=lambda _: "0")
    return asyncio.run(procedure.run(SkillRequest(question, images=("0",)), caller))


def right(scene, question, found):
    """Whether what was found is the scene's answer, by the strict rule."""
    return found.value is not None and vlms_are_blind_reward(found.value, (scene.questions[question],), task=scene.category).score == 1.0
