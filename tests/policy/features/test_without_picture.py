"""Where a question has no picture, nobody who looks at pictures is asked, and no word learned from pictures is said."""

from __future__ import annotations

from maestro import Maestro
from maestro.policy.features.history import ActionSpace
from maestro.registry.menu import Menu
from maestro.types import Answer, Call, Expert, Skill

EXPERTS = (Expert(id="eye", summary="s", kind="scripted"), Expert(id="sums", summary="s", kind="scripted"))
LOOK, SOLVE = Skill(id="look", summary="s", experts=("eye",), needs_image=True), Skill(id="solve", summary="s", experts=("sums",))


def test_what_needs_a_picture_is_closed() -> None:
    menu = Menu(EXPERTS, (LOOK, SOLVE))
    space = ActionSpace.of(menu, ("grey", "light"))
    actions = space.actions("Are there 12 of them?", [])
    left = [action for action in space.without_picture(actions, menu) if action is not None]
    assert left == [Call(expert="sums", skill="solve", query=""), Answer(text="12")]
    assert len(space.without_picture(actions, menu)) == space.size


def test_where_no_skill_looks_words_were_not_learned_from_pictures() -> None:
    menu = Menu(EXPERTS, (SOLVE,))
    space = ActionSpace.of(menu, ("grey",))
    actions = space.actions("Which one?", [])
    assert space.without_picture(actions, menu) == actions


def test_the_policies_that_ship_guess_no_colour_of_nothing() -> None:
    for policy in (None, "maestro-mini"):
        with Maestro.load(policy=policy, workers=0) as maestro:
            episode = maestro.ask("What is the capital of France?")
            assert (episode.answer, episode.supported) == ("unknown", False), policy
            assert all(call.skill == "solve" for call in episode.calls)
            assert maestro.ask("What is 17 times 23?").answer == "391"
