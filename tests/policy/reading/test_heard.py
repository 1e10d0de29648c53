"""Whom a skill's texts are believed from: its card, until the record contradicts it."""

from __future__ import annotations

import numpy as np
import pytest

from maestro.policy.reading.cards import SkillTexts
from maestro.policy.reading.heard import EXAMPLES, hear
from maestro.policy.reading.record import TrackRecord
from maestro.registry.edits import reworded
from maestro.registry.menu import Menu
from maestro.types import Expert, Skill

SIGNS = ["What does the sign say?", "Read the poster on the wall.", "Which word is written on the door?", "Read the number plate."]
RINGS = ["How many rings are linked?", "Count the circles.", "How many dots are there?", "Count the squares in the picture."]
MENU = Menu(
    experts=(Expert(id="e", summary="s", kind="scripted"),),
    skills=(
        Skill(id="read", summary="Read a sign, a poster, a plate: which word is written.", experts=("e",)),
        Skill(id="count", summary="Count circles, dots, squares and rings: how many.", experts=("e",)),
    ),
)


def record(solves: dict[str, list[str]], questions: list[str]) -> TrackRecord:
    """Expert e was asked everything with both skills."""

    def rows(good: list[str]) -> np.ndarray:
        return np.array([[float(question in good), 1, 0, 0.9] for question in questions], dtype=np.float32)

    asked = {("e", skill): rows(good) for skill, good in solves.items()}
    return TrackRecord(np.eye(len(questions), dtype=np.float32), asked, {}, tuple(questions))


HONEST = record({"read": SIGNS, "count": RINGS}, [*SIGNS, *RINGS])


def test_a_card_that_fits_what_it_solves_is_believed() -> None:
    heard = hear(MENU, HONEST)
    assert heard.doubted == (False, False)
    assert heard.texts[0] == (MENU.skills[0].summary,)


@pytest.mark.parametrize("said", ["Count circles, dots, squares and rings.", "A skill.", ""])
def test_a_card_that_misleads_or_says_nothing_gives_way_to_the_questions_it_solved(said: str) -> None:
    heard = hear(reworded(MENU, skills={"read": said}), HONEST)
    assert heard.doubted == (True, False)
    assert heard.texts[0] == tuple(SIGNS)
    fits = SkillTexts(heard.texts).likeness(["What does this sign say?", "How many circles are linked?"])[..., 0]
    assert fits[0, 0] > fits[0, 1]
    assert fits[1, 1] > fits[1, 0]


def test_a_record_of_somebody_elses_skill_of_that_name_says_nothing() -> None:
    """A user's own `read` is judged by its card, whatever the record says of a `read` that other experts did elsewhere."""
    stranger = Menu(
        experts=(Expert(id="mine", summary="s", kind="scripted"),),
        skills=(Skill(id="read", summary="Looks at shoes.", experts=("mine",)),),
    )
    heard = hear(stranger, HONEST)
    assert (heard.doubted, heard.texts) == ((False,), (("Looks at shoes.",),))


def test_few_calls_prove_nothing() -> None:
    lie = reworded(MENU, skills={"read": "Count circles and dots."})
    short = record({"read": SIGNS[:2], "count": RINGS}, [*SIGNS[:2], *RINGS])
    assert hear(lie, short).doubted == (False, False)
    assert hear(lie, None).doubted == (False, False)
    always = record({"read": SIGNS + RINGS, "count": []}, [*SIGNS, *RINGS])  # right on all: nothing to tell apart
    assert hear(lie, always).doubted == (False, False)


def test_questions_without_a_text_prove_nothing() -> None:
    lie = reworded(MENU, skills={"read": "Count circles and dots."})
    silent = TrackRecord(HONEST.places, HONEST.asked, {})
    assert hear(lie, silent).doubted == (False, False)
    assert hear(lie, silent.joined(HONEST)).doubted == (True, False)


def test_of_many_questions_some_stand_for_the_card() -> None:
    many = [f"What does sign {number} say?" for number in range(5 * EXAMPLES)]
    heard = hear(reworded(MENU, skills={"read": "A skill."}), record({"read": many}, [*many, *RINGS]))
    assert len(heard.texts[0]) == EXAMPLES
    assert {heard.texts[0][0], heard.texts[0][-1]} == {many[0], many[-1]}
