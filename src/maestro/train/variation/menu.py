"""A varied registry: the same experts and skills behind another menu, and the way back from its ids to theirs.

The draw follows from a seed alone, so every member of a group, and a resumed run, meets the same menu.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from maestro.registry.menu import Menu
from maestro.train.config.variation import VariationConfig
from maestro.train.variation.wording import reworded
from maestro.types import Call, Expert, Skill

_FIRST = ("amber", "birch", "cobalt", "delta", "ember", "fjord", "garnet", "hazel", "indigo", "jade", "kelp", "lunar", "maple", "nickel")
_SECOND = ("arch", "brook", "cliff", "dune", "elm", "fern", "gate", "harbour", "isle", "kite", "lake", "moor", "north", "orbit")
NEUTRAL = "No description."


@dataclass(frozen=True)
class Variation:
    """A menu and whom its ids stand for."""

    menu: Menu
    experts: Mapping[str, str]
    """Id on this menu to id in the registry."""
    skills: Mapping[str, str]

    def allows(self, call: Call) -> bool:
        """Whether the menu offers it."""
        return self.menu.allows(call.expert, call.skill)

    def original(self, call: Call) -> Call:
        """The call in the registry's own ids. Raises ValueError for one that the menu does not offer."""
        expert, skill = call.expert, call.skill
        if not self.allows(call):
            raise ValueError(f"{call.expert}@{call.skill} is not on this menu")
        return call.model_copy(update={"expert": self.experts[expert], "skill": self.skills[skill]})


def vary(menu: Menu, config: VariationConfig, rng: random.Random) -> Variation:
    """A registry drawn around `menu`; every pair it offers is one of `menu`'s under its ids there."""
    skills = [skill for skill in menu.skills if rng.random() >= config.skill_out] or [rng.choice(menu.skills)]
    experts = _offered(menu, skills, config, rng)

    names = _Names(rng, [*(card.id for card in menu.experts), *(card.id for card in menu.skills)])
    expert_ids = _ids(experts, config, rng, names, exchanged=rng.random() < config.exchanged)
    skill_ids = _ids(skills, config, rng, names, exchanged=False)
    if rng.random() < config.copied:
        expert_ids.append((names.new(), rng.choice(experts).id))
    if rng.random() < config.copied:
        skill_ids.append((names.new(), rng.choice(skills).id))

    summaries = {expert.id: expert.summary for expert in experts}
    if rng.random() < config.misleading:
        order = rng.sample(experts, len(experts))
        summaries = {expert.id: other.summary for expert, other in zip(experts, order, strict=True)}
    cards = {expert.id: expert for expert in experts}
    shown_experts = tuple(
        cards[real].model_copy(update={"id": shown, "aliases": (), "fallback": None, "summary": _said(summaries[real], config, rng)})
        for shown, real in _ordered(expert_ids, config, rng)
    )
    procedures = {skill.id: skill for skill in skills}
    shown_skills = tuple(
        procedures[real].model_copy(
            update={
                "id": shown,
                "aliases": (),
                "summary": _said(procedures[real].summary, config, rng),
                "experts": tuple(name for name, expert in expert_ids if expert in procedures[real].experts),
            }
        )
        for shown, real in _ordered(skill_ids, config, rng)
    )
    children = tuple(
        child.model_copy(update={"parent": shown}) for shown, real in skill_ids for child in menu.children if child.parent == real
    )
    varied = replace(menu, experts=shown_experts, skills=shown_skills, children=children)
    return Variation(varied, dict(expert_ids), dict(skill_ids))


class _Names:
    """Made-up ids that nobody has."""

    def __init__(self, rng: random.Random, taken: Iterable[str]) -> None:
        self._taken = set(taken)
        self._left = [f"{first}-{second}" for first in _FIRST for second in _SECOND]
        rng.shuffle(self._left)

    def new(self) -> str:
        """The next one."""
        name = self._left.pop()
        return name if name not in self._taken else self.new()


def _offered(menu: Menu, skills: Sequence[Skill], config: VariationConfig, rng: random.Random) -> list[Expert]:
    """The experts that stay. A skill that would be left with none gets its first one back."""
    drawn = {expert.id for expert in menu.experts if rng.random() >= config.expert_out}
    drawn |= {skill.experts[0] for skill in skills if drawn.isdisjoint(skill.experts)}
    used = {expert for skill in skills for expert in skill.experts}
    return [expert for expert in menu.experts if expert.id in drawn & used]


def _ids(
    cards: Sequence[Expert | Skill], config: VariationConfig, rng: random.Random, names: _Names, *, exchanged: bool
) -> list[tuple[str, str]]:
    """(id on the menu, id in the registry) of every card."""
    ids = [card.id for card in cards]
    shown = rng.sample(ids, len(ids)) if exchanged else list(ids)
    return [(names.new() if rng.random() < config.renamed else name, real) for name, real in zip(shown, ids, strict=True)]


def _ordered(ids: Sequence[tuple[str, str]], config: VariationConfig, rng: random.Random) -> list[tuple[str, str]]:
    return rng.sample(list(ids), len(ids)) if config.order else list(ids)


def _said(summary: str, config: VariationConfig, rng: random.Random) -> str:
    if rng.random() < config.neutral:
        return NEUTRAL
    return reworded(summary, rng) if rng.random() < config.reworded else summary
