"""Training as it happens: a bar, the numbers, and little curves, in the terminal."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from maestro.cli.output import console, warn

if TYPE_CHECKING:
    from rich.console import RenderableType

    from maestro.train.alarms.watch import Alarm

_BLOCKS = "▁▂▃▄▅▆▇█"
_WIDTH = 56
_LINE_SECONDS = 15.0
"""How often a line is printed where there is no terminal."""


def sparkline(values: Sequence[float], width: int = _WIDTH) -> str:
    """The values as a row of blocks, the newest on the right; longer rows are averaged down to `width`."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    if len(finite) > width:
        edges = [round(index * len(finite) / width) for index in range(width + 1)]
        finite = [sum(finite[low:high]) / (high - low) for low, high in itertools.pairwise(edges)]
    low, high = min(finite), max(finite)
    if high == low:
        return _BLOCKS[3] * len(finite)
    return "".join(_BLOCKS[min(7, int(8 * (value - low) / (high - low)))] for value in finite)


class LiveCurves:
    """Watches a training run (it is a `maestro.train.progress.Progress`): shows curves now and keeps them for the report."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.curves: dict[str, list[tuple[float, float]]] = {}
        """Name to (seconds since the start, value)."""
        self._stage = ""
        self._rounds = False
        self._done = self._steps = 0
        self._printed = 0.0
        self._live: Any = None

    def __enter__(self) -> Self:
        out = console(stderr=True)
        if out.is_terminal:
            from rich.live import Live

            self._live = Live(self._shown(), console=out, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def stage(self, index: int, kind: str, steps: int, done: int) -> None:
        """A new stage."""
        self._stage, self._steps, self._done = f"{index + 1}. {kind.replace('_', ' ')}", steps, done
        self._rounds = kind in {"expert_iteration", "fitted_q"}
        self._show(force=True)

    def step(self, record: Mapping[str, Any]) -> None:
        """Keep the numbers of a record and show them."""
        seconds = time.monotonic() - self.started
        if record["kind"] in {"step", "round"}:
            self._done = int(record["step"]) if (record["kind"] == "round") == self._rounds else self._done
        for name, value in _watched(record).items():
            self.curves.setdefault(name, []).append((seconds, value))
        self._show(force=record["kind"] in {"validation", "probe"})

    def alarm(self, alarm: Alarm) -> None:
        """Say it."""
        warn(f"step {alarm.step}: {alarm.name}: {alarm.message}")

    def utility(self) -> dict[str, list[tuple[float, float]]]:
        """The curves that are utilities on held-out questions, for the report."""
        return {name: line for name, line in self.curves.items() if name.startswith("utility") and line}

    def _show(self, *, force: bool) -> None:
        if self._live is not None:
            self._live.update(self._shown())
            return
        now = time.monotonic()
        if force or (not self._rounds and now - self._printed > _LINE_SECONDS):  # a look follows every round, and tells all of it
            self._printed = now
            numbers = "  ".join(f"{name} {line[-1][1]:.3f}" for name, line in self.curves.items())
            console(stderr=True).print(f"  {now - self.started:4.0f} s  {self._stage}  {self._done}/{self._steps}  {numbers}", markup=False)

    def _shown(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 2))
        for name, line in self.curves.items():
            values = [value for _, value in line]
            grid.add_row(Text(name, style="dim"), Text(sparkline(values), style="cyan"), Text(f"{values[-1]:.3f}"))
        seconds = time.monotonic() - self.started
        head = Text(f"{self._stage or 'preparing'}   {self._done}/{self._steps}   {seconds:.0f} s", style="bold")
        return Group(head, ProgressBar(total=max(1, self._steps), completed=self._done, width=_WIDTH + 24), grid)


def _watched(record: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a training record worth a curve, by the name they are shown under."""
    found: dict[str, float] = {}
    if record["kind"] == "validation":
        for mode in ("greedy", "sampled"):
            value = (record.get(mode) or {}).get("utility")
            if value is not None:
                found[f"utility, {mode}"] = float(value)
    elif record["kind"] == "probe":
        found = {name: float(record[name]) for name in ("grammar", "topic", "look", "copy") if isinstance(record.get(name), int | float)}
    elif record["kind"] in {"step", "round"}:
        found = {name: float(record[name]) for name in ("loss", "reward") if isinstance(record.get(name), int | float)}
    return {name: value for name, value in found.items() if math.isfinite(value)}
