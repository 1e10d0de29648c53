"""How a task is met in training: on which registry, and at which price of a dollar. It follows from config, stage, step and task."""

from __future__ import annotations

import math
from dataclasses import dataclass

from maestro.policy.protocol import Opening
from maestro.registry.menu import Menu
from maestro.rollout.episode import Performs
from maestro.train.config.run import TrainConfig
from maestro.train.seeding import generator
from maestro.train.variation.ensemble import VariedEnsemble
from maestro.train.variation.menu import Variation, vary
from maestro.types import Call, Episode, Task


@dataclass(frozen=True)
class Encounter:
    """A drawn meeting with one task, the same for every member of its group."""

    cost_weight: float | None = None
    """Told to the policy, and what a dollar of the episode counts; None tells nothing."""
    variation: Variation | None = None
    """None: the registry as it is."""

    def ensemble(self, plain: Performs) -> Performs:
        """What performs the calls."""
        return plain if self.variation is None else VariedEnsemble(plain, self.variation)

    def menu(self, plain: Menu) -> Menu:
        """What the policy reads."""
        return plain if self.variation is None else self.variation.menu

    def opening(self, task: Task, plain: Menu) -> Opening:
        """What the policy's session begins with."""
        return Opening(task.unanswered(), self.menu(plain), cost_weight=self.cost_weight)

    def original(self, episode: Episode) -> Episode:
        """The episode with its calls in the registry's own ids, for whoever counts experts."""
        if self.variation is None:
            return episode
        turns = [
            turn.model_copy(update={"action": self.variation.original(turn.action)})
            if isinstance(turn.action, Call) and self.variation.allows(turn.action)
            else turn
            for turn in episode.turns
        ]
        return episode.model_copy(update={"turns": tuple(turns)})


def told(config: TrainConfig) -> float | None:
    """The cost weight that the policy is told where none is drawn."""
    return config.reward.cost_weight if config.dial.high else None


def encounter(config: TrainConfig, menu: Menu, stage: int, turn: int, task: Task) -> Encounter:
    """How a task is met at a step (round) of a stage."""
    variation, dial = config.ensemble.variation, config.dial
    rng = generator(config.seed, "encounter", stage, turn, task.id)
    weight = told(config)
    if dial.high and rng.random() >= dial.usual:
        weight = float(f"{math.exp(rng.uniform(math.log(dial.low), math.log(dial.high))):.2g}")
    varied = vary(menu, variation, rng) if rng.random() < variation.share else None
    return Encounter(weight, varied)
