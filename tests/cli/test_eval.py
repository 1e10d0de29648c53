import contextlib
import io
import json

import pytest

from maestro.cli.main import cli
from tests.cli.conftest import write_registry

FILES = {"config.yaml", "config.sha256", "episodes.jsonl", "samples.jsonl", "report.html", "summary.json", "tables.md", "tables.tex"}
LIMIT = ("--split", "test", "--limit", "8")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    registry, store = write_registry(folder / "sound", failure='"white"'), str(folder / "calls.sqlite")
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as ended:
        cli.main(["record", "playground", "-r", registry, "-s", store, "--limit", "8"])
    assert ended.value.code == 0
    return store, registry


@pytest.fixture
def run(maestro, recorded, tmp_path):
    def go(*arguments, out="run"):
        return maestro("eval", "-r", recorded[1], "--out", str(tmp_path / out), *LIMIT, *arguments)

    return go


def test_numbers_episodes_and_report_are_written(run, tmp_path):
    code, printed = run("-p", "fixed:reader@read", "--json")
    assert code == 0
    row = json.loads(printed.out)["rows"]["fixed:reader@read"]
    assert row["questions"] == row["episodes"] == 8
    assert row["cost_usd"]["mean"] == pytest.approx(0.01)
    folder = tmp_path / "run"
    assert {path.name for path in folder.iterdir()} == FILES
    assert len((folder / "episodes.jsonl").read_text().splitlines()) == 8
    assert "Evaluation of fixed:reader@read" in (folder / "report.html").read_text()


def test_one_object_tells_everything_whatever_the_number_of_workers(run, tmp_path):
    found = {}
    for workers in ("1", "8"):
        code, printed = run("-p", "random", "--samples", "3", "--workers", workers, "--json", out=f"run-{workers}")
        assert code == 0
        found[workers] = json.loads(printed.out)
    numbers = found["1"]
    needed = {"accuracy", "macro_accuracy", "categories", "intervals", "calls", "cost_usd", "latency_seconds", "tasks", "profiles"}
    assert numbers.keys() >= needed
    assert numbers["tasks"]["count"] == numbers["questions"] == 8
    assert set(numbers["repeats"]) >= {"mean@3", "pass@1", "pass@3", "best@3", "all@3", "maj@3"}
    assert sum(use["share"] for use in numbers["usage"]["experts"].values()) == pytest.approx(1)
    assert [found["8"][name] for name in ("accuracy", "repeats", "cost_usd")] == [
        numbers[name] for name in ("accuracy", "repeats", "cost_usd")
    ]
    told = json.loads((tmp_path / "run-1" / "summary.json").read_text())
    assert told == {name: value for name, value in numbers.items() if name != "run"}
    lines = {workers: (tmp_path / f"run-{workers}" / "samples.jsonl").read_text().splitlines() for workers in found}
    ids = [[(json.loads(line)["task_id"], json.loads(line)["sample"]) for line in rows] for rows in lines.values()]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 24


def test_attribution_runs_the_policy_with_fewer_experts_and_is_resumed(run, maestro, tmp_path):
    code, printed = run("-p", "fixed:reader@read", "--attribution", "--json")
    assert code == 0, printed.err
    rows = json.loads(printed.out)["attribution"]
    assert list(rows) == ["base alone", "reader alone", "broken alone", "without reader", "without broken"]
    assert rows["base alone"]["cost_usd"] == 0
    assert rows["reader alone"]["against_whole"]["ties"] == 8
    assert not rows["without reader"]["possible"]
    kept = (tmp_path / "run" / "attribution" / "reader-alone" / "episodes.jsonl").read_text()
    code, printed = maestro("eval", "--resume", str(tmp_path / "run"), "--attribution")
    assert code == 0, printed.err
    assert "not possible" in printed.out
    assert (tmp_path / "run" / "attribution" / "reader-alone" / "episodes.jsonl").read_text() == kept


def test_a_sweep_is_a_curve_of_settings_each_in_a_folder_and_is_resumed(run, maestro, tmp_path):
    code, printed = run("-p", "random", "--sweep", "turns=1,2,4", "--json")
    assert code == 0, printed.err
    sweep = json.loads(printed.out)["sweep"]
    points = sweep["systems"]["random"]["points"]
    assert [point["setting"] for point in points] == ["1", "2", "4"]
    assert points[0]["cost_usd"] <= points[2]["cost_usd"]
    assert {"aiq_paper", "aiq_code"} <= sweep["systems"]["random"].keys()
    assert sweep["front"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Cost and accuracy by turns" in page
    kept = (tmp_path / "run" / "sweep" / "turns-2" / "episodes.jsonl").read_text()
    code, printed = maestro("eval", "--resume", str(tmp_path / "run"), "--sweep", "turns=1,2,4,5", "--json")
    assert code == 0, printed.err
    assert len(json.loads(printed.out)["sweep"]["systems"]["random"]["points"]) == 4
    assert (tmp_path / "run" / "sweep" / "turns-2" / "episodes.jsonl").read_text() == kept


def test_dear_experts_are_left_out_and_what_cannot_work_is_told(run):
    code, printed = run("-p", "fixed:reader@read", "--sweep", "without-dearest=0,1,2", "--json")
    assert code == 1
    assert "nobody is left of the 2 on offer" in json.loads(printed.out)["error"]["message"]
    code, printed = run("-p", "fixed:reader@read", "--sweep", "without-dearest=0,1", "--json", out="again")
    assert code == 0, printed.err
    assert [one["setting"] for one in json.loads(printed.out)["sweep"]["systems"]["fixed:reader@read"]["points"]] == ["0"]
    assert "left out of the sweep" in printed.err


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ("depth=1", "no thing to sweep 'depth'"),
        ("turns", "name the values"),
        ("turns=1,x", "'x' is no number"),
        ("turns=0", "whole number of 1 or more"),
        ("budget=inf", "finite number"),
    ],
)
def test_sweeps_that_make_no_sense_are_told(run, sweep, told):
    code, printed = run("-p", "random", "--sweep", sweep)
    assert code == 1
    assert told in printed.err


