"""Every benchmark runs, with numbers too small to mean anything."""

import importlib.util

import pytest

from maestro.bench import cli_help, http_libraries, loop_overhead, sandbox_runs, served_calls, served_episodes, store_replay
from maestro.bench.benchmarks import BENCHMARKS, benchmark
from maestro.errors import ConfigError


def test_every_name_has_a_module_and_unknown_ones_say_what_exists():
    assert all(importlib.util.find_spec(f"maestro.bench.{name}") for name in BENCHMARKS)
    with pytest.raises(ConfigError, match=r"did you mean loop_overhead.*maestro bench --list"):
        benchmark("loop_overheads")


def test_the_loop_is_measured_beside_bare_awaits():
    [one] = loop_overhead.measure(episodes=5, rounds=2)
    assert one.figure > one.beside_figure > 0
    assert one.rounds == 2


def test_the_help_is_measured_beside_an_empty_process():
    [one] = cli_help.measure(rounds=1)
    assert one.bar is not None
    assert (one.bar.limit, one.bar.least) == (150, False)


def test_replay_is_measured_beside_a_plain_read():
    measured = store_replay.measure(calls=200, rounds=2)
    assert [one.name for one in measured if one.bar] == ["store, from the file", "store, from memory", "pool, from memory"]
    assert {one.beside for one in measured} == {"plain SQLite read"}


def test_scoring_off_the_loop_is_measured_beside_scoring_on_it():
    pytest.importorskip("math_verify", reason="the extra `eval` is not installed")
    from maestro.bench import scoring_off_loop

    measured = scoring_off_loop.measure(cheap=20, formulas=4, rounds=1)
    assert [one.unit for one in measured] == ["cases/s", "cases/s", "ms"]
    assert all(one.figure > 0 for one in measured)


def test_recorded_systems_are_measured_beside_bare_awaits():
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from maestro.bench import recorded_episodes

    measured = recorded_episodes.measure(questions=24, rounds=1)
    assert [one.name for one in measured] == ["episodes, one system", "episodes, random"]
    assert all(one.bar is not None and one.bar.limit == 2000 for one in measured)


def test_both_engines_of_the_sandbox_are_measured_beside_a_plain_process():
    from maestro.sandbox import available

    if lacking := [one.reason for one in available() if not one.usable]:
        pytest.skip(str(lacking))
    measured = sandbox_runs.measure(rounds=1)
    assert [one.name for one in measured if one.bar] == ["monty, a program", "bubblewrap, a program"]
    assert all(one.figure > 0 and one.rounds == 1 for one in measured)


def test_loading_tasks_is_measured_beside_decoding_their_pictures():
    pytest.importorskip("pyarrow", reason="the extra `parquet` is not installed")
    from maestro.bench import task_loading

    first, later, few = task_loading.measure(rows=12, rounds=1)
    assert {one.beside for one in (first, later, few)} == {"decoding every picture"}
    assert later.bar is not None


def test_every_kind_of_scorer_is_measured_beside_string_equality():
    from maestro.bench import scoring_cases

    measured = scoring_cases.measure(cases=20, rounds=1)
    assert {one.beside for one in measured} == {"string equality"}
    assert all(one.figure > 0 and one.bar is not None for one in measured)


def test_served_calls_are_measured_beside_bare_clients(monkeypatch):
    monkeypatch.setattr(served_calls, "PICTURES", {"text": 0, "small image": 2_000})
    measured = served_calls.measure(calls=16, rounds=2)
    assert [(one.name, one.beside) for one in measured[:2]] == [("calls, text", "bare client"), ("calls, text", "ready bytes")]
    assert [one.name for one in measured[-3:]] == [f"overhead, small image, p{percent}" for percent in (50, 95, 99)]
    assert [one.bar.limit for one in measured if one.bar] == [0.7, 0.7]


def test_served_episodes_all_end_well_in_both_designs():
    measured = served_episodes.measure(episodes=4, rounds=1, group=2)
    assert [one.name for one in measured[::2]] == ["photo", "chart", "crop"]
    assert {one.beside for one in measured} == {"thread pool"}


def test_both_libraries_make_the_same_calls():
    pytest.importorskip("httpx2", reason="the extra `dev` is not installed")
    measured = http_libraries.measure(calls=16, rounds=1)
    assert {one.beside for one in measured} == {"httpx2"}


def test_batched_decisions_are_those_made_one_by_one():
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    from maestro.bench import batched_decisions

    measured = batched_decisions.measure(sessions=4, tokens=3, rounds=1)
    assert [(one.beside, one.rounds) for one in measured] == [("one by one", 1)] * 2


def test_shared_and_plain_steps_come_to_the_same():
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    from maestro.bench import shared_prefix

    measured = shared_prefix.measure(cells=((64, 4, 2),), rounds=1)
    assert [one.name.split(",")[0] for one in measured] == ["step", "its generation", "its update", "its memory"]
    assert {(one.beside, one.rounds, one.bar) for one in measured} == {("plain", 1, None)}


@pytest.mark.slow
def test_both_roads_of_a_grpo_step_do_the_same_work():
    pytest.importorskip("trl", reason="the extra `train` is not installed")
    from maestro.bench import grpo_step

    step, generation = grpo_step.measure(rounds=1, prompts=2, members=2, tokens=4, micro_batch=2)
    assert step.figure > generation.figure > 0
    assert step.beside_figure > generation.beside_figure > 0
    assert (step.rounds, generation.rounds) == (1, 1)
