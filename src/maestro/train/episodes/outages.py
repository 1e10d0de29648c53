"""The plan of outages: who is out at a step follows from config, seed and step alone, so a resumed run has the same ones."""

from __future__ import annotations

from collections.abc import Sequence

from maestro.errors import ConfigError
from maestro.registry.menu import Menu
from maestro.rollout.episode import Performs
from maestro.rollout.outage import OutageEnsemble
from maestro.rollout.rerouting import ReroutingEnsemble
from maestro.train.config.outages import OutageConfig, OutageWindow
from maestro.train.seeding import generator


def check_outages(config: OutageConfig, menu: Menu) -> None:
    """Raise ConfigError for experts that the registry does not have."""
    known = [expert.id for expert in menu.experts]
    for window in config.windows:
        if unknown := [name for name in window.experts if name not in known]:
            raise ConfigError(f"ensemble.outages names {', '.join(unknown)}; the experts are {', '.join(known)}.")


def experts_out(config: OutageConfig, experts: Sequence[str], seed: int, stage: int, step: int) -> frozenset[str]:
    """Ids of the experts that are out at a step (round) of a stage."""
    out: set[str] = set()
    for place, window in enumerate(config.windows):
        if window.start <= step < window.end and window.stage in {None, stage}:
            out |= _of_window(window, experts, seed, place)
    return frozenset(out | {expert for expert in experts if _drawn(config, expert, seed, stage, step)})


def under_outages(ensemble: Performs, config: OutageConfig, out: frozenset[str]) -> Performs:
    """The ensemble as it is while `out` are out, with failures told to whom the config says."""
    drilled: Performs = OutageEnsemble(ensemble, out) if out else ensemble
    return ReroutingEnsemble(drilled) if config.told == "policy" else drilled


def _of_window(window: OutageWindow, experts: Sequence[str], seed: int, place: int) -> set[str]:
    if window.experts:
        return set(window.experts)
    count = max(1, round(window.share * len(experts)))
    return set(generator(seed, "outage window", place).sample(sorted(experts), min(count, len(experts))))


def _drawn(config: OutageConfig, expert: str, seed: int, stage: int, step: int) -> bool:
    """Whether the stretch of time that a step lies in is one without this expert; each expert's stretches begin at other steps."""
    if not config.random.share:
        return False
    shift = generator(seed, "outage shift", expert).randrange(config.random.steps)
    stretch = (step + shift) // config.random.steps
    return generator(seed, "outage", stage, expert, stretch).random() < config.random.share
