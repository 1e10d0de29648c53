import pytest

from maestro.errors import CheckpointError, ConfigError
from maestro.evaluate.compare import compare, differing_settings, read_run, read_runs
from maestro.evaluate.comparison_page import comparison_page
from maestro.evaluate.pairing import pair
from maestro.evaluate.scorecard import scorecard
from maestro.evaluate.sections import as_latex, as_markdown, paired_table
from tests.evaluate.runs import result, write_run

N = 40
WEAK = [float(n % 2 == 0) for n in range(N)]
STRONG = [float(n % 2 == 0 or n % 5 != 0) for n in range(N)]


@pytest.fixture
def make(tmp_path):
    def run(name, scores, tasks="toy", start=0, **fields):
        rows = [result(f"{tasks}/{start + n}", score, category=f"c{n % 3}", **fields) for n, score in enumerate(scores)]
        return write_run(tmp_path / name, rows, policy=name, tasks=tasks)

    return run


def test_the_counts_and_the_deciding_test(make):
    (test,) = compare(read_runs([make("weak", WEAK), make("strong", STRONG)]))
    assert (test.ours, test.theirs) == ("strong", "weak")
    assert (test.pair.wins, test.pair.losses, test.pair.ties) == (16, 0, 24)
    assert test.pair.test == "McNemar, exact"
    assert test.pair.p == test.adjusted_p == pytest.approx(2 / 2**16)
    assert test.pair.difference.mean == pytest.approx(0.4)
    assert test.pair.difference.excludes_zero
    assert test.significant()
    assert 0 < test.pair.detectable < 0.4


def test_scenes_take_the_decision_from_mcnemar():
    scenes = [n // 8 for n in range(N)]
    found = pair(STRONG, WEAK, scenes, ["all"] * N)
    assert found.test == "clustered paired bootstrap"
    assert found.p == found.bootstrap_p
    assert found.mcnemar_p == pytest.approx(2 / 2**16)
    assert found.clusters == 5


def test_fractional_scores_have_no_mcnemar():
    found = pair([0.5, 0.75, 1.0], [0.25, 0.75, 0.0], range(3), ["all"] * 3)
    assert found.mcnemar_p is None
    assert found.chi_square is None
    assert found.t is not None
    assert found.test == "clustered paired bootstrap"


def test_equal_systems_do_not_differ():
    found = pair(WEAK, WEAK, range(N), ["all"] * N)
    assert (found.p, found.bootstrap_p, found.t.p) == (1, 1, 1)
    assert found.difference.mean == 0
    with pytest.raises(ConfigError, match="cannot be paired"):
        pair([1.0], [1.0, 0.0], range(1), ["all"])


def test_holm_counts_pairs_and_benchmarks(make):
    folders = [make("weak", WEAK), make("strong", STRONG), make("third", WEAK[::-1])]
    folders += [make("weak-b", WEAK, tasks="other"), make("strong-b", STRONG, tasks="other")]
    tests = compare(read_runs(folders))
    assert [(test.benchmark, test.ours, test.theirs) for test in tests] == [
        ("toy/test", "strong", "weak"),
        ("toy/test", "third", "weak"),
        ("toy/test", "third", "strong"),
        ("other/test", "strong-b", "weak-b"),
    ]
    assert min(test.adjusted_p for test in tests) == pytest.approx(4 * tests[0].pair.p)
    first_only = compare(read_runs(folders), against_first=True)
    assert len(first_only) == 3
    assert first_only[0].adjusted_p < tests[0].adjusted_p


def test_other_questions_are_refused_or_what_is_shared_is_compared(make):
    folders = [make("whole", WEAK), make("part", STRONG[:30])]
    with pytest.raises(ConfigError, match=r"30 questions.* 40, and both have 30.*--shared"):
        compare(read_runs(folders))
    (test,) = compare(read_runs(folders), shared=True)
    assert (test.pair.questions, test.left_out) == (30, 10)
    with pytest.raises(ConfigError, match="no partner"):
        compare(read_runs([folders[0], make("elsewhere", WEAK, tasks="other")]))
    with pytest.raises(ConfigError, match="no partner"):
        compare(read_runs([folders[0], make("far", WEAK, tasks="far")]), shared=True)


def test_a_changed_question_under_an_old_id_is_refused(make):
    runs = read_runs([make("before", WEAK), make("after", WEAK, digest="other")])
    with pytest.raises(ConfigError, match=r"40 of 40 questions differ .*toy/0 for one"):
        compare(runs, shared=True)


def test_several_samples_of_a_question_are_one_mean(tmp_path):
    rows = [result(f"t/{n}", (n + k) % 2, sample=k) for n in range(4) for k in range(2)]
    one, other = write_run(tmp_path / "a", rows), write_run(tmp_path / "b", rows)
    (test,) = compare(read_runs([one, other]))
    assert test.ours == "a (b)"
    assert (test.pair.our_mean, test.pair.questions) == (0.5, 4)


def test_runs_that_cannot_be_read_say_what_to_do(make, tmp_path):
    with pytest.raises(CheckpointError, match="holds no evaluation"):
        read_run(tmp_path)
    folder = make("run", WEAK)
    with pytest.raises(ConfigError, match="given twice"):
        read_runs([folder, folder / ".." / "run"])
    (folder / "samples.jsonl").write_text('{"task_id": 3}\n')
    with pytest.raises(CheckpointError, match=r"samples.jsonl:1: not a sample record"):
        read_run(folder)
    (folder / "samples.jsonl").unlink()
    with pytest.raises(CheckpointError, match=r"not finished.*--resume"):
        read_run(folder)


def test_the_tables_are_markdown_and_latex(make):
    tables = [paired_table(compare(read_runs([make("we_ak & $1", WEAK), make("strong", STRONG)])), 0.05)]
    text = as_markdown(tables)
    assert "| strong − we_ak & $1 | +40.0 [" in text
    assert "16 / 0 / 24" in text
    written = as_latex(tables)
    assert r"strong $-$ we\_ak \& \$1 & +40.0 [" in written
    assert written.count(r"\begin{tabular}") == written.count(r"\end{tabular}") == 1
    body = written.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert body.count(r" \\") == 1


def test_settings_that_differ_between_runs_are_told(tmp_path):
    rows = [result(f"q{n}", n % 2) for n in range(30)]
    folders = [
        write_run(tmp_path / "few", rows, turns=2, seed=0, limit=30),
        write_run(tmp_path / "many", rows, turns=5, seed=0, limit=None),
    ]
    (folders[1] / "summary.json").write_text('{"registries": {"toy@abc": 30}}')
    runs = read_runs(folders)
    assert differing_settings(runs) == {"turns": ("2", "5"), "registry": ("-", "toy@abc")}
    tests = compare(runs)
    cards = {run.folder: scorecard(run.name, run.results) for run in runs}
    [table] = [one for one in comparison_page(tests, runs, cards, {}).tables if one.title == "Settings that differ"]
    assert table.rows[0] == ("turns", "2", "5")
    assert differing_settings(runs[:1]) == {}


def test_a_summary_that_is_cut_off_is_told(tmp_path):
    folder = write_run(tmp_path / "cut", [result("q", 1)])
    (folder / "summary.json").write_text('{"registries": {')
    with pytest.raises(CheckpointError, match=r"summary\.json cannot be read"):
        read_run(folder)
