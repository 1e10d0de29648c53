"""Words of cards, and how well questions fit skills."""

from __future__ import annotations

import numpy as np

from maestro.policy.reading.cards import WORDS, SkillTexts, texts_of, words_vector
from maestro.registry.menu import Menu
from maestro.types import Expert, Skill

CHILD = Skill(id="count-rings", level=2, parent="count", summary="Count linked rings.", examples=("How many rings are linked?",))
MENU = Menu(
    experts=(Expert(id="e", summary="s", kind="scripted"),),
    skills=(
        Skill(id="read", summary="Read the text of a sign.", experts=("e",), examples=("What does the sign say?",)),
        Skill(id="count", summary="Count shapes.", experts=("e",)),
    ),
    children=(CHILD,),
)


def test_a_card_is_its_words_and_not_their_case_or_order() -> None:
    assert np.allclose(words_vector("Cheap reader of signs"), words_vector("signs: reader, cheap of"))
    assert np.isclose(np.linalg.norm(words_vector("cheap reader")), 1.0)
    assert not words_vector("").any()
    assert words_vector("").shape == (WORDS,)


def test_a_skill_speaks_through_what_it_dispatches_to() -> None:
    assert texts_of(MENU, MENU.skills[1]) == ("Count shapes.", "Count linked rings.", "How many rings are linked?")
    fits = SkillTexts.of(MENU).likeness(["How many linked rings are there?", "What does this sign say?"])
    assert fits.shape == (2, 2, 2)
    assert (fits[0, 1] > fits[0, 0]).all()
    assert (fits[1, 0] > fits[1, 1]).all()
    assert np.allclose(fits[..., 1].sum(axis=1), 1.0)


def test_skills_that_say_nothing_fit_nothing() -> None:
    fits = SkillTexts([[], ["Read a sign."]]).likeness(["Read a sign."])
    assert not fits[0, 0].any()
    assert fits[0, 1, 0] > 0.99
    assert not SkillTexts([[], []]).likeness(["Read a sign."]).any()
