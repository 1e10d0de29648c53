"""The hold-out sets fit the registry they are of, and their cards read as their condition says."""

from __future__ import annotations

import pytest

from maestro.ensembles.playground.plugin import _FOLDER
from maestro.registry.menu import Menu
from maestro.registry.registry import Registry
from maestro.train.reading.hold_outs import HOLD_OUTS, NEUTRAL, HoldOut


@pytest.fixture(scope="module")
def menu() -> Menu:
    return Registry.load(_FOLDER / "registry").menu()


@pytest.mark.parametrize("held", HOLD_OUTS, ids=lambda held: held.name)
def test_every_set_names_what_exists(held: HoldOut, menu: Menu) -> None:
    assert held.new_pairs(menu)
    neutral, misled = held.neutral(menu), held.misled(menu)
    texts = {card.id: card.summary for card in (*menu.experts, *menu.skills)}
    for ids, cards, lies, empty in (
        (held.experts, neutral.experts, misled.experts, NEUTRAL["experts"]),
        (held.skills, neutral.skills, misled.skills, NEUTRAL["skills"]),
    ):
        assert {card.summary for card in cards if card.id in ids} == ({empty} if ids else set())
        assert all(card.summary in texts.values() and card.summary != texts[card.id] for card in lies if card.id in ids)
        assert all(card.summary == texts[card.id] for card in lies if card.id not in ids)
    assert neutral.pairs == misled.pairs == menu.pairs


def test_a_set_of_experts_and_one_of_skills_are_new_in_their_pairs_only(menu: Menu) -> None:
    new = HoldOut("one", experts=("full-rapidocr",), skills=("count",)).new_pairs(menu)
    assert all(expert == "full-rapidocr" or skill == "count" for expert, skill in new)
    assert {skill for expert, skill in new if expert == "full-rapidocr"} == {skill for e, skill in menu.pairs if e == "full-rapidocr"}
