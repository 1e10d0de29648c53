import json
import subprocess
import sys

import pytest

LINES = [
    {"id": 1, "benchmark": "chartqa", "prediction": "105", "reference": "100"},
    {"id": 2, "benchmark": "mmbench", "prediction": "A or B", "reference": "A", "options": ["x", "y"]},
    {"id": 3, "benchmark": "docvqa", "prediction": "helo", "reference": ["hello"]},
]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def test_lines_come_back_in_order_with_their_scores(maestro, lines):
    for arguments in (("score", str(lines)), ("score", str(lines), "--json")):
        code, printed = maestro(*arguments)
        found = [json.loads(line) for line in printed.out.splitlines()]
        assert (code, printed.err) == (0, "")
        assert [(one["id"], one["score"]) for one in found] == [(1, 1), (2, 0), (3, 0.8)]
        assert all({"extracted", "rule", "reason"} <= set(one) for one in found)


def test_a_bad_line_is_told_by_its_number_and_the_others_are_scored(maestro, lines):
    lines.write_text(
        lines.read_text() + "{broken\n" + json.dumps({**LINES[0], "benchmark": "chartqaa"}) + "\n" + json.dumps(LINES[0]) + "\n"
    )
    code, printed = maestro("score", str(lines))
    found = [json.loads(line) for line in printed.out.splitlines()]
    assert code == 1
    assert [one.get("score") for one in found] == [1, 0, 0.8, None, None, 1]
    assert [one["line"] for one in found if "error" in one] == [4, 5]
    assert "error: line 4: it is no JSON" in printed.err
    assert "error: line 5: no scoring profile 'chartqaa'; did you mean chartqa" in printed.err


def test_into_a_file_with_a_table_of_means(maestro, lines, tmp_path):
    out = tmp_path / "scored.jsonl"
    code, printed = maestro("score", str(lines), "--out", str(out))
    assert code == 0
    assert len(out.read_text().splitlines()) == 3
    assert "0.8000" in printed.out
    code, printed = maestro("score", str(lines), "--out", str(out), "--json")
    assert json.loads(printed.out)["scored"] == 3
    code, printed = maestro("score", str(lines), "--out", str(lines))
    assert (code, "itself" in printed.err) == (1, True)


def test_stdin(lines):
    done = subprocess.run([sys.executable, "-m", "maestro", "score", "-"], input=lines.read_bytes(), capture_output=True, check=True)
    assert [json.loads(line)["score"] for line in done.stdout.splitlines()] == [1, 0, 0.8]


def test_the_profiles_are_listed_with_whose_rule_each_is(maestro):
    code, printed = maestro("score", "--list")
    assert code == 0
    assert "pix2struct" in printed.out
    profiles = {one["name"]: one for one in json.loads(maestro("score", "--list", "--json")[1].out)["profiles"]}
    assert profiles["chartqapro"]["params"] == ["year"]
    assert profiles["mmmu"]["takes_options"]


def test_without_a_file_or_with_one_that_is_not_there(maestro):
    assert maestro("score")[0] == 2
    code, printed = maestro("score", "nowhere.jsonl")
    assert (code, "no file nowhere.jsonl" in printed.err) == (1, True)


def test_a_file_without_a_line_and_a_folder_are_refused(maestro, tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    code, printed = maestro("score", str(tmp_path / "empty.jsonl"))
    assert code == 1
    assert "no line to score" in printed.err
    code, printed = maestro("score", str(tmp_path))
    assert code == 1
    assert "is a folder" in printed.err
