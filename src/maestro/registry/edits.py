"""The same menu with something taken out, worded otherwise or under other names: what a policy is tried on, and what a user's edit does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from maestro.errors import RegistryError, not_found
from maestro.registry.menu import Menu


def without(menu: Menu, experts: Collection[str] = (), skills: Collection[str] = ()) -> Menu:
    """The menu without these experts and level-1 skills, and without what is left with nobody. Raises RegistryError for an unknown id."""
    _check(menu, experts, skills)
    kept = [skill for skill in menu.skills if skill.id not in skills]
    cards = [skill.model_copy(update={"experts": tuple(one for one in skill.experts if one not in experts)}) for skill in kept]
    offered = tuple(skill for skill in cards if skill.experts)
    ids = {skill.id for skill in offered}
    used = {expert for skill in offered for expert in skill.experts}
    return replace(
        menu,
        experts=tuple(expert for expert in menu.experts if expert.id in used),
        skills=offered,
        children=tuple(child for child in menu.children if child.parent in ids),
    )


def reworded(menu: Menu, experts: Mapping[str, str] | None = None, skills: Mapping[str, str] | None = None) -> Menu:
    """The menu with other descriptions; a skill with a new one loses its examples and what its children say. Raises RegistryError."""
    said, told = experts or {}, skills or {}
    _check(menu, said, told)
    empty = {"examples": ()}
    return replace(
        menu,
        experts=tuple(one.model_copy(update={"summary": said.get(one.id, one.summary)}) for one in menu.experts),
        skills=tuple(one.model_copy(update={"summary": told[one.id], **empty}) if one.id in told else one for one in menu.skills),
        children=tuple(child for child in menu.children if child.parent not in told),
    )


def renamed(menu: Menu, experts: Mapping[str, str] | None = None, skills: Mapping[str, str] | None = None) -> Menu:
    """The menu under other ids, from old to new. Raises RegistryError for an unknown id, and when two would be the same."""
    ours, theirs = experts or {}, skills or {}
    _check(menu, ours, theirs)
    new = [[names.get(card.id, card.id) for card in cards] for names, cards in ((ours, menu.experts), (theirs, menu.skills))]
    for ids in new:
        if len(set(ids)) < len(ids):
            raise RegistryError(f"two cards would be called the same: {', '.join(sorted(one for one in set(ids) if ids.count(one) > 1))}")
    return replace(
        menu,
        experts=tuple(card.model_copy(update={"id": name}) for card, name in zip(menu.experts, new[0], strict=True)),
        skills=tuple(
            card.model_copy(update={"id": name, "experts": tuple(ours.get(one, one) for one in card.experts)})
            for card, name in zip(menu.skills, new[1], strict=True)
        ),
        children=tuple(
            child.model_copy(
                update={
                    "parent": theirs.get(child.parent or "", child.parent),
                    "experts": tuple(ours.get(one, one) for one in child.experts),
                }
            )
            for child in menu.children
        ),
    )


def _check(menu: Menu, experts: Collection[str], skills: Collection[str]) -> None:
    """Every id is one of the menu's."""
    for kind, named, cards in (("expert", experts, menu.experts), ("skill", skills, menu.skills)):
        known = [card.id for card in cards]
        for one in named:
            if one not in known:
                raise RegistryError("menu: " + not_found(kind, one, known))
