"""How much of what a policy reads about the registry changes from task to task while it is trained."""

from __future__ import annotations

from pydantic import Field

from maestro.config import Config


class VariationConfig(Config):
    """Registry randomisation: a policy that meets another registry with every task has to read the menu, not to remember it."""

    share: float = Field(default=0.0, ge=0, le=1)
    """Share of the tasks that are met on a varied registry; 0 trains on the registry as it is."""
    order: bool = True
    """Experts and skills come in another order."""
    exchanged: float = Field(default=0.5, ge=0, le=1)
    """Chance that the experts' ids change hands, each card going with its model: an id then says nothing about what answers to it."""
    renamed: float = Field(default=0.3, ge=0, le=1)
    """Chance of each expert and skill to go by a made-up id."""
    reworded: float = Field(default=0.5, ge=0, le=1)
    """Chance of each card to say the same in other words."""
    neutral: float = Field(default=0.1, ge=0, le=1)
    """Chance of each card to say nothing."""
    misleading: float = Field(default=0.0, ge=0, le=1)
    """Chance that the experts' summaries, without their prices and models, change hands."""
    expert_out: float = Field(default=0.15, ge=0, le=1)
    """Chance of each expert not to be offered; a skill keeps one expert at least."""
    skill_out: float = Field(default=0.06, ge=0, le=1)
    """Chance of each skill not to be offered; one stays at least."""
    copied: float = Field(default=0.2, ge=0, le=1)
    """Chance that some expert, and apart from it some skill, is offered twice, the second time under a made-up id."""
