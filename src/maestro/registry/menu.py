"""The menu: what a policy is told about the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro.types import Expert, Skill


@dataclass(frozen=True)
class Menu:
    """Experts and level-1 skills that a policy may combine, in registry order."""

    experts: tuple[Expert, ...]
    skills: tuple[Skill, ...]
    """Level 1 only."""
    digest: str = ""
    dialect: str | None = None
    """How the registry wants a checkpoint to be spoken to that brings no dialect of its own."""
    children: tuple[Skill, ...] = ()
    """The level-2 skills below, for policies that judge a skill by what it dispatches to. No menu text shows them."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every allowed (expert id, skill id), skills in menu order."""
        return tuple((expert, skill.id) for skill in self.skills for expert in skill.experts)

    def allows(self, expert: str, skill: str) -> bool:
        """Whether this pair may be called."""
        return (expert, skill) in self._pair_set

    def expert_id(self, name: str) -> str | None:
        """The id that `name` stands for: an id exactly, or an alias in any case. None when it is neither."""
        return _resolve(name, self.experts)

    def skill_id(self, name: str) -> str | None:
        """The same for skills."""
        return _resolve(name, self.skills)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pair_set", frozenset(self.pairs))

    _pair_set = frozenset[tuple[str, str]]()


def _resolve(name: str, cards: Sequence[Expert | Skill]) -> str | None:
    if any(card.id == name for card in cards):
        return name
    folded = name.casefold()
    return next((card.id for card in cards if folded in (alias.casefold() for alias in card.aliases)), None)
