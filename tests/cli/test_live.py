import math

import pytest

from maestro.cli import live
from maestro.cli.live import LiveCurves, sparkline
from maestro.ensembles.playground import shipped
from maestro.errors import StoreError


def test_a_rising_row_of_numbers_is_a_rising_row_of_blocks():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert len(sparkline(list(range(1000)), width=40)) == 40
    assert sparkline([1, math.nan, 1]) == "▄▄"
    assert sparkline([]) == sparkline([math.inf]) == ""


def test_curves_are_kept_for_the_report():
    with LiveCurves() as curves:
        curves.stage(0, "warm_start", 10, 0)
        curves.step({"kind": "step", "name": "warm_start", "step": 1, "loss": 2.5})
        curves.step({"kind": "probe", "name": "warm_start", "step": 1, "copy": 0.5})
        curves.step({"kind": "validation", "name": "grpo", "step": 2, "greedy": {"utility": 0.4}, "sampled": {"utility": None}})
        curves.step({"kind": "step", "name": "grpo", "step": 2, "loss": float("nan"), "reward": 0.3})
    assert {name: [value for _, value in line] for name, line in curves.curves.items()} == {
        "loss": [2.5], "copy": [0.5], "utility, greedy": [0.4], "reward": [0.3],
    }  # fmt: skip
    assert list(curves.utility()) == ["utility, greedy"]


def test_progress_is_told_in_lines_where_there_is_no_terminal(capsys):
    with LiveCurves() as curves:
        curves.stage(0, "expert_iteration", 2, 0)
        curves.step({"kind": "round", "name": "expert_iteration", "step": 1, "reward": 0.25})
        curves.step({"kind": "validation", "name": "expert_iteration", "step": 1, "greedy": {"utility": 0.5}})
    printed = capsys.readouterr().err
    assert "1. expert iteration" in printed
    assert "1/2" in printed
    assert "utility, greedy 0.500" in printed


def test_a_round_is_told_once_with_its_own_utility(capsys, monkeypatch):
    monkeypatch.setattr(live, "_LINE_SECONDS", -1.0)  # as if every record came late
    with LiveCurves() as curves:
        curves.stage(0, "fitted_q", 2, 0)
        for number, utility in ((1, 0.5), (2, 0.75)):
            curves.step({"kind": "round", "name": "fitted_q", "step": number, "loss": 0.1})
            curves.step({"kind": "validation", "name": "fitted_q", "step": number, "greedy": {"utility": utility}})
    told = [line for line in capsys.readouterr().err.splitlines() if "utility" in line]
    assert [("1/2" in line, "0.500" in line) for line in told] == [(True, True), (False, False)]
    assert "2/2" in told[1]
    assert "0.750" in told[1]


def test_an_installation_without_a_pool_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "POOL", tmp_path / "none")
    with pytest.raises(StoreError, match="maestro record"):
        shipped.shipped_pool()


def test_the_config_of_the_demo_is_valid():
    from maestro.config import load_config
    from maestro.train.fitted_q.iteration import FittedQConfig

    assert load_config(FittedQConfig, shipped.demo_config()).rounds >= 4
