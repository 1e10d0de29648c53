"""What metrics.jsonl says about the episodes of one step (round), whichever engine sampled them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from maestro.registry.menu import Menu
from maestro.train.config.run import TrainConfig
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.encounters import Encounter, encounter, told
from maestro.train.episodes.metrics import summarise
from maestro.train.episodes.oracle import Oracle
from maestro.train.episodes.outages import experts_out
from maestro.train.episodes.resampling import Drawn, signal_numbers


def step_numbers(
    config: TrainConfig, menu: Menu, oracle: Oracle | None, drawn: Drawn, place: tuple[int, int], signal: SignalConfig
) -> dict[str, Any]:
    """Means, shares and counts over a step's groups; `place` is (stage, step).

    Experts and skills are those of the registry, also behind varied menus. The oracle judges what met the registry as it is.
    """
    met = {task.id: encounter(config, menu, *place, task) for task in drawn.tasks}
    tasks = [task for task, group in zip(drawn.tasks, drawn.groups, strict=True) for _ in group]
    drawn = replace(
        drawn,
        groups=[[met[task.id].original(member) for member in group] for task, group in zip(drawn.tasks, drawn.groups, strict=True)],
        replaced=[met[lost.task_id].original(lost) for lost in drawn.replaced],
    )
    usual = [(task, member) for task, member in zip(tasks, drawn.members, strict=True) if met[task.id] == Encounter(told(config))]
    gap = oracle.numbers(*zip(*usual, strict=True)) if oracle is not None and usual else {}
    out = experts_out(config.ensemble.outages, [expert.id for expert in menu.experts], config.seed, *place)
    return {**summarise(tasks, drawn.members), **gap, **signal_numbers(drawn, signal), "out": sorted(out)}
