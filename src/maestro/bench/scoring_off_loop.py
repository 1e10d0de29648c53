"""What keeping the event loop free of scoring costs and brings: answers scored beside a caller that waits for each.

Cheap answers: `score_off_loop` beside `score`, cases per second of CPU time. Formulas, which an algebra process compares: how long the loop
stood still at most while thirty-two were scored at once, and how many were scored a second, beside scoring them on the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from maestro.bench.measurement import Bar, Measurement
from maestro.scoring import score, score_off_loop
from maestro.types import Task

Case = tuple[Task, str]
_CHEAP = Bar(0.5, of="ratio")
_PAUSE = Bar(0.5, of="ratio", least=False)
_TICK_SECONDS = 0.001


def measure(cheap: int = 5000, formulas: int = 96, rounds: int = 5) -> list[Measurement]:
    """Cases a second of cheap answers and of formulas, and the longest pause of the loop under formulas."""
    import math_verify  # noqa: F401 (an ImportError here names the extra)

    numbers = [(Task(id=str(n), question="?", references=(str(n),), profile="number"), str(n + n % 2)) for n in range(cheap)]
    figures: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in ("cheap", "formulas", "pause")}
    for round_ in range(rounds + 1):
        cases = _formulas(formulas, round_)
        off, on = (_loop(way, numbers, processor=True) for way in (score_off_loop, _on_loop))
        off_slow, on_slow = (_loop(way, cases[half::2]) for half, way in enumerate((score_off_loop, _on_loop)))
        if round_:  # the first one starts the processes
            for name, ours, theirs in (("cheap", off, on), ("formulas", off_slow, on_slow)):
                figures[name][0].append(1 / ours[0])
                figures[name][1].append(1 / theirs[0])
            figures["pause"][0].append(1000 * off_slow[1])
            figures["pause"][1].append(1000 * on_slow[1])
    return [
        Measurement.of("cheap answers, off the loop", "cases/s", figures["cheap"][0], "scored at once", figures["cheap"][1], _CHEAP),
        Measurement.of("formulas, off the loop", "cases/s", figures["formulas"][0], "scored on the loop", figures["formulas"][1]),
        Measurement.of("longest pause, formulas", "ms", figures["pause"][0], "scored on the loop", figures["pause"][1], _PAUSE),
    ]


async def _on_loop(task: Task, answer: str) -> object:
    return score(task, answer)


def _formulas(count: int, round_: int) -> list[Case]:
    """Different in every round, so that nothing is remembered; every second one is wrong."""
    first = 10_000 * round_
    pairs = [(first + n, first + n + n % 4 // 2) for n in range(count)]
    return [(_asking(rf"\frac{{{right}}}{{7}}"), rf"\boxed{{\frac{{{said}}}{{7}}}}") for right, said in pairs]


def _asking(reference: str) -> Task:
    return Task(id=reference, question="?", references=(reference,), profile="math_verify")


def _loop(way: Callable[[Task, str], Awaitable[object]], cases: Sequence[Case], *, processor: bool = False) -> tuple[float, float]:
    """Seconds a case, and the longest time in which the loop did nothing else. All cases are under way at once."""

    async def run() -> tuple[float, float]:
        over = asyncio.Event()
        pauses: list[float] = [0.0]

        async def watch() -> None:
            last = time.perf_counter()
            while not over.is_set():
                await asyncio.sleep(_TICK_SECONDS)
                now = time.perf_counter()
                pauses.append(now - last)
                last = now

        clock = time.process_time if processor else time.perf_counter
        watching = None if processor else asyncio.create_task(watch())
        await asyncio.sleep(0)
        began = clock()
        await asyncio.gather(*(way(task, answer) for task, answer in cases))
        spent = (clock() - began) / len(cases)
        over.set()
        if watching is not None:
            await watching
        return spent, max(pauses)

    return asyncio.run(run())
