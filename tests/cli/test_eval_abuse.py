"""`maestro eval`, `compare` and `headroom` on what nobody means to give them."""

import json
import math

import pytest

from maestro.rollout.record import EpisodeLog
from tests.evaluate.runs import result, write_run
from tests.tasks.recorded_folders import SYSTEMS, outcome_row, task_row, write_folder

ROWS = [task_row(number) for number in range(32)]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def judged(place, correct, rows=ROWS):
    outcomes = [outcome_row(row["task_id"], system, correct=correct) for row in rows for system in SYSTEMS]
    return str(write_folder(place, rows, outcomes))


def finite(value):
    """Every number of a JSON document: none may be NaN or infinite, which JSON has no word for."""
    if isinstance(value, dict):
        return all(finite(one) for one in value.values())
    if isinstance(value, list):
        return all(finite(one) for one in value)
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("correct", [0, 1])
def test_all_wrong_and_all_right_come_through_every_verb(maestro, tmp_path, correct):
    folder = judged(tmp_path / "shapes", correct)
    for system in ("zeta", "acme-cot"):
        code, printed = maestro("eval", "-t", folder, "-p", f"fixed:{system}@ask", "--out", str(tmp_path / system), "--json")
        assert code == 0, printed.err
        found = json.loads(printed.out)
        assert found["accuracy"] == correct
        low, high = found["intervals"]["accuracy"]["clustered_bootstrap"]
        assert 0 <= low <= correct <= high <= 1
        assert low < high, "nothing is certain after 32 questions"
    code, printed = maestro("compare", str(tmp_path / "zeta"), str(tmp_path / "acme-cot"), "--out", str(tmp_path / "page"), "--json")
    assert code == 0, printed.err
    (test,) = json.loads(printed.out)["tests"]
    assert (test["ties"], test["p"]) == (32, 1.0)
    assert not test["significant"]
    code, printed = maestro("headroom", folder, "--no-pictures", "--sweep", "0,20", "--out", str(tmp_path / "room"), "--json")
    assert code == 0, printed.err
    found = json.loads(printed.out)
    assert found["baselines"]["rows"]["oracle"]["accuracy"]["mean"] == correct
    assert finite(found)


def test_a_single_category_is_its_own_macro(maestro, tmp_path):
    rows = [row for row in ROWS if row["category"] == "Counting"]
    folder = str(write_folder(tmp_path / "one", rows))
    code, printed = maestro("eval", "-t", folder, "-p", "random", "--out", str(tmp_path / "run"), "--json")
    assert code == 0, printed.err
    found = json.loads(printed.out)
    assert found["accuracy"] == pytest.approx(found["macro_accuracy"])


def test_no_task_at_all_is_an_error_and_leaves_nothing(maestro, tmp_path):
    (tmp_path / "tasks.jsonl").write_text("")
    code, printed = maestro("eval", "-t", str(tmp_path / "tasks.jsonl"), "-p", "random", "--out", str(tmp_path / "run"))
    assert code == 1
    assert "tasks" in printed.err
    assert not (tmp_path / "run").exists()


def test_tasks_without_a_reference_are_refused_before_anything_is_run(maestro, tmp_path):
    (tmp_path / "tasks.jsonl").write_text('{"question": "Why?", "answer": "so"}\n{"question": "How?"}\n')
    code, printed = maestro("eval", "-t", str(tmp_path / "tasks.jsonl"), "-p", "random", "--out", str(tmp_path / "run"))
    assert code == 1
    assert "answer" in printed.err
    assert not (tmp_path / "run").exists()


def test_a_second_evaluation_cannot_write_into_a_folder_that_is_in_use(maestro, tmp_path):
    folder = judged(tmp_path / "shapes", 1)
    arguments = ("eval", "-t", folder, "-p", "random")
    assert maestro(*arguments, "--out", str(tmp_path / "run"))[0] == 0
    before = (tmp_path / "run" / "episodes.jsonl").read_bytes()
    other = EpisodeLog(tmp_path / "run" / "episodes.jsonl", alone=True)
    code, printed = maestro("eval", "--resume", str(tmp_path / "run"))
    other.close()
    assert code == 1
    assert "another process is writing" in printed.err
    assert (tmp_path / "run" / "episodes.jsonl").read_bytes() == before
    assert maestro("eval", "--resume", str(tmp_path / "run"))[0] == 0


def test_a_record_cut_in_half_is_run_again_and_one_damaged_inside_is_told(maestro, tmp_path):
    folder = judged(tmp_path / "shapes", 1)
    assert maestro("eval", "-t", folder, "-p", "random", "--out", str(tmp_path / "run"))[0] == 0
    journal = tmp_path / "run" / "episodes.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) * 2 // 3 - 7])
    code, printed = maestro("eval", "--resume", str(tmp_path / "run"), "--workers", "3")
    assert code == 0, printed.err
    answers = [[json.loads(line)["answer"] for line in text.splitlines()] for text in (whole, journal.read_bytes())]
    assert answers[0] == answers[1]
    lines = whole.splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:3], lines[3][:40] + b"\n", *lines[4:]]))
    code, printed = maestro("eval", "--resume", str(tmp_path / "run"))
    assert code == 1
    assert "episodes.jsonl:4" in printed.err


@pytest.mark.parametrize("price", [".nan", ".inf", "-1"])
def test_prices_that_are_none_are_refused(maestro, tmp_path, price):
    (tmp_path / "prices.yaml").write_text(f"{{acme/direct: {price}, acme/cot: 0.25, zeta: 0.125}}")
    folder = judged(tmp_path / "shapes", 1)
    for verb in (("eval", "-t", folder, "-p", "random", "--out", str(tmp_path / "run")), ("headroom", folder, "--no-pictures")):
        code, printed = maestro(*verb, "--prices", str(tmp_path / "prices.yaml"))
        assert code == 1
        assert "acme/direct" in printed.err


def test_a_run_with_a_cost_that_is_no_number_is_not_compared(maestro, tmp_path):
    rows = [result(f"t/{n}", n % 2) for n in range(6)]
    sound, broken = (write_run(tmp_path / name, rows, policy=name) for name in ("sound", "broken"))
    text = (broken / "samples.jsonl").read_text().replace('"cost_usd":0.0,"utility"', '"cost_usd":NaN,"utility"', 1)
    (broken / "samples.jsonl").write_text(text)
    code, printed = maestro("compare", str(sound), str(broken))
    assert code == 1
    assert "samples.jsonl:1" in printed.err


def test_names_of_any_letters_come_through_every_table(maestro, tmp_path):
    rows = [{**row, "category": "größe & <b>形</b> 100 %"} for row in ROWS]
    folder = judged(tmp_path / "прямоугольники 形", 1, rows)
    code, printed = maestro("eval", "-t", folder, "-p", "fixed:zeta@ask", "--out", str(tmp_path / "läufe 1"), "--json")
    assert code == 0, printed.err
    assert list(json.loads(printed.out)["categories"]) == ["größe & <b>形</b> 100 %"]
    page = (tmp_path / "läufe 1" / "report.html").read_text()
    assert "größe &amp; &lt;b&gt;形" in page
    assert r"gr\"o" not in (tmp_path / "läufe 1" / "tables.tex").read_text()
    assert r"größe \& \textless{}b" in (tmp_path / "läufe 1" / "tables.tex").read_text()
