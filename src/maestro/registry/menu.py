"""The menu: what a policy is told about the registry."""

from __future__ import annotations

from dataclasses import dataclass

from maestro.types import Expert, Skill


@dataclass(frozen=True)
class Menu:
    """Experts and level-1 skills that a policy may combine, in registry order."""

    experts: tuple[Expert, ...]
    skills: tuple[Skill, ...]
    """Level 1 only."""
    digest: str = ""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every allowed (expert id, skill id), skills in menu order."""
        return tuple((expert, skill.id) for skill in self.skills for expert in skill.experts)

    def allows(self, expert: str, skill: str) -> bool:
        """Whether this pair may be called."""
        return (expert, skill) in self._pair_set

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pair_set", frozenset(self.pairs))

    _pair_set = frozenset[tuple[str, str]]()
