"""`maestro eval` and `maestro headroom` on a folder of recorded systems."""

import json

import pytest

from tests.cli.conftest import write_registry
from tests.tasks.recorded_folders import outcome_row, right, task_row, write_folder

ROWS = [task_row(number) for number in range(32)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return str(write_folder(tmp_path / "shapes", ROWS))


def accuracy(system):
    return sum(right(row["task_id"], system) for row in ROWS) / len(ROWS)


class TestEval:
    def test_a_system_alone_comes_to_its_recorded_accuracy_on_all_rows(self, maestro, folder, tmp_path):
        code, printed = maestro("eval", "--tasks", folder, "--policy", "fixed:zeta@ask", "--out", str(tmp_path / "run"), "--json")
        assert code == 0, printed.err
        row = json.loads(printed.out)["rows"]["fixed:zeta@ask"]
        assert row["questions"] == 32
        assert row["accuracy"]["mean"] == pytest.approx(accuracy("zeta"))
        assert row["cost_usd"]["mean"] == pytest.approx(0.001)

    def test_without_a_policy_systems_are_asked_at_random(self, maestro, folder, tmp_path):
        code, printed = maestro("eval", "--tasks", folder, "--split", "test", "--out", str(tmp_path / "run"), "--json")
        assert code == 0, printed.err
        assert list(json.loads(printed.out)["rows"]) == ["random"]
        assert "recorded" in (tmp_path / "run" / "config.yaml").read_text()

    def test_a_run_is_resumed_on_the_same_systems(self, maestro, folder, tmp_path):
        arguments = ("eval", "--tasks", folder, "--policy", "fixed:zeta@ask", "--json")
        first = maestro(*arguments, "--out", str(tmp_path / "run"))
        lines = (tmp_path / "run" / "episodes.jsonl").read_text().splitlines(keepends=True)
        (tmp_path / "run" / "episodes.jsonl").write_text("".join(lines[:10]))
        code, printed = maestro("eval", "--resume", str(tmp_path / "run"), "--json")
        assert code == 0, printed.err
        again, before = (json.loads(one.out)["rows"]["fixed:zeta@ask"] for one in (printed, first[1]))
        assert again["accuracy"] == before["accuracy"]
        assert len((tmp_path / "run" / "episodes.jsonl").read_text().splitlines()) == 32

    def test_prices_are_those_of_the_users_table(self, maestro, folder, tmp_path):
        table = tmp_path / "prices.yaml"
        table.write_text("{acme/direct: 0.5, acme/cot: 0.25, zeta: 0.125}")
        arguments = ("eval", "--tasks", folder, "--policy", "fixed:zeta@ask", "--prices", str(table), "--out", str(tmp_path / "run"))
        code, printed = maestro(*arguments, "--json")
        assert code == 0, printed.err
        assert json.loads(printed.out)["rows"]["fixed:zeta@ask"]["cost_usd"]["mean"] == 0.125

    def test_a_registry_that_asks_for_systems_has_them_beside_its_own_experts(self, maestro, folder, tmp_path):
        registry = tmp_path / "toy"
        write_registry(registry, reply='"2"', failure='"white"')
        cards = (registry / "registry.yaml").read_text() + "  - {id: recorded-zeta, summary: As recorded., kind: recorded, target: zeta}\n"
        (registry / "registry.yaml").write_text(cards)
        skill = registry / "skills" / "read" / "SKILL.md"
        skill.write_text(skill.read_text().replace("[reader, broken]", "[reader, broken, recorded-zeta]"))
        arguments = ("eval", "--tasks", folder, "--registry", str(registry), "--json")
        code, printed = maestro(*arguments, "--policy", "fixed:recorded-zeta@read", "--out", str(tmp_path / "one"))
        assert code == 0, printed.err
        found = json.loads(printed.out)["rows"]["fixed:recorded-zeta@read"]
        assert found["accuracy"]["mean"] == pytest.approx(accuracy("zeta"))
        code, printed = maestro(*arguments, "--policy", "fixed:reader@read", "--out", str(tmp_path / "two"))
        assert code == 0, printed.err
        assert json.loads(printed.out)["rows"]["fixed:reader@read"]["cost_usd"]["mean"] == pytest.approx(0.01)
        code, printed = maestro("eval", "-t", "playground", "--limit", "2", "-r", str(registry), "-p", "fixed:recorded-zeta@read")
        assert code == 1
        assert "the menu has no recorded-zeta@read" in printed.err

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--policy", "fixed:omega@ask"), "ask is offered by acme-cot, acme-direct, zeta"),
            (("--store", "calls.sqlite"), "recorded systems need no --store"),
            (("--registry", "playground", "--prices", "p.yaml"), "prices in its cards"),
            (("--split", "val"), "shapes: no split 'val'; did you mean all?"),
        ],
    )
    def test_what_cannot_be_run_is_told(self, maestro, folder, tmp_path, arguments, told):
        code, printed = maestro("eval", "--tasks", folder, "--out", str(tmp_path / "run"), *arguments)
        assert code == 1
        assert told in " ".join(printed.err.split())

    def test_a_broken_record_is_told_with_its_rows(self, maestro, tmp_path):
        outcomes = [outcome_row("q0", "zeta"), outcome_row("q0", "zeta"), outcome_row("q99", "zeta")]
        folder = write_folder(tmp_path / "broken", ROWS[:1], outcomes)
        code, printed = maestro("headroom", str(folder))
        assert code == 1
        assert "row 2, a second outcome of zeta on q0" in printed.err
        assert "row 3, task_id: there is no task 'q99'" in printed.err


