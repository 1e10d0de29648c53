"""The skill cards of the reading side: they load, their code is there, and questions reach the right one."""

from __future__ import annotations

from importlib import import_module, resources
from pathlib import Path

import pytest

from maestro.registry.skill_file import read_skill
from maestro.skills.dispatch import Retrieval
from maestro.types import Skill

FOLDER = Path(str(resources.files("maestro.ensembles.playground") / "registry" / "skills"))


def children(parent: str) -> list[Skill]:
    return [read_skill(folder, parent).skill for folder in sorted((FOLDER / parent).iterdir()) if folder.is_dir()]


@pytest.mark.parametrize("parent", ["read", "chart", "geometry", "science"])
def test_cards_load_and_name_code_that_is_there(parent: str) -> None:
    card = read_skill(FOLDER / parent).skill
    assert card.dispatch == "retrieval"
    found = children(parent)
    assert found
    for skill in found:
        assert set(skill.experts) <= set(card.experts), f"{skill.id} has experts that {parent} does not offer"
        assert len(skill.examples) >= 6
        module, _, name = (skill.target or "").partition(":")
        assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize(
    ("parent", "question", "skill"),
    [
        ("read", "Which serial code can be seen on the plate?", "read-text"),
        ("read", "What does the banner say?", "read-text"),
        ("read", "Please read the digits in the teal box.", "read-text"),
        ("read", "What was filled in for Surname?", "read-field"),
        ("read", "What is the value of the Height field?", "read-field"),
        ("read", "In the table, which number stands in row Zinc and column Oct?", "read-cell"),
        ("read", "What do all the numbers in the column Oct add up to?", "read-column"),
        ("read", "How much change does she get back from the cash?", "read-change"),
        ("read", "Solve the displayed equation for w.", "read-equation"),
        ("read", "What will this Python program print?", "read-code"),
        ("chart", "How tall is the bar for Zebras?", "chart-bar"),
        ("chart", "Which level does the curve reach at Zebras?", "chart-line"),
        ("chart", "By how much is Zebras higher than Lions?", "chart-difference"),
        ("geometry", "How many degrees is the angle without a label?", "geometry-angle"),
        ("geometry", "How long is the slanted side of the right triangle, its hypotenuse?", "geometry-right"),
        ("geometry", "What is the length of the way around the figure, its perimeter?", "geometry-perimeter"),
        ("science", "What does the needle of the dial point to?", "science-gauge"),
        ("science", "What is the combined resistance of these resistors?", "science-circuit"),
    ],
)
def test_questions_reach_their_skill(parent: str, question: str, skill: str) -> None:
    assert Retrieval(children(parent)).choose(question).id == skill
