"""A run that goes wrong says so: what is seen, the likely cause, and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro.train.alarms.rules import NOT_FINITE, RULES, Reading, Rule
from maestro.train.config.alarms import AlarmConfig


@dataclass(frozen=True)
class Alarm:
    """One thing that is going wrong."""

    name: str
    step: int
    measured: str
    cause: str
    """Likely ones."""
    advice: str
    fatal: bool
    """Training on makes no sense: `AlarmConfig.stop` ends the run (a NaN always does)."""

    @property
    def message(self) -> str:
        """All of it in a line."""
        return f"{self.measured}. Likely cause: {self.cause}. {self.advice}."

    def record(self) -> dict[str, Any]:
        """As metrics.jsonl has it."""
        said = {"measured": self.measured, "cause": self.cause, "advice": self.advice, "message": self.message}
        return {"alarm": self.name, **said, "fatal": self.fatal}


class Alarms:
    """Watches the metrics of one stage, step by step.

    A condition must hold for `window` steps in a row before it sounds, and each alarm sounds once until its condition has
    gone away. State is plain data (`state`, `restore`), so that a resumed run sounds exactly the same alarms.
    """

    def __init__(self, config: AlarmConfig, *, experts: int = 2, skills: int = 2) -> None:
        """`experts` and `skills` are how many are offered: a share of one of one says nothing."""
        self.config = config
        self.offered = {"experts": experts, "skills": skills}
        self._held: dict[str, int] = {}
        self._lately: dict[str, list[float]] = {}
        self._best: dict[str, float] = {}

    def check(self, step: int, metrics: Mapping[str, Any], *, rounds: bool = False) -> list[Alarm]:
        """Alarms that sound at this step. A rule whose numbers are missing is skipped. `rounds`: these are metrics of a whole round."""
        window = self.config.rounds if rounds else self.config.window
        bad = _not_finite(metrics)
        known = [rule for rule in RULES if metrics.get(rule.reads) is not None and rule.reads not in bad]
        if metrics.get("infrastructure_share", 0.0) > self.config.infrastructure_share:
            known = [rule for rule in known if rule.whole]  # what survives an outage is a selection: it accuses the policy of the outage
        found = [self._not_finite(step, bad) if bad else None, *(self._checked(rule, step, metrics, window) for rule in known)]
        return [alarm for alarm in found if alarm is not None]

    def state(self) -> dict[str, object]:
        """What `restore` needs."""
        return {"held": dict(self._held), "lately": {name: list(values) for name, values in self._lately.items()}, "best": dict(self._best)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved `state`."""
        self._held, self._best = dict(state["held"]), dict(state["best"])
        self._lately = {name: list(values) for name, values in state["lately"].items()}

    def _checked(self, rule: Rule, step: int, metrics: Mapping[str, Any], window: int) -> Alarm | None:
        """The alarm of a rule when its condition has just held for the whole window."""
        reading = self._reading(rule, metrics, window)
        holds = reading is not None and rule.holds(reading, self.config)
        window = 1 if rule.at_once else window
        self._held[rule.name] = self._held.get(rule.name, 0) + 1 if holds else 0
        if reading is None or self._held[rule.name] != window:
            return None
        return Alarm(rule.name, step, rule.measured(reading), rule.cause, rule.advice, rule.fatal)

    def _reading(self, rule: Rule, metrics: Mapping[str, Any], window: int) -> Reading | None:
        """What a rule judges; None while a smoothed one has seen too little."""
        if not rule.smoothed:
            return Reading(metrics[rule.reads], metrics, self.offered)
        lately = [*self._lately.get(rule.name, []), float(metrics[rule.reads])][-window:]
        self._lately[rule.name] = lately
        if len(lately) < window:
            return None
        smooth = sum(lately) / len(lately)
        better = max if rule.best == "highest" else min
        self._best[rule.name] = better(self._best.get(rule.name, smooth), smooth)
        return Reading(smooth, metrics, self.offered, self._best[rule.name])

    def _not_finite(self, step: int, names: Sequence[str]) -> Alarm:
        measured = f"{', '.join(names)} is not a finite number"
        return Alarm("nan", step, measured, NOT_FINITE.cause, NOT_FINITE.advice, fatal=True)


def _not_finite(metrics: Mapping[str, Any]) -> list[str]:
    watched = ("loss", "reward", "entropy", "grad_norm", "kl", "drift")
    return [name for name in watched if isinstance(metrics.get(name), float) and not math.isfinite(metrics[name])]
