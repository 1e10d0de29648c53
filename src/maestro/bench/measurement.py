"""One measured thing beside another, and the bar it has to meet."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Bar:
    """What a measurement has to reach."""

    limit: float
    """In the measurement's unit, or as a ratio."""
    of: Literal["figure", "ratio"] = "figure"
    least: bool = True
    """Reach at least the limit; otherwise stay below it."""


@dataclass(frozen=True)
class Measurement:
    """A figure beside another of the same unit, both the median over rounds that took turns."""

    name: str
    unit: str
    figure: float
    beside: str
    """What it was measured beside."""
    beside_figure: float
    ratio: float
    """Median over rounds of figure / figure beside it."""
    lowest_ratio: float
    highest_ratio: float
    rounds: int
    bar: Bar | None = None

    @classmethod
    def of(
        cls, name: str, unit: str, figures: Sequence[float], beside: str, others: Sequence[float], bar: Bar | None = None
    ) -> Measurement:
        """From the figures of every round and those of the other side; as many of both (ValueError)."""
        ratios = [figure / other for figure, other in zip(figures, others, strict=True)]
        return cls(
            name=name,
            unit=unit,
            figure=statistics.median(figures),
            beside=beside,
            beside_figure=statistics.median(others),
            ratio=statistics.median(ratios),
            lowest_ratio=min(ratios),
            highest_ratio=max(ratios),
            rounds=len(ratios),
            bar=bar,
        )

    @property
    def passed(self) -> bool | None:
        """Whether the bar is met; None where there is no bar."""
        if self.bar is None:
            return None
        value = self.figure if self.bar.of == "figure" else self.ratio
        return value >= self.bar.limit if self.bar.least else value < self.bar.limit

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        bar = None if self.bar is None else {"limit": self.bar.limit, "of": self.bar.of, "least": self.bar.least}
        return {**self.__dict__, "bar": bar, "passed": self.passed}

    def bar_text(self) -> str:
        """The bar in words; empty where there is none."""
        if self.bar is None:
            return ""
        unit = self.unit if self.bar.of == "figure" else "times"
        return f"{'at least' if self.bar.least else 'under'} {number(self.bar.limit)} {unit}"


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
