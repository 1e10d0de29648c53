"""Low-rank adapters: what is trained instead of all weights."""

from __future__ import annotations

from pydantic import Field

from maestro.config import Config

LANGUAGE = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Projections of the language layers; the vision tower's have other names."""


class LoraConfig(Config):
    """Adapters on the named projections; everything else is frozen."""

    rank: int = Field(default=32, ge=1)
    alpha: float = Field(default=64.0, gt=0)
    """What the adapters add is scaled by alpha / rank."""
    targets: tuple[str, ...] = Field(default=LANGUAGE, min_length=1)
    """Names of the linear layers that get one."""
