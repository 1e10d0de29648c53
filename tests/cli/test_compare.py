import json

import pytest

from tests.evaluate.runs import result, write_run


@pytest.fixture
def runs(tmp_path):
    scores = {"weak": (0.6, 0.0), "mixed": (0.7, 0.5), "strong": (0.8, 1.0)}
    for name, (level, asks) in scores.items():
        rows = [
            result(f"t/{n}", n < 20 * level, cost_usd=0.01 * (n < 20 * asks), expert="big" if n < 20 * asks else None) for n in range(20)
        ]
        write_run(tmp_path / name, rows, policy=name)
    return [str(tmp_path / name) for name in scores]


def test_tests_and_curve_are_told(maestro, runs):
    code, printed = maestro("compare", *runs)
    assert code == 0
    assert "strong − weak" in printed.out
    assert "AIQ" in printed.out
    code, printed = maestro("compare", *runs, "--json", "--strong", "big")
    found = json.loads(printed.out)
    assert [(test["ours"], test["theirs"], test["wins"]) for test in found["tests"]] == [
        ("mixed", "weak", 2),
        ("strong", "weak", 4),
        ("strong", "mixed", 2),
    ]
    assert all(test["p_holm"] >= test["p"] for test in found["tests"])
    assert found["runs"][runs[0]]["accuracy"] == 0.6
    assert found["strong"]["toy/test"]["apgr"] == pytest.approx(0.5)
    assert found["strong"]["toy/test"]["cpt_50"] == pytest.approx(50)
    assert [point["on_front"] for point in found["curves"]["toy/test"]["points"]] == [True, True, True]


def test_tables_and_figures_are_written(maestro, runs, tmp_path):
    pytest.importorskip("matplotlib")
    files = {name: tmp_path / f"out.{name}" for name in ("md", "tex")}
    code, printed = maestro(
        "compare", *runs, "--markdown", str(files["md"]), "--latex", str(files["tex"]), "--figures", str(tmp_path / "drawn")
    )
    assert code == 0, printed.err
    assert "## Paired tests" in files["md"].read_text()
    assert r"\toprule" in files["tex"].read_text()
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "cost-accuracy-1.pdf",
        "cost-accuracy-1.png",
        "differences.pdf",
        "differences.png",
    ]


def test_a_page_tells_it_all(maestro, runs, tmp_path):
    code, printed = maestro("compare", *runs, "--strong", "big", "--out", str(tmp_path / "page"))
    assert code == 0, printed.err
    assert f"report: {tmp_path / 'page' / 'report.html'}" in printed.out
    page = (tmp_path / "page" / "report.html").read_text()
    titles = ("Differences", "Runs", "Paired tests", "Difference in cost", "Accuracy by category", "Difference by category", "Share of big")
    assert [title for title in titles if f">{title}" not in page] == []
    assert page.count("<svg") == 2
    assert "p (Holm)" in page
    assert "detectable" in page
    found = json.loads((tmp_path / "page" / "compare.json").read_text())
    assert found["tests"][1]["cost_usd"]["mean"] == pytest.approx(0.01)
    assert "## Difference in cost" in (tmp_path / "page" / "tables.md").read_text()
    assert r"\toprule" in (tmp_path / "page" / "tables.tex").read_text()


def test_runs_of_two_benchmarks_and_names_of_any_letters_have_one_page(maestro, tmp_path):
    for name, tasks in (("a", "toy"), ("b", "toy"), ("c", "other"), ("d", "other")):
        rows = [result(f"{tasks}/{n}", n % (2 + len(name + tasks)) < 1, category="größe_<b>") for n in range(12)]
        write_run(tmp_path / name, rows, policy=f"策略-{name}&co", tasks=tasks)
    folders = [str(tmp_path / name) for name in "abcd"]
    code, printed = maestro("compare", *folders, "--out", str(tmp_path / "page"))
    assert code == 0, printed.err
    page = (tmp_path / "page" / "report.html").read_text()
    assert "策略-a&amp;co [toy/test]" in page
    assert "größe &lt;b&gt;" in page
    assert "<b>" not in page.partition("<main>")[2].replace("</b>", "")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (lambda runs, path: runs[:1], 2, "two runs or more"),
        (lambda runs, path: [runs[0], str(path)], 1, "holds no evaluation"),
        (lambda runs, path: [runs[0], runs[0]], 1, "given twice"),
        (lambda runs, path: [*runs, "--strong", "nobody"], 1, "no expert that any of these runs called 'nobody'; there is"),
    ],
)
def test_mistakes_are_told(maestro, runs, tmp_path, arguments, code, told):
    found, printed = maestro("compare", *arguments(runs, tmp_path))
    assert found == code
    assert told in printed.err
