"""What `maestro eval --sweep` varies, and the settings it comes to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maestro.errors import ConfigError, not_found
from maestro.registry.menu import Menu
from maestro.rollout.limits import Limits


@dataclass(frozen=True)
class Setting:
    """One point of a sweep."""

    name: str
    limits: Limits
    told_cost_weight: float | None = None
    """What the policy reads in its prompt; None where it is told none."""
    dearest_left_out: int = 0
    """So many of the dearest experts are not on offer."""


@dataclass(frozen=True)
class SweepPlan:
    """The settings of one thing that is varied."""

    what: str
    settings: tuple[Setting, ...]


def _turns(value: float, limits: Limits) -> Setting:
    return Setting(f"{value:g}", limits.model_copy(update={"turns": _whole(value, 1)}))


def _budget(value: float, limits: Limits) -> Setting:
    return Setting(f"${value:g}", limits.model_copy(update={"cost_usd": value}))


def _weight(value: float, limits: Limits) -> Setting:
    return Setting(f"{value:g}", limits, told_cost_weight=value)


def _dearest(value: float, limits: Limits) -> Setting:
    return Setting(f"{value:g}", limits, dearest_left_out=_whole(value, 0))


KINDS: Mapping[str, tuple[str, Callable[[float, Limits], Setting]]] = {
    "turns": ("turns", _turns),
    "budget": ("budget", _budget),
    "cost-weight": ("cost weight", _weight),
    "without-dearest": ("dearest experts left out", _dearest),
}
"""By what is written: what the report calls it, and how a value becomes a setting."""


def read_sweep(text: str, limits: Limits) -> SweepPlan:
    """`KIND=V,V,…` as settings that otherwise have these limits. Raises ConfigError saying what can be swept."""
    kind, equals, listed = text.partition("=")
    if kind not in KINDS:
        raise ConfigError(not_found("thing to sweep", kind, KINDS, "Write it as turns=1,2,3,4 or budget=0.001,0.01."))
    if not equals or not listed:
        raise ConfigError(f"--sweep {text}: name the values as well, as in {kind}=1,2,3.")
    what, made = KINDS[kind]
    values = dict.fromkeys(_number(part, text) for part in listed.split(","))
    return SweepPlan(what, tuple(made(value, limits) for value in values))


def cheaper(menu: Menu, left_out: int) -> frozenset[str]:
    """The experts on offer but for so many of the dearest. Raises ConfigError when none would be left."""
    cards = {card.id: card.price for card in menu.experts}
    offered = list(dict.fromkeys(expert for expert, _ in menu.pairs))
    if left_out >= len(offered):
        raise ConfigError(f"without its {left_out} dearest experts nobody is left of the {len(offered)} on offer.")
    dear = sorted(offered, key=lambda name: (cards[name].call_usd, cards[name].output_mtok_usd, cards[name].input_mtok_usd, name))
    return frozenset(dear[: len(dear) - left_out])


def _number(part: str, text: str) -> float:
    try:
        value = float(part)
    except ValueError as error:
        raise ConfigError(f"--sweep {text}: {part!r} is no number.") from error
    if not (math.isfinite(value) and value >= 0):
        raise ConfigError(f"--sweep {text}: {part} is not a finite number of 0 or more.")
    return value


def _whole(value: float, least: int) -> int:
    if value != int(value) or value < least:
        raise ConfigError(f"{value:g} cannot be swept: it has to be a whole number of {least} or more.")
    return int(value)
