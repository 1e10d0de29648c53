"""A varied registry offers nothing that the registry does not, under ids that lead back to it."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro.registry.menu import Menu
from maestro.registry.registry import Registry
from maestro.rollout.rerouting import told_unavailable
from maestro.train.config.outages import OutageConfig
from maestro.train.config.variation import VariationConfig
from maestro.train.episodes.outages import under_outages
from maestro.train.variation.ensemble import VariedEnsemble
from maestro.train.variation.menu import NEUTRAL, Variation, vary
from maestro.types import Call, Observation, Task

MENU = Registry.load("playground").menu()
TASK = Task(id="t", question="How many?")
ALL = VariationConfig(share=1, exchanged=1, renamed=1, copied=1, expert_out=0.5, skill_out=0.5)


class Noted:
    """Remembers the calls that reach it."""

    menu = MENU
    name = "noted"

    def __init__(self, status="ok", text=None):
        self.calls = []
        self.status = status
        self.text = text

    async def perform(self, call, _task, _deadline_seconds):
        self.calls.append(call)
        return Observation(text=self.text or f"{call.expert}@{call.skill}: so", status=self.status)


chance = st.floats(0, 1)
configs = st.builds(
    VariationConfig,
    order=st.booleans(),
    exchanged=chance,
    renamed=chance,
    reworded=chance,
    neutral=chance,
    misleading=chance,
    expert_out=chance,
    skill_out=chance,
    copied=chance,
)


@settings(max_examples=150, deadline=None)
@given(configs, st.integers(0, 10**9))
def test_every_pair_leads_back_to_a_pair_of_the_registry(config, seed):
    variation = vary(MENU, config, random.Random(seed))
    assert variation.menu.pairs
    ids = [card.id for card in (*variation.menu.experts, *variation.menu.skills)]
    assert len(ids) == len(set(ids))
    assert all(skill.experts for skill in variation.menu.skills)
    for expert, skill in variation.menu.pairs:
        original = variation.original(Call(expert=expert, skill=skill, query="q"))
        assert MENU.allows(original.expert, original.skill)
        assert original.query == "q"


def test_the_draw_follows_from_the_seed():
    assert vary(MENU, ALL, random.Random(3)) == vary(MENU, ALL, random.Random(3))
    assert vary(MENU, ALL, random.Random(3)).menu != vary(MENU, ALL, random.Random(4)).menu


def test_without_chances_nothing_but_order_changes():
    config = VariationConfig(share=1, exchanged=0, renamed=0, reworded=0, neutral=0, expert_out=0, skill_out=0, copied=0)
    menu = vary(MENU, config, random.Random(1)).menu
    assert {card.id: card.summary for card in menu.experts} == {card.id: card.summary for card in MENU.experts}
    assert [card.id for card in menu.experts] != [card.id for card in MENU.experts]
    assert set(menu.pairs) == set(MENU.pairs)


def test_an_exchanged_id_takes_the_card_of_its_model_along():
    config = VariationConfig(share=1, exchanged=1, renamed=0, reworded=0, neutral=0, expert_out=0, skill_out=0, copied=0)
    variation = vary(MENU, config, random.Random(5))
    real = {card.id: card for card in MENU.experts}
    assert any(shown != original for shown, original in variation.experts.items())
    for card in variation.menu.experts:
        assert (card.summary, card.price) == (real[variation.experts[card.id]].summary, real[variation.experts[card.id]].price)


def test_misleading_cards_keep_their_prices():
    config = VariationConfig(share=1, exchanged=0, renamed=0, reworded=0, neutral=0, misleading=1, expert_out=0, skill_out=0, copied=0)
    variation = vary(MENU, config, random.Random(5))
    real = {card.id: card for card in MENU.experts}
    assert any(card.summary != real[card.id].summary for card in variation.menu.experts)
    assert all(card.price == real[card.id].price for card in variation.menu.experts)


def test_neutral_cards_say_nothing():
    menu = vary(MENU, VariationConfig(share=1, neutral=1), random.Random(1)).menu
    assert {card.summary for card in (*menu.experts, *menu.skills)} == {NEUTRAL}


async def test_a_call_reaches_the_expert_behind_the_id():
    variation = vary(MENU, ALL, random.Random(7))
    noted = Noted()
    ensemble = VariedEnsemble(noted, variation)
    expert, skill = variation.menu.pairs[0]
    seen = await ensemble.perform(Call(expert=expert, skill=skill), TASK, 1.0)
    assert noted.calls == [Call(expert=variation.experts[expert], skill=variation.skills[skill])]
    assert seen.status == "ok"


async def test_a_failure_names_the_expert_as_the_menu_does():
    variation = vary(MENU, ALL, random.Random(7))
    expert, skill = variation.menu.pairs[0]
    seen = await VariedEnsemble(Noted("expert_error"), variation).perform(Call(expert=expert, skill=skill), TASK, 1.0)
    assert seen.text == f"{expert}@{skill}: so"


async def test_an_outage_that_the_policy_is_told_of_names_the_expert_as_the_menu_does():
    """Told the registry's id, it would learn who hides behind a made-up one, or blame another to whom that id was given."""
    for seed in range(20):
        variation = vary(MENU, ALL.model_copy(update={"renamed": 0.5}), random.Random(seed))
        expert, skill = variation.menu.pairs[0]
        plain = under_outages(Noted(), OutageConfig(told="policy"), frozenset({variation.experts[expert]}))
        seen = await VariedEnsemble(plain, variation).perform(Call(expert=expert, skill=skill), TASK, 1.0)
        assert (seen.status, seen.text) == ("ok", f"unavailable: {expert}")
        assert told_unavailable(seen)


async def test_ids_in_a_failure_are_exchanged_all_at_once_and_only_where_they_stand_alone():
    menu = replace(MENU, experts=MENU.experts[:1], skills=MENU.skills[:1])
    expert, skill = menu.experts[0].id, menu.skills[0].id
    shown = Menu(
        (menu.experts[0].model_copy(update={"id": skill}),), (menu.skills[0].model_copy(update={"id": expert, "experts": (skill,)}),)
    )
    text = f"{expert}@{skill} has re{skill} {expert}-2"
    seen = await VariedEnsemble(Noted("policy_error", text), Variation(shown, {skill: expert}, {expert: skill})).perform(
        Call(expert=skill, skill=expert), TASK, 1.0
    )
    assert seen.text == f"{skill}@{expert} has re{skill} {expert}-2"


@pytest.mark.parametrize("kind", ["expert", "skill", "pair"])
async def test_what_is_not_on_the_menu_never_reaches_the_experts(kind):
    variation = vary(MENU, ALL, random.Random(7))
    expert, skill = variation.menu.pairs[0]
    missing = next((e.id, s.id) for e in variation.menu.experts for s in variation.menu.skills if not variation.menu.allows(e.id, s.id))
    call = {
        "expert": Call(expert=variation.experts[expert], skill=skill),
        "skill": Call(expert=expert, skill=variation.skills[skill]),
        "pair": Call(expert=missing[0], skill=missing[1]),
    }[kind]
    noted = Noted()
    seen = await VariedEnsemble(noted, variation).perform(call, TASK, 1.0)
    assert seen.status == "policy_error"
    assert seen.text.startswith("error: ")
    assert not noted.calls
    with pytest.raises(ValueError, match="not on this menu"):
        variation.original(call)