class TestHeadroom:
    def test_the_table_of_all_rows_and_baselines_on_the_test_half(self, maestro, folder):
        code, printed = maestro("headroom", folder, "--json")
        assert code == 0, printed.err
        found = json.loads(printed.out)
        assert found["systems"]["questions"] == 32
        assert found["systems"]["systems"]["zeta"]["over_questions"] == round(accuracy("zeta"), 4)
        played = found["baselines"]
        assert (played["split"], played["fitted_split"]) == ("test", "train")
        assert played["fitted_on"] + played["rows"]["oracle"]["questions"] == 32
        assert {"random", "best single", "zeta@ask", "question kNN", "linear bandit", "cascade", "oracle"} <= set(played["rows"])

    def test_for_people(self, maestro, folder):
        code, printed = maestro("headroom", folder, "--gate", "-1")
        assert code == 0, printed.err
        for told in (
            "best system per category, chosen on these same rows",
            "Counting",
            "fitted on",
            "image kNN",
            "every call costs $0.001",
        ):
            assert told in printed.out
        assert maestro("headroom", folder, "--gate", "1.5")[0] == 1

    def test_a_folder_without_halves_has_its_table_and_says_why_there_is_no_more(self, maestro, tmp_path):
        folder = write_folder(tmp_path / "own", [task_row(number, split="test") for number in range(8)])
        code, printed = maestro("headroom", str(folder), "--json")
        assert code == 0, printed.err
        found = json.loads(printed.out)
        assert found["baselines"] is None
        assert "no split 'train'" in found["note"]
        code, printed = maestro("headroom", str(folder), "--train", "dev")
        assert code == 1
        assert "'dev'; there is all, test" in printed.err

    def test_baselines_played_on_what_they_were_fitted_on_are_told(self, maestro, folder):
        code, printed = maestro("headroom", folder, "--train", "test", "--split", "test", "--json")
        assert code == 0
        assert "16 of 16 questions of test share a scene with those of test" in printed.err
        assert "what they come to there is no estimate" in json.loads(printed.out)["note"]
        assert "share a scene" not in maestro("headroom", folder)[1].err

    def test_options_of_folders_are_refused_for_a_store(self, maestro, tmp_path):
        code, printed = maestro("headroom", str(tmp_path / "none.sqlite"), "--train", "val")
        assert code == 1
        assert "are for a folder with tasks.jsonl" in printed.err

    def test_several_splits_are_refused(self, maestro, folder):
        code, printed = maestro("headroom", folder, "--split", "test", "--split", "train")
        assert code == 1
        assert "of a folder one split is played" in printed.err


def test_a_store_recorded_on_a_folder_keeps_its_recorded_experts(maestro, folder, tmp_path):
    registry = tmp_path / "toy"
    write_registry(registry, reply='"2"', failure='"white"')
    cards = (registry / "registry.yaml").read_text() + "  - {id: recorded-zeta, summary: As recorded., kind: recorded, target: zeta}\n"
    (registry / "registry.yaml").write_text(cards)
    skill = registry / "skills" / "read" / "SKILL.md"
    skill.write_text(skill.read_text().replace("[reader, broken]", "[reader, broken, recorded-zeta]"))
    store = str(tmp_path / "calls.sqlite")
    code, printed = maestro("record", folder, "-r", str(registry), "-s", store, "--json")
    assert code == 0, printed.err
    assert {split: row["tasks"] for split, row in json.loads(printed.out)["splits"].items()} == {
        "train": sum(1 for _ in ROWS) - json.loads(printed.out)["splits"]["test"]["tasks"],
        "test": json.loads(printed.out)["splits"]["test"]["tasks"],
    }
    code, printed = maestro("headroom", store, "--split", "test", "--json")
    assert code == 0, printed.err
    assert json.loads(printed.out)["splits"]["test"]["rows"]["oracle"]["accuracy"]["mean"] > 0.5
