"""What `maestro headroom` is asked for, beyond the store or folder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click


class Weights(click.ParamType[tuple[float, ...]]):
    """Several cost weights, as `0,5,20`."""

    name = "weights"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Each once, in the order given. Raises BadParameter for what is no number from 0 on."""
        if isinstance(value, tuple):
            return value
        found: dict[float, None] = {}
        for part in str(value).split(","):
            try:
                number = float(part)
            except ValueError:
                self.fail(f"{part!r} is no number; write cost weights as 0,5,20.", param, ctx)
            if not (math.isfinite(number) and number >= 0):
                self.fail(f"{part} is no cost weight: dollars weigh 0 or more.", param, ctx)
            found[number] = None
        return tuple(found)


@dataclass(frozen=True)
class Asked:
    """The options."""

    splits: tuple[str, ...] = ()
    train: str | None = None
    prices: Path | None = None
    cost_weight: float = 20.0
    sweep: tuple[float, ...] | None = None
    """Cost weights at which everything is fitted and played as well."""
    chats: tuple[str, ...] = ()
    """Chat models that are prompted, by address or expert."""
    registry: str | None = None
    no_pictures: bool = False

    @property
    def needs_pictures(self) -> bool:
        """Whether anybody looks at pictures."""
        return bool(self.chats) or not self.no_pictures
