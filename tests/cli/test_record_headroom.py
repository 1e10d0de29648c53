import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest

from maestro.cli.main import cli
from tests.cli.conftest import write_registry

ROWS = [
    "random", "best single", "reader@read", "broken@read", "question kNN", "tfidf lookup", "image kNN", "linear bandit", "vote cascade",
    "category rule", "lookup", "cascade", "skilled oracle", "oracle",
]  # fmt: skip
"""The same as of a folder of recorded systems, and what knows stated confidences and plans besides."""
SPLITS = ("--split", "train", "--split", "val", "--split", "test", "--limit", "12")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A filled store and what recording it reported; tests that change it copy it first."""
    folder = tmp_path_factory.mktemp("recorded")
    registry, store = write_registry(folder / "sound", failure='"white"'), str(folder / "calls.sqlite")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as ended:
        cli.main(["record", "playground", "-r", registry, "-s", store, *SPLITS, "--json"])
    assert ended.value.code == 0
    return store, json.loads(printed.getvalue()), registry


@pytest.fixture
def own(recorded, tmp_path):
    """A copy of the filled store and its registry's folder."""
    for path in [Path(recorded[0]), Path(recorded[0] + ".json")]:
        shutil.copy(path, tmp_path)
    return str(tmp_path / "calls.sqlite"), recorded[2]


class TestRecord:
    def test_every_pair_is_called_once_on_every_task(self, recorded):
        _, report, _ = recorded
        assert {split: (row["tasks"], row["calls"], row["replayed"]) for split, row in report["splits"].items()} == {
            "train": (12, 24, 0), "val": (12, 24, 0), "test": (12, 24, 0),
        }  # fmt: skip

    def test_an_existing_store_is_not_touched_without_resume(self, maestro, recorded, sound_registry):
        code, printed = maestro("record", "playground", "-r", sound_registry, "-s", recorded[0], *SPLITS)
        assert code == 1
        assert "--resume" in printed.err

    def test_resume_calls_only_what_is_missing(self, maestro, own):
        more = ("--split", "test", "--limit", "15", "--resume", "--json")
        code, printed = maestro("record", "playground", "-r", own[1], "-s", own[0], *more)
        row = json.loads(printed.out)["splits"]["test"]
        assert code == 0
        assert (row["tasks"], row["calls"], row["replayed"]) == (15, 30, 24)

    def test_a_store_made_with_relative_paths_is_used_from_another_directory(self, maestro, tmp_path, monkeypatch):
        (tmp_path / "away").mkdir()
        monkeypatch.chdir(tmp_path)
        write_registry(tmp_path / "mine", failure='"white"')
        (tmp_path / "tasks.jsonl").write_text('{"question": "What does the sign say?", "answer": "white"}\n')
        given = ("record", "./tasks.jsonl", "--registry", "./mine", "--store")
        assert maestro(*given, "calls.sqlite")[0] == 0
        monkeypatch.chdir(tmp_path / "away")
        code, printed = maestro("record", "verify", "../calls.sqlite")
        assert code == 0, printed.err
        monkeypatch.chdir(tmp_path)
        assert maestro(*given, "calls.sqlite", "--resume")[0] == 0
        assert len(json.loads((tmp_path / "calls.sqlite.json").read_text())["splits"]) == 1

    def test_a_store_of_an_earlier_version_is_gone_on_with(self, maestro, tmp_path, monkeypatch):
        """Its manifest has paths as they were given."""
        monkeypatch.chdir(tmp_path)
        write_registry(tmp_path / "mine", failure='"white"')
        (tmp_path / "tasks.jsonl").write_text('{"question": "What does the sign say?", "answer": "white"}\n')
        given = ("record", "./tasks.jsonl", "--registry", "./mine", "--store", "calls.sqlite")
        assert maestro(*given)[0] == 0
        manifest = tmp_path / "calls.sqlite.json"
        manifest.write_text(manifest.read_text().replace(f"{tmp_path}/", "./"))
        assert maestro(*given, "--resume")[0] == 0
        assert [one["source"] for one in json.loads(manifest.read_text())["splits"]] == ["./tasks.jsonl"]

    def test_failures_are_counted_apart_and_fail(self, maestro, registry, tmp_path):
        arguments = ("record", "playground", "-r", registry, "-s", str(tmp_path / "x.sqlite"), "--split", "val", "--limit", "5")
        code, printed = maestro(*arguments, "--json")
        assert code == 1
        assert json.loads(printed.out)["splits"]["val"]["failures"] == {"broken@read": 5}
        code, printed = maestro(*arguments, "--resume")
        assert code == 1
        assert "on fire" in printed.err

    def test_another_registry_is_refused(self, maestro, recorded, registry):
        code, printed = maestro("record", "playground", "-r", registry, "-s", recorded[0], "--resume")
        assert code == 1
        assert "was recorded on the registry" in printed.err

    @pytest.mark.parametrize(("arguments", "told"), [(["nowhere"], "nowhere"), (["playground", "--split", "tset"], "test")])
    def test_unknown_names_are_told(self, maestro, sound_registry, tmp_path, arguments, told):
        code, printed = maestro("record", *arguments, "-r", sound_registry, "-s", str(tmp_path / "x.sqlite"))
        assert code == 1
        assert told in printed.err


