"""Menus with something taken out, worded otherwise, or under other names."""

from __future__ import annotations

import pytest

from maestro.ensembles.playground.plugin import _FOLDER
from maestro.errors import RegistryError
from maestro.registry.edits import renamed, reworded, without
from maestro.registry.menu import Menu
from maestro.registry.registry import Registry


@pytest.fixture(scope="module")
def menu() -> Menu:
    return Registry.load(_FOLDER / "registry").menu()


def test_what_nobody_is_left_for_goes_too(menu: Menu) -> None:
    fewer = without(menu, experts=["algebra-solver"], skills=["read"])
    assert "solve" not in {skill.id for skill in fewer.skills}
    assert not any("algebra-solver" in pair for pair in fewer.pairs)
    assert {child.parent for child in menu.children} - {child.parent for child in fewer.children} == {"read"}
    assert len(without(menu).pairs) == len(menu.pairs)


def test_a_reworded_skill_says_nothing_else(menu: Menu) -> None:
    other = reworded(menu, {"fast-opencv": "An expert."}, {"count": "A skill.", "solve": "A skill."})
    assert next(card.summary for card in other.experts if card.id == "fast-opencv") == "An expert."
    assert all(skill.summary == "A skill." and not skill.examples for skill in other.skills if skill.id in {"count", "solve"})
    assert not any(child.parent == "count" for child in other.children)
    assert other.pairs == menu.pairs


def test_renamed_everything_hangs_together(menu: Menu) -> None:
    other = renamed(menu, {"fast-opencv": "e1"}, {"count": "s1"})
    assert other.allows("e1", "s1")
    assert not other.allows("fast-opencv", "count")
    assert sum(child.parent == "s1" for child in other.children) == sum(child.parent == "count" for child in menu.children) > 0


def test_unknown_and_equal_names_are_told(menu: Menu) -> None:
    with pytest.raises(RegistryError, match="no expert 'fast-opencvv'; did you mean fast-opencv"):
        without(menu, experts=["fast-opencvv"])
    with pytest.raises(RegistryError, match="no skill 'counting'"):
        reworded(menu, skills={"counting": ""})
    with pytest.raises(RegistryError, match="called the same: robust-opencv"):
        renamed(menu, {"fast-opencv": "robust-opencv"})


def test_a_menu_knows_the_children_of_what_it_offers(menu: Menu) -> None:
    assert {child.parent for child in menu.children} <= {skill.id for skill in menu.skills}
    assert all(child.level == 2 for child in menu.children)
    assert "count-rings" in {child.id for child in menu.children}
