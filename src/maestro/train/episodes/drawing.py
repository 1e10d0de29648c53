"""One step's (round's) episodes: sampled under the step's outages, drawn again where that is due, recorded and summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from maestro.train.bench import Workbench
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.encounters import Encounter, encounter
from maestro.train.episodes.outages import experts_out, under_outages
from maestro.train.episodes.resampling import Drawn, draw_groups
from maestro.train.episodes.step_numbers import step_numbers
from maestro.types import Task


def draw_step(
    bench: Workbench, tasks: Sequence[Task], members: int, turn: int, forced: int, signal: SignalConfig, *, again: float = 0.0
) -> Drawn:
    """The groups of step (round) `turn` of the current stage, all of what was drawn written to episodes.jsonl.

    `forced` members of each group begin with calls that are spread over experts, see `Sampler.groups`.
    """
    sampler, first = bench.sampler, turn * members
    with outages(bench, turn), encounters(bench, turn):
        groups = sampler.groups(tasks, members, first, forced, bench.config.seed, "stratum", bench.position.stage, again=again)
        drawn = draw_groups(sampler.episodes, tasks, groups, first, signal)
    bench.record(bench.processes.collect(drawn.everything))
    return drawn


def drawn_numbers(bench: Workbench, drawn: Drawn, turn: int, signal: SignalConfig) -> dict[str, Any]:
    """Everything that metrics.jsonl says about a step's episodes."""
    return step_numbers(bench.config, bench.sampler.ensemble.menu, bench.oracle, drawn, (bench.position.stage, turn), signal)


def met_at(bench: Workbench, turn: int, task: Task) -> Encounter:
    """How a task is met at a step (round) of the current stage."""
    return encounter(bench.config, bench.sampler.ensemble.menu, bench.position.stage, turn, task)


def out_at(bench: Workbench, turn: int) -> frozenset[str]:
    """Ids of the experts that the config takes away at a step (round) of the current stage."""
    experts = [expert.id for expert in bench.sampler.ensemble.menu.experts]
    return experts_out(bench.config.ensemble.outages, experts, bench.config.seed, bench.position.stage, turn)


@contextmanager
def encounters(bench: Workbench, turn: int) -> Iterator[None]:
    """Tasks are met meanwhile as the step draws them; looks at the validation split meet the registry as it is."""
    bench.sampler.meets = lambda task: met_at(bench, turn, task)
    try:
        yield
    finally:
        bench.sampler.meets = None


@contextmanager
def outages(bench: Workbench, turn: int) -> Iterator[None]:
    """Episodes that are sampled meanwhile meet the step's outages; looks at the validation split do not."""
    sampler = bench.sampler
    whole = sampler.ensemble
    sampler.ensemble = under_outages(whole, bench.config.ensemble.outages, out_at(bench, turn))
    try:
        yield
    finally:
        sampler.ensemble = whole
