"""In which order training visits the tasks."""

from __future__ import annotations

from collections.abc import Sequence

from maestro.errors import ConfigError
from maestro.train.config.run import ExpertIterationStage, GrpoStage, TrainConfig
from maestro.train.seeding import generator
from maestro.types import Task


class TaskOrder:
    """Endless passes over the tasks, each in its own random order, cut into portions of `portion` tasks; the n-th is always the same.

    No portion has a task twice: its members' draws would be the same ones again. What of a pass is too little for a portion is left
    out; the next pass is in another order.
    """

    def __init__(self, tasks: Sequence[Task], seed: int, portion: int) -> None:
        self.tasks = tasks
        self.seed = seed
        self.portion = portion
        self._passes: dict[int, list[int]] = {}

    def at(self, number: int) -> list[Task]:
        """The tasks of portion `number`."""
        turn, place = divmod(number, len(self.tasks) // self.portion)
        return [self.tasks[index] for index in self._pass(turn)[place * self.portion : (place + 1) * self.portion]]

    def _pass(self, number: int) -> list[int]:
        if number not in self._passes:
            order = list(range(len(self.tasks)))
            generator(self.seed, "pass", number).shuffle(order)
            self._passes = {number: order}
        return self._passes[number]


def check_enough(config: TrainConfig, tasks: Sequence[Task]) -> None:
    """Whether the training split has the tasks of one step (round) of every stage. Raises ConfigError."""
    wanted = {
        f"stages.{index}.{'prompts' if isinstance(stage, GrpoStage) else 'tasks_per_round'}": (
            stage.prompts if isinstance(stage, GrpoStage) else stage.tasks_per_round
        )
        for index, stage in enumerate(config.stages)
        if isinstance(stage, GrpoStage | ExpertIterationStage)
    }
    short = [f"{name} asks for {count}" for name, count in wanted.items() if count > len(tasks)]
    if short:
        raise ConfigError(
            f"{config.tasks.source}/{config.tasks.train} has {len(tasks)} tasks to train on, and {', '.join(short)} different ones at a "
            "time. Lower that, raise tasks.train_limit, or bring more tasks."
        )
