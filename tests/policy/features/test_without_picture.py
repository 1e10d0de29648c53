"""Where a question has no picture, no skill that says it needs one is called, and no word learned from pictures is said."""

from __future__ import annotations

import pytest

from maestro import Maestro
from maestro.policy.features.history import ActionSpace
from maestro.registry.menu import Menu
from maestro.types import Answer, Call, Expert, Skill

EXPERTS = (Expert(id="eye", summary="s", kind="scripted"), Expert(id="sums", summary="s", kind="scripted"))
LOOK, SOLVE = Skill(id="look", summary="s", experts=("eye",), needs_image=True), Skill(id="solve", summary="s", experts=("sums",))
MENU = Menu(EXPERTS, (LOOK, SOLVE))
SPACE = ActionSpace.of(MENU, ("grey", "light"))


@pytest.mark.parametrize(("sighted", "said"), [(True, []), (False, [Answer(text="grey"), Answer(text="light")])])
def test_what_needs_a_picture_is_closed(sighted: bool, said: list[Answer]) -> None:
    actions = SPACE.without_picture(SPACE.actions("Are there 12 of them?", []), MENU, sighted=sighted)
    assert [action for action in actions if action is not None] == [Call(expert="sums", skill="solve", query=""), Answer(text="12"), *said]
    assert len(actions) == SPACE.size


@pytest.mark.parametrize("policy", [None, "maestro-mini"])
def test_the_policies_that_ship_guess_no_colour_of_nothing(policy: str | None) -> None:
    with Maestro.load(policy=policy, workers=0) as maestro:
        for question in ("What is the capital of France?", "Hello", "Print hello from python"):
            episode = maestro.ask(question)
            assert (episode.answer, episode.supported) == ("unknown", False)
        assert maestro.ask("What is 17 times 23?").answer == "391"