class TestVerify:
    def test_a_true_record_passes(self, maestro, recorded):
        code, printed = maestro("record", "verify", recorded[0], "--sample", "20", "--json")
        found = json.loads(printed.out)
        assert code == 0
        assert (found["checked"], found["agreed"], found["same_text"]) == (20, 20, 20)

    def test_an_expert_that_says_something_else_now_is_found(self, maestro, recorded, tmp_path, monkeypatch):
        from maestro.experts import pool
        from maestro.experts.scripted import ScriptedExpert

        monkeypatch.setattr(pool, "scripted_from_card", lambda card: ScriptedExpert(card, lambda _: "something else"))
        code, printed = maestro("record", "verify", recorded[0], "--sample", "10", "--json")
        found = json.loads(printed.out)
        assert code == 1
        assert found["agreed"] == 0
        assert found["disagreements"][0]["live"] != found["disagreements"][0]["recorded"]

    def test_a_changed_registry_has_no_record(self, maestro, own, tmp_path):
        manifest = Path(own[0] + ".json")
        manifest.write_text(manifest.read_text().replace(own[1], write_registry(tmp_path / "changed")))
        (tmp_path / "changed" / "skills" / "read" / "SKILL.md").write_text(
            "---\nname: read\ndescription: Changed.\nmetadata:\n  experts: [reader]\n---\nOther.\n"
        )
        code, printed = maestro("record", "verify", own[0], "--sample", "5")
        assert code == 1
        assert "are not in the store" in printed.err

    def test_a_missing_store_says_how_to_make_one(self, maestro, tmp_path):
        code, printed = maestro("record", "verify", str(tmp_path / "none.sqlite"))
        assert code == 1
        assert "maestro record" in printed.err


class TestHeadroom:
    def test_rows_and_gaps_of_every_recorded_split(self, maestro, recorded):
        code, printed = maestro("headroom", recorded[0], "--json")
        found = json.loads(printed.out)["splits"]
        assert code == 0
        assert list(found) == ["train", "test"]
        assert found["train"]["tasks"] == 6
        for row in found.values():
            assert list(row["rows"]) == ROWS
            assert row["gap"]["mean"] == pytest.approx(row["rows"]["oracle"]["utility"]["mean"] - row["rows"]["lookup"]["utility"]["mean"])

    def test_the_second_time_outcomes_come_from_the_table_and_are_the_same(self, maestro, own):
        arguments = ("headroom", own[0], "--split", "test", "--no-pictures", "--json")
        first = maestro(*arguments)
        tables = sorted(path.name for path in Path(own[0]).parent.glob("*.jsonl.gz"))
        assert tables == [
            "calls.sqlite.playground-test.jsonl.gz",
            "calls.sqlite.playground-train.jsonl.gz",
            "calls.sqlite.playground-val.jsonl.gz",
        ]
        Path(own[0]).write_bytes(b"")
        second = maestro(*arguments)
        assert first[0] == second[0] == 0
        assert first[1].out == second[1].out

    def test_the_gate_decides_the_exit_code(self, maestro, recorded):
        assert maestro("headroom", recorded[0], "--split", "test", "--no-pictures", "--gate", "-1")[0] == 0
        code, printed = maestro("headroom", recorded[0], "--split", "test", "--no-pictures", "--gate", "1.5")
        assert code == 1
        assert "FAILED" in printed.out
        assert "oracle - lookup" in printed.out

    def test_pictures_are_not_looked_at_when_nobody_asked(self, maestro, recorded):
        code, printed = maestro("headroom", recorded[0], "--split", "test", "--no-pictures", "--json")
        found = json.loads(printed.out)["splits"]["test"]
        assert code == 0, printed.err
        assert list(found["rows"]) == [name for name in ROWS if name not in {"image kNN", "linear bandit"}]
        assert set(found["left_out"]) == {"image kNN", "linear bandit"}

    def test_a_sweep_over_cost_weights_is_a_curve_a_system(self, maestro, recorded, tmp_path):
        arguments = ("headroom", recorded[0], "--split", "test", "--no-pictures", "--sweep", "0,1000", "--out", str(tmp_path / "page"))
        code, printed = maestro(*arguments, "--json")
        assert code == 0, printed.err
        sweep = json.loads(printed.out)["sweeps"]["test"]
        assert sweep["what"] == "cost weight"
        assert "reader@read" not in sweep["systems"]
        curve = sweep["systems"]["oracle"]
        assert [point["setting"] for point in curve["points"]] == ["0", "1000"]
        assert curve["points"][1]["cost_usd"] <= curve["points"][0]["cost_usd"]
        assert {"aiq_paper", "aiq_code", "hull"} <= curve.keys()
        page = (tmp_path / "page" / "report.html").read_text()
        assert "Cost and accuracy by cost weight" in page
        assert "AIQ (paper)" in page
        assert "## Sweep over cost weight" in (tmp_path / "page" / "tables.md").read_text()

    @pytest.mark.parametrize(("weights", "told"), [("0,x", "no number"), ("-1", "no cost weight"), ("nan", "no cost weight")])
    def test_weights_that_are_none_are_told(self, maestro, recorded, weights, told):
        code, printed = maestro("headroom", recorded[0], "--sweep", weights)
        assert code == 2
        assert told in printed.err

    def test_a_split_that_is_not_recorded_is_told(self, maestro, recorded):
        code, printed = maestro("headroom", recorded[0], "--split", "test-shifted")
        assert code == 1
        assert "recorded: train, val, test" in printed.err
