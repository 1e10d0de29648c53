"""Figures as files for papers and slides, PDF and PNG, drawn by matplotlib. The report draws its own as SVG."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from maestro.errors import MissingDependency
from maestro.evaluate.compare import PairedTest
from maestro.evaluate.curves import Point
from maestro.evaluate.results import Result
from maestro.evaluate.scorecard import Scorecard
from maestro.evaluate.sections import Curve

BLUE, ORANGE, GREY = "#2f6fde", "#d9622b", "#6b7280"
DPI = 200


def require_matplotlib() -> None:
    """Raise MissingDependency before anything is run when figures could not be drawn."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingDependency("figures as files need matplotlib; install it with: pip install 'maestro-orchestrator[eval]'")


def scorecard_plots(folder: Path, card: Scorecard, results: Sequence[Result]) -> list[Path]:
    """Accuracy by category with intervals, and the share of questions done within a time. Raises MissingDependency."""
    height = 0.9 + 0.3 * (len(card.categories) + 1)
    return [
        *_drawn(folder, "accuracy", (6.4, height), lambda axes: _categories(axes, card)),
        *_drawn(folder, "latency", (4.8, 3.2), lambda axes: _latency(axes, results)),
    ]


def comparison_plots(folder: Path, tests: Sequence[PairedTest], curves: Sequence[Curve], alpha: float) -> list[Path]:
    """Every paired difference with its interval, and cost against accuracy of each benchmark. Raises MissingDependency."""
    made = _drawn(folder, "differences", (6.4, 0.9 + 0.34 * len(tests)), lambda axes: _differences(axes, tests, alpha))
    for number, curve in enumerate(curves, 1):
        made += _drawn(folder, f"cost-accuracy-{number}", (5.2, 3.8), partial(_cost_accuracy, curve=curve))
    return made


def dial_plot(folder: Path, name: str, systems: Mapping[str, tuple[Sequence[Point], Sequence[Point]]]) -> list[Path]:
    """Cost against score of systems that have a dial: each with its points and a line through its best. Raises MissingDependency."""
    return _drawn(folder, name, (5.6, 4.0), lambda axes: _dials(axes, systems))


def _dials(axes: Any, systems: Mapping[str, tuple[Sequence[Point], Sequence[Point]]]) -> None:
    colours = [BLUE, ORANGE, "#2a9d6f", "#8a5fc7", GREY]
    most = max(1000 * cost for points, _ in systems.values() for cost, _ in points)
    for place, (name, (points, line)) in enumerate(systems.items()):
        colour = colours[place % len(colours)]
        axes.plot(*zip(*((1000 * cost, 100 * score) for cost, score in points), strict=True), "o", color=colour, markersize=4, alpha=0.75)
        corners = [*((1000 * cost, 100 * score) for cost, score in line), (most, 100 * line[-1][1])]
        axes.plot(*zip(*corners, strict=True), color=colour, linewidth=1.3, label=_plain(name))
    axes.grid(linewidth=0.4)
    axes.legend(fontsize=7, frameon=False, loc="center right")
    axes.set_xlabel(_plain("cost, $ per 1000 questions"), fontsize=8)
    axes.set_ylabel("score, %", fontsize=8)


def _drawn(folder: Path, name: str, size: tuple[float, float], draw: Callable[[Any], None]) -> list[Path]:
    """Draw one figure and write it in both formats."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    draw(axes)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.pdf", folder / f"{name}.png"]
    for path in paths:
        figure.savefig(path, dpi=DPI)
    return paths


def _categories(axes: Any, card: Scorecard) -> None:
    rows = [(_plain(name.replace("_", " ")), one.bootstrap) for name, one in card.categories.items()]
    rows += [("macro", card.macro), ("micro", card.overall.bootstrap)]
    for place, (name, found) in enumerate(reversed(rows)):
        colour = ORANGE if name in {"macro", "micro"} else BLUE
        axes.plot([100 * found.low, 100 * found.high], [place, place], color=colour, linewidth=1.6)
        axes.plot(100 * found.mean, place, "o", color=colour, markersize=5)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    axes.set_xlim(-1, 101)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(axis="x", linewidth=0.4)
    axes.set_xlabel("accuracy, % (95 % interval)", fontsize=8)


def _latency(axes: Any, results: Sequence[Result]) -> None:
    seconds = sorted(result.seconds for result in results)
    axes.step(seconds, [100 * (place + 1) / len(seconds) for place in range(len(seconds))], where="post", color=BLUE)
    if seconds[-1] > 20 * max(seconds[len(seconds) // 2], 1e-9):
        axes.set_xscale("symlog", linthresh=max(seconds[len(seconds) // 2], 1e-6))
    axes.set_ylim(0, 101)
    axes.grid(linewidth=0.4)
    axes.set_xlabel("seconds a question", fontsize=8)
    axes.set_ylabel("% of questions done", fontsize=8)


def _differences(axes: Any, tests: Sequence[PairedTest], alpha: float) -> None:
    for place, test in enumerate(reversed(tests)):
        found = test.pair.difference
        colour = BLUE if test.significant(alpha) else GREY
        axes.plot([100 * found.low, 100 * found.high], [place, place], color=colour, linewidth=1.6)
        axes.plot(100 * found.mean, place, "o", color=colour, markersize=5)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(tests)), [_plain(f"{test.ours} − {test.theirs}\n{test.benchmark}") for test in reversed(tests)])
    axes.set_ylim(-0.7, len(tests) - 0.3)
    axes.grid(axis="x", linewidth=0.4)
    axes.set_xlabel("difference, points (95 % interval; grey: not significant after Holm)", fontsize=8)


def _cost_accuracy(axes: Any, curve: Curve) -> None:
    corners = [(1000 * cost, 100 * quality) for cost, quality in curve.corners]
    most = max(1000 * one.cost_usd for one in curve.points)
    axes.plot(*zip(*[*corners, (most, corners[-1][1])], strict=True), color=GREY, linewidth=1, linestyle="--", zorder=1)
    for one in curve.points:
        x, y = 1000 * one.cost_usd, 100 * one.accuracy.mean
        colour = BLUE if curve.on_front(one) else GREY
        axes.plot([x, x], [100 * one.accuracy.low, 100 * one.accuracy.high], color=colour, linewidth=1.4)
        axes.plot(x, y, "o", color=colour, markersize=5)
        axes.annotate(_plain(one.name), (x, y), xytext=(5, 4), textcoords="offset points", fontsize=7)
    axes.margins(x=0.18)
    axes.grid(linewidth=0.4)
    axes.set_xlabel("cost, $ per 1000 questions", fontsize=8)
    axes.set_ylabel("accuracy, %", fontsize=8)
    axes.set_title(f"{_plain(curve.benchmark)} (dashed: hull)", fontsize=8)


def _plain(text: str) -> str:
    """Text that matplotlib does not read as mathematics."""
    return text.replace("$", r"\$")
