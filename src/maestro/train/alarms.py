"""A run that goes wrong says so: what is seen, and the likely cause."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from maestro.train.config import AlarmConfig


@dataclass(frozen=True)
class Alarm:
    """One thing that is going wrong."""

    name: Literal["nan", "collapse", "entropy", "decline", "grammar"]
    step: int
    message: str
    """What was measured and the likely cause."""
    fatal: bool
    """Training on makes no sense: `AlarmConfig.stop` ends the stage (a NaN always does)."""


class Alarms:
    """Watches the metrics of one stage, step by step.

    A condition must hold for `window` steps in a row before it sounds, and each alarm sounds once until its condition has
    gone away. State is plain data (`state`, `restore`), so that a resumed run sounds exactly the same alarms.
    """

    def __init__(self, config: AlarmConfig) -> None:
        self.config = config
        self._held: dict[str, int] = {}
        self._rewards: deque[float] = deque(maxlen=config.window)
        self._best: float | None = None

    def check(self, step: int, metrics: Mapping[str, float]) -> list[Alarm]:
        """Alarms that sound at this step. Reads `loss`, `reward`, `entropy`, `first_share`, `wellformed`; missing ones are skipped."""
        found: list[Alarm | None] = [self._nan(step, metrics)]
        if "first_share" in metrics:
            found.append(self._collapse(step, metrics))
        if "entropy" in metrics:
            found.append(self._entropy(step, metrics["entropy"]))
        if "wellformed" in metrics:
            found.append(self._grammar(step, metrics["wellformed"]))
        if "reward" in metrics and math.isfinite(metrics["reward"]):
            found.append(self._decline(step, metrics["reward"]))
        return [alarm for alarm in found if alarm is not None]

    def state(self) -> dict[str, object]:
        """What `restore` needs."""
        return {"held": dict(self._held), "rewards": list(self._rewards), "best": self._best}

    def restore(self, state: Mapping[str, object]) -> None:
        """Continue from a saved `state`."""
        self._held = dict(state["held"])  # type: ignore[call-overload]
        self._rewards = deque(state["rewards"], maxlen=self.config.window)  # type: ignore[call-overload]
        self._best = state["best"]  # type: ignore[assignment]

    def _sounds(self, name: str, holds: bool) -> bool:
        """Count how long a condition has held; true exactly when it reaches the window."""
        self._held[name] = self._held.get(name, 0) + 1 if holds else 0
        return self._held[name] == self.config.window

    def _nan(self, step: int, metrics: Mapping[str, float]) -> Alarm | None:
        bad = [name for name in ("loss", "reward", "entropy", "grad_norm") if name in metrics and not math.isfinite(metrics[name])]
        if not bad:
            return None
        return Alarm(
            "nan", step, f"{', '.join(bad)} is not a finite number: the learning rate is too high, or a reward is not finite.", fatal=True
        )

    def _collapse(self, step: int, metrics: Mapping[str, float]) -> Alarm | None:
        share = metrics["first_share"]
        if not self._sounds("collapse", share > self.config.collapse_share):
            return None
        return Alarm(
            "collapse",
            step,
            f"{share:.0%} of first actions are the same: the policy has stopped routing. Likely causes: learning rate too high, "
            "entropy bonus too small, or a cost weight that makes one cheap action the safe choice; stratified first calls help.",
            fatal=True,
        )

    def _entropy(self, step: int, entropy: float) -> Alarm | None:
        if not self._sounds("entropy", entropy < self.config.entropy_floor):
            return None
        return Alarm(
            "entropy",
            step,
            f"entropy {entropy:.4f} nats a token: hardly anything is explored any more. Likely causes: too many steps on few prompts, "
            "learning rate too high, no entropy bonus.",
            fatal=False,
        )

    def _grammar(self, step: int, wellformed: float) -> Alarm | None:
        if not self._sounds("grammar", wellformed < self.config.grammar_floor):
            return None
        return Alarm(
            "grammar",
            step,
            f"only {wellformed:.0%} of episodes are well formed: the grammar is being lost. Likely causes: learning rate too high, "
            "format weight too small, or an answer turn that no reward looks at.",
            fatal=True,
        )

    def _decline(self, step: int, reward: float) -> Alarm | None:
        self._rewards.append(reward)
        if len(self._rewards) < self.config.window:
            return None
        smooth = sum(self._rewards) / len(self._rewards)
        self._best = smooth if self._best is None else max(self._best, smooth)
        if not self._sounds("decline", smooth < self._best - self.config.decline):
            return None
        return Alarm(
            "decline",
            step,
            f"reward {smooth:.3f} has fallen from {self._best:.3f} (mean of {self.config.window} steps). Likely causes: learning rate too "
            "high, or the policy drifts off what the warm start taught (copying); the best checkpoint is kept.",
            fatal=True,
        )
