"""How a run is watched while it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from maestro.train.alarms.watch import Alarm

CURVES = ("utility", "accuracy", "calls", "information", "wellformed")
"""Numbers of a look at the validation split that make up the learning curve."""


class Progress(Protocol):
    """Told what happens, from the training thread; keep it short."""

    def stage(self, index: int, kind: str, steps: int, done: int) -> None:
        """A stage of `steps` optimiser steps begins, `done` of them behind it (more than none after a resume)."""
        ...

    def step(self, record: Mapping[str, Any]) -> None:
        """One record of metrics.jsonl: `kind` says of what (`step`, `round`, `validation`, `probe`)."""
        ...

    def alarm(self, alarm: Alarm) -> None:
        """Something goes wrong."""
        ...


class Silent:
    """Watches nothing."""

    def stage(self, index: int, kind: str, steps: int, done: int) -> None:
        """Nothing."""

    def step(self, record: Mapping[str, Any]) -> None:
        """Nothing."""

    def alarm(self, alarm: Alarm) -> None:
        """Nothing."""
