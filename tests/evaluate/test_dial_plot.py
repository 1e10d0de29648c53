"""The plot of systems that have a dial."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.evaluate.curves import hull
from maestro.evaluate.plots import dial_plot

pytest.importorskip("matplotlib", reason="figures need the extra eval")


def test_every_system_has_its_points_and_its_line(tmp_path: Path) -> None:
    one, other = [(0.001, 0.5), (0.002, 0.8), (0.004, 0.9)], [(0.003, 0.6)]
    made = dial_plot(tmp_path, "cost", {"one": (one, hull(one)), "other, $": (other, hull(other))})
    assert [path.name for path in made] == ["cost.pdf", "cost.png"]
    assert all(path.stat().st_size > 1000 for path in made)
