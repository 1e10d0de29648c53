import json
import sys
from types import ModuleType

from maestro.bench.benchmarks import BENCHMARKS, Benchmark
from maestro.bench.measurement import Bar, Measurement


def offer(monkeypatch, name, measure, extra=None):
    """A benchmark of one's own."""
    module = ModuleType(f"maestro.bench.{name}")
    module.measure = measure
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(BENCHMARKS, name, Benchmark("A test.", extra=extra))


def snail():
    return [Measurement.of("crawl", "m/s", [0.001], "walk", [1.0], Bar(1))]


def test_one_table_with_the_bar_and_the_verdict(maestro):
    code, printed = maestro("bench", "loop_overhead")
    assert code == 0, printed
    assert all(word in printed.out for word in ("loop, per turn", "bare awaits", "under 1 ms", "pass"))


def test_json_has_every_figure(maestro):
    code, printed = maestro("bench", "loop_overhead", "--json")
    content = json.loads(printed.out)
    assert (code, content["passed"], content["left_out"]) == (0, True, {})
    [row] = content["measurements"]
    assert row["bar"] == {"limit": 1, "of": "figure", "least": False}
    assert row["lowest_ratio"] <= row["ratio"] <= row["highest_ratio"]


def test_a_missed_bar_is_no_success(maestro, monkeypatch):
    offer(monkeypatch, "snail", snail)
    code, printed = maestro("bench", "snail")
    assert code == 1
    assert "FAIL" in printed.out
    code, printed = maestro("bench", "snail", "--json")
    assert (code, json.loads(printed.out)["passed"]) == (1, False)


def test_a_missing_extra_is_an_error_where_it_was_asked_for_and_left_out_otherwise(maestro, monkeypatch):
    def lacking():
        raise ModuleNotFoundError("No module named 'abacus'", name="abacus")

    for name in list(BENCHMARKS):
        monkeypatch.delitem(BENCHMARKS, name)
    offer(monkeypatch, "counting", lacking, extra="train")
    code, printed = maestro("bench", "counting")
    assert code == 1
    assert "pip install 'maestro-orchestrator[train]'" in printed.err
    code, printed = maestro("bench", "--json")
    assert code == 0
    assert "abacus" in json.loads(printed.out)["left_out"]["counting"]


def test_names_are_listed_and_unknown_ones_told(maestro):
    code, printed = maestro("bench", "--list", "--json")
    assert code == 0
    assert [row["name"] for row in json.loads(printed.out)["benchmarks"]] == list(BENCHMARKS)
    code, printed = maestro("bench", "warp")
    assert code == 1
    assert "no benchmark 'warp'" in printed.err
