"""Accuracy against cost by sweep: the same systems at several settings (a weight of cost, a budget, a limit), a curve for each system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from maestro.evaluate import figures
from maestro.evaluate.curves import aiq, hull, pareto_front, router_arena
from maestro.evaluate.report import Figure, Table
from maestro.evaluate.results import Summary
from maestro.evaluate.statistics import Interval
from maestro.evaluate.table import percent


@dataclass(frozen=True)
class SweptPoint:
    """One system at one setting."""

    system: str
    setting: str
    cost_usd: float
    """A question."""
    accuracy: Interval
    calls: float
    """A question."""

    @classmethod
    def of(cls, system: str, setting: str, summary: Summary) -> SweptPoint:
        """From the summary of an evaluation."""
        return cls(system, setting, summary.cost_usd.mean, summary.accuracy, summary.calls.mean)

    @property
    def place(self) -> tuple[float, float]:
        """(cost, accuracy)."""
        return (self.cost_usd, self.accuracy.mean)


@dataclass(frozen=True)
class Sweep:
    """Several systems at the settings of one thing that was varied."""

    what: str
    """What was varied: `cost weight`, `turns`, …"""
    points: tuple[SweptPoint, ...]

    @cached_property
    def systems(self) -> dict[str, tuple[SweptPoint, ...]]:
        """Points by system, both in the order in which they were made."""
        return {name: tuple(one for one in self.points if one.system == name) for name in dict.fromkeys(p.system for p in self.points)}

    @cached_property
    def largest(self) -> float:
        """The largest cost of all: the code of RouterBench extends every hull to it."""
        return max(one.cost_usd for one in self.points)

    @property
    def varies(self) -> bool:
        """Whether there are two costs at all; without, no curve has an area."""
        return len({one.cost_usd for one in self.points}) > 1

    @cached_property
    def front(self) -> list[tuple[float, float]]:
        """Points that no system beats at any setting."""
        return pareto_front([one.place for one in self.points])

    def tables(self) -> list[Table]:
        """Every point, then what every curve comes to."""
        return [self._point_table(), self._curve_table()]

    def figure(self) -> Figure:
        """Cost against accuracy, a line a system."""
        lines = {name: [(1000 * one.cost_usd, one.accuracy.mean, one.setting) for one in found] for name, found in self.systems.items()}
        front = [(1000 * cost, quality) for cost, quality in self.front]
        note = "A point a setting, joined in the order of cost. Dashed: what nothing beats."
        return Figure(f"Cost and accuracy by {self.what}", figures.trade_offs(lines, front), note)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what,
            "front": [{"cost_usd": cost, "accuracy": quality} for cost, quality in self.front],
            "largest_cost_usd": self.largest,
            "systems": {name: self._system_dict(found) for name, found in self.systems.items()},
        }

    def _system_dict(self, found: Sequence[SweptPoint]) -> dict[str, Any]:
        places = [one.place for one in found]
        area = aiq(places, self.largest)
        points = [
            {
                "setting": one.setting,
                "cost_usd": one.cost_usd,
                "accuracy": one.accuracy.as_dict(),
                "calls": one.calls,
                "on_front": one.place in self.front,
                "router_arena": router_arena(1000 * one.cost_usd, one.accuracy.mean),
            }
            for one in found
        ]
        return {"aiq_paper": area.paper, "aiq_code": area.code, "hull": hull(places), "points": points}

    def _point_table(self) -> Table:
        """A row a point; settings that come to the same stand in one row."""
        settings: dict[tuple[str, float, float, float], list[str]] = {}
        points: dict[tuple[str, float, float, float], SweptPoint] = {}
        for one in self.points:
            key = (one.system, *one.place, one.calls)
            settings.setdefault(key, []).append(one.setting)
            points.setdefault(key, one)
        rows = [
            (
                one.system,
                ", ".join(settings[key]),
                percent(one.accuracy),
                f"{1000 * one.cost_usd:.3f}",
                f"{one.calls:.2f}",
                "yes" if one.place in self.front else "",
            )
            for key, one in points.items()
        ]
        columns = ("system", self.what, "accuracy", "$ per 1000", "calls", "on the front")
        return Table(f"Sweep over {self.what}", columns, rows, "On the front: no system at any setting is both cheaper and better.")

    def _curve_table(self) -> Table:
        rows = []
        for name, found in self.systems.items():
            places = [one.place for one in found]
            area, costs = aiq(places, self.largest), [1000 * cost for cost, _ in places]
            best = max(quality for _, quality in places)
            areas = (f"{area.paper:.4f}", f"{area.code:.4f}") if len(set(places)) > 1 and self.varies else ("-", "-")
            row = (*areas, f"{100 * best:.1f} %", f"{min(costs):.3f} to {max(costs):.3f}")
            rows.append((name, str(len(set(places))), *row))
        note = (
            "AIQ is the area under the curve's hull. RouterBench's paper divides by the range of costs, its code by the largest cost, "
            f"here ${1000 * self.largest:.3f} per 1000, to which every hull is drawn out. A single point is no curve."
        )
        return Table("What the curves come to", ("system", "points", "AIQ (paper)", "AIQ (code)", "best", "$ per 1000"), rows, note)


def swept(what: str, found: Mapping[str, Mapping[str, Summary]]) -> Sweep:
    """From summaries by setting, then system."""
    points = [SweptPoint.of(system, setting, summary) for setting, row in found.items() for system, summary in row.items()]
    order = {name: place for place, name in enumerate(dict.fromkeys(one.system for one in points))}
    return Sweep(what, tuple(sorted(points, key=lambda one: order[one.system])))