def test_two_runs_are_compared(run, maestro, tmp_path):
    for name, policy in (("one", "random"), ("two", "fixed:reader@read")):
        assert run("-p", policy, out=name)[0] == 0
    code, printed = maestro("compare", str(tmp_path / "one"), str(tmp_path / "two"), "--json")
    assert code == 0, printed.err
    assert json.loads(printed.out)["tests"][0]["questions"] == 8


def test_baselines_stand_beside_the_policy(run, recorded):
    code, printed = run("-p", "fixed:reader@read", "-s", recorded[0], "--replay", "--baselines", "--json")
    assert code == 0
    names = ["fixed:reader@read", "random", "best single", "lookup", "cascade", "skilled oracle", "oracle"]
    assert list(json.loads(printed.out)["rows"]) == names


def test_broken_episodes_count_0_fail_and_are_run_again_by_resume(maestro, run, tmp_path, recorded):
    broken = write_registry(tmp_path / "flaky")
    arguments = ("eval", "-r", broken, "-p", "fixed:broken@read", *LIMIT)
    code, printed = maestro(*arguments, "--out", str(tmp_path / "run"))
    assert code == 1
    assert "on fire" in printed.err
    write_registry(tmp_path / "flaky", failure='"white"')
    code, printed = maestro(*arguments, "--resume", str(tmp_path / "run"), "--json")
    assert code == 0
    assert json.loads(printed.out)["rows"]["fixed:broken@read"]["errors"] == []


def test_a_run_is_not_overwritten_nor_resumed_with_other_settings(run, maestro, recorded, tmp_path):
    assert run("-p", "random")[0] == 0
    code, printed = run("-p", "random")
    assert code == 1
    assert "already holds a run" in printed.err
    code, printed = maestro("eval", "-r", recorded[1], "-p", "random", *LIMIT, "--samples", "2", "--resume", str(tmp_path / "run"))
    assert code == 1
    assert "samples: 1 -> 2" in printed.err


def test_resume_needs_no_option_that_the_run_began_with(run, maestro, tmp_path):
    assert run("-p", "random", "--seed", "3")[0] == 0
    episodes = (tmp_path / "run" / "episodes.jsonl").read_text()
    code, printed = maestro("eval", "--resume", str(tmp_path / "run"))
    assert code == 0, printed.err
    assert (tmp_path / "run" / "episodes.jsonl").read_text() == episodes
    code, printed = maestro("eval", "--resume", str(tmp_path / "nowhere"))
    assert code == 1
    assert "no evaluation to resume" in printed.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-p", "nobody"), "no policy 'nobody'"),
        (("-p", "lookup"), "--store"),
        (("-p", "random", "--replay"), "--store"),
        (("-p", "random", "--tasks", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_are_told(run, arguments, told):
    code, printed = run(*arguments)
    assert code == 1
    assert told in printed.err


def test_a_mistake_leaves_no_run_behind(run, tmp_path):
    assert run("-p", "nobody")[0] == 1
    assert not (tmp_path / "run").exists()
    assert run("-p", "random")[0] == 0


def test_a_run_begun_with_relative_paths_is_resumed_from_another_directory(maestro, tmp_path, monkeypatch):
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    away.mkdir()
    monkeypatch.chdir(home)
    write_registry(home / "flaky")
    (home / "tasks.jsonl").write_text('{"question": "What does the sign say?", "answer": "The sign says 42."}\n')
    given = ("--registry", "./flaky", "--tasks", "./tasks.jsonl", "--store", "calls.sqlite", "--policy", "fixed:broken@read")
    code, printed = maestro("eval", *given, "--out", "run")
    assert (code, "on fire" in printed.err) == (1, True)
    write_registry(home / "flaky", failure='"The sign says 42."')
    monkeypatch.chdir(away)
    code, printed = maestro("eval", "--resume", "../home/run", "--json")
    assert code == 0, printed.err
    assert json.loads(printed.out)["rows"]["fixed:broken@read"]["accuracy"]["mean"] == 1
    assert list(away.iterdir()) == []
    monkeypatch.chdir(home)
    assert maestro("eval", *given, "--resume", "run")[0] == 0  # written out again, they are the same
