"""A GRPO step whose groups share their prompt beside one that reads it once per member: the same work, the same numbers.

A step is what costs: generation of every member's completion, then forward and backward of the loss on it, one group at a
time, through the project's own generator and forward. Both sides carry only completion positions to the output layer, so what is
compared is sharing and nothing else. The model is untrained, a Qwen3-VL of six layers and width 256, on one thread; a quarter
of a prompt is a picture. Time is the thread's own, so a busy machine disturbs it less.
"""

from __future__ import annotations

import ctypes
import gc
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maestro.bench.measurement import Bar, Measurement
from maestro.train.prefix.group_work import GroupWork, untrained

ORIGINAL = (1024, 25, 8)
"""The original's proportions at a twelfth: a prompt of 12,288 tokens, completions of 300, groups of eight."""

CELLS = (ORIGINAL, (256, 25, 8))
"""Tokens of the prompt, tokens of a completion, members."""

TABLE = (
    *((prompt, completion, members) for prompt in (256, 1024, 2048) for completion in (25, 100, 400) for members in (2, 8)),
    (1024, 25, 4),
    (1024, 25, 16),
)
"""What `python benchmarks/shared_prefix.py --table` measures: half an hour and more."""


@dataclass
class Side:
    """What one side needed, round by round."""

    generation: list[float] = field(default_factory=list)
    update: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    """Peak of the update above what the process had before, in MB."""

    @property
    def rates(self) -> list[float]:
        """Steps a second."""
        return [1 / (one + other) for one, other in zip(self.generation, self.update, strict=True)]


def measure(cells: tuple[tuple[int, int, int], ...] = CELLS, rounds: int = 2) -> list[Measurement]:
    """Steps a second and peak memory of the update, for every (prompt, completion, members)."""
    model = untrained()
    found = []
    for prompt, completion, members in cells:
        work = GroupWork.draw(model, prompt, completion, members)
        sides = {False: Side(), True: Side()}
        for share in [True, *[False, True] * rounds]:  # the first one is not counted
            _step(work, model, sides[share], share=share)
        sides[True] = Side(*(figures[1:] for figures in (sides[True].generation, sides[True].update, sides[True].memory)))
        found += _measurements((prompt, completion, members), sides[True], sides[False])
    return found


def _measurements(cell: tuple[int, int, int], shared: Side, plain: Side) -> list[Measurement]:
    name = "{} + {} tokens x {}".format(*cell)
    bar = Bar(3, of="ratio") if cell == ORIGINAL else None
    generation, update = (
        ([1 / seconds for seconds in one], [1 / seconds for seconds in other])
        for one, other in ((shared.generation, plain.generation), (shared.update, plain.update))
    )
    return [
        Measurement.of(f"step, {name}", "steps/s", shared.rates, "plain", plain.rates, bar),
        Measurement.of(f"its generation, {name}", "/s", generation[0], "plain", generation[1]),
        Measurement.of(f"its update, {name}", "/s", update[0], "plain", update[1]),
        Measurement.of(f"its memory, {name}", "MB", shared.memory, "plain", plain.memory),
    ]


def _step(work: GroupWork, model: Any, side: Side, *, share: bool) -> None:
    """One step; its figures go to `side`."""
    started = time.process_time()
    completions = work.generate(model, share=share)
    side.generation.append(time.process_time() - started)
    before = _resident_after_reset()
    started = time.process_time()
    loss = work.update(model, completions, share=share)
    side.update.append(time.process_time() - started)
    side.memory.append(_status("VmHWM") - before)
    model.zero_grad(set_to_none=True)
    work.check(completions, loss)


def _resident_after_reset() -> float:
    """What the process holds, in MB, after giving back what it can; from here on the kernel looks for a new peak."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> float:
    """A figure of the kernel's about this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
