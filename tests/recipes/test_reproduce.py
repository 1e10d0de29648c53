"""The reproduction kit: its tables load, its figures are computed as they say, and a dry run goes through the real command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from recipes.reproduce.measured import Measured, measure
from recipes.reproduce.plan import Reference, Row, Table
from recipes.reproduce.run import arguments, every_source, reproduce
from recipes.reproduce.stand_in_server import reply_to
from recipes.reproduce.stand_ins import REPLIES, chartqa, erqa
from recipes.reproduce.table import write

from maestro.config import load_config
from maestro.errors import ConfigError, TaskError
from maestro.rollout.record import EpisodeLog
from maestro.scoring.profiles import PROFILES
from maestro.tasks.benchmarks.catalogue import BENCHMARKS
from maestro.tasks.benchmarks.naming import read_name
from maestro.types import Episode, Reward, StopReason, Task

ROOT = Path(__file__).parents[2]
TABLES = sorted((ROOT / "recipes" / "reproduce").glob("*.yaml"))
NEEDED = {profile for name in ("chartqa", "erqa", "vlms_are_blind") for profile in BENCHMARKS[name].profiles}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_the_tables_name_benchmarks_that_exist(path):
    table = load_config(Table, path)
    for row in table.benchmarks:
        named = read_name(row.tasks)
        assert named is not None
        assert row.split in {None, *named.benchmark.offered}
        assert (row.split or named.benchmark.measured) not in named.benchmark.hidden


def test_the_published_averages():
    ten, four = (load_config(Table, ROOT / "recipes" / "reproduce" / name) for name in ("in_domain.yaml", "unseen.yaml"))
    assert (len(ten.benchmarks), len(four.benchmarks)) == (10, 4)
    assert [reference.average for reference in ten.reference] == [70.1, 69.3, 68.7]
    assert ten.reference[0].seconds == 2.88
    assert [reference.average for reference in four.reference] == [59.5]
    assert (ten.registry, four.registry) == ("maestro", "maestro-extended")


def test_figures_of_a_benchmark_that_is_not_there_are_told(tmp_path):
    path = tmp_path / "table.yaml"
    path.write_text(
        "title: t\nregistry: r\npolicy: p\nbenchmarks: [{name: A, tasks: chartqa}]\nreference: [{name: x, figures: {B: 1.0}}]\n"
    )
    with pytest.raises(ConfigError, match="figures of B"):
        load_config(Table, path)


def episode(task_id, score, *, stop=StopReason.ANSWERED):
    reward = Reward(terms={"outcome": score}, weights={"outcome": 1.0})
    return Episode(task_id=task_id, turns=(), stop=stop, reward=reward, cost_usd=0.01)


def test_what_an_evaluation_folder_says(tmp_path):
    tasks = [Task(id=str(n), question="?", category="a" if n < 3 else "b", references=("x",)) for n in range(4)]
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    log.append(episode("0", 0.0, stop=StopReason.INFRASTRUCTURE))
    for n, score in enumerate([1.0, 1.0, 0.0, 0.0]):
        log.append(episode(str(n), score))
    log.append(episode("3", 1.0, stop=StopReason.INFRASTRUCTURE))
    log.close()
    micro, macro = (measure("T", tmp_path, tasks, how) for how in ("questions", "categories"))
    assert (micro.share, micro.broken, micro.questions, micro.cost_usd) == (0.5, 1, 4, 0.01)
    assert macro.by_category == {"a": pytest.approx(2 / 3), "b": 0.0}
    assert macro.share == pytest.approx(1 / 3)
    with pytest.raises(KeyError):
        measure("T", tmp_path, [*tasks, tasks[0].model_copy(update={"id": "new"})], "questions")


def test_questions_on_one_picture_are_one_draw_of_the_interval(tmp_path):
    """Forty questions, four pictures of ten, each picture all right or all wrong: as sure as four questions, not as forty."""
    log = EpisodeLog(tmp_path / "episodes.jsonl")
    for n in range(40):
        log.append(episode(str(n), float(n // 10 % 2)))
    log.close()
    alone = [Task(id=str(n), question="?", references=("x",), category="a") for n in range(40)]
    shared = [task.model_copy(update={"images": (f"{n // 10:064d}",)}) for n, task in enumerate(alone)]
    wide, narrow = (measure("T", tmp_path, tasks, "questions") for tasks in (shared, alone))
    assert (wide.clusters, narrow.clusters) == (4, 40)
    assert wide.share == narrow.share == 0.5
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_table_puts_published_figures_beside_ours():
    references = (Reference(name="paper", average=70.1, figures={"A": 80.0}, seconds=2.88, note="from somewhere"), Reference(name="other"))
    table = Table(
        title="T", registry="r", policy="p", benchmarks=(Row(name="A", tasks="a"), Row(name="B", tasks="b")), reference=references
    )
    one = Measured("A", 10, 0.5, 0.2, 0.8, 4, {}, 1.0, 0.002, 1.5, 1)
    other = Measured("B", 30, 0.7, 0.5, 0.9, 30, {}, 3.0, 0.004, 0.5, 0)
    whole = write(table, [one, other], ["A note."])
    assert "| A | 10 | 4 | 50.0 [20.0, 80.0] | 80.0 | - | 1.00 | 1.50 | 2.00 |" in whole
    assert "| average | 40 | 34 | 60.0 | 70.1 | - | 2.00 (published 2.88) | 1.00 | 3.00 |" in whole
    assert "- paper: from somewhere." in whole
    assert "- A: 1 episodes were broken" in whole
    assert "| average | 10 | 4 | - (1 run) | 70.1 |" in write(table, [one], [])


def test_the_stand_in_expert_knows_its_questions():
    chartqa(), erqa()

    def said(text):
        return reply_to({"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": [{"type": "text", "text": text}]}]})

    assert said("What is the value of bar 1?\nsome evidence") == "11"
    assert said("What is the value of bar 2?") == "no idea"
    asked = next(question for question in REPLIES if "gripper 1" in question)
    assert said(asked.replace("Where must", "Where [image 2] must")) == "B"
    assert said("What is your name?") == "I cannot tell."


def dry_run(out, *arguments):
    command = [sys.executable, "-m", "recipes.reproduce.run", *arguments, "--out", str(out), "--dry-run"]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "XDG_CACHE_HOME": str(out.parent / "cache")}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=600, check=False)


needs_profiles = pytest.mark.skipif(
    not set(PROFILES) >= NEEDED, reason=f"scoring has no profiles {', '.join(sorted(NEEDED - set(PROFILES)))} in this checkout"
)


@needs_profiles
def test_a_dry_run_prints_the_table_and_goes_on_where_it_stopped(tmp_path):
    out = tmp_path / "unseen"
    done = dry_run(out, "recipes/reproduce/unseen.yaml", "--only", "ERQA")
    assert done.returncode == 0, done.stderr
    assert "| ERQA | 3 | 3 | 66.7" in done.stdout
    assert "59.5" in done.stdout
    before = (out / "erqa" / "episodes.jsonl").read_bytes()
    again = dry_run(out, "recipes/reproduce/unseen.yaml", "--only", "ERQA", "--only", "VLMsAreBlind")
    assert again.returncode == 0, again.stderr
    assert (out / "erqa" / "episodes.jsonl").read_bytes() == before
    assert "| VLMsAreBlind | 3 | 3 | 75.0" in again.stdout
    figures = json.loads((out / "figures.json").read_text())
    assert [(one["name"], one["questions"], one["broken"]) for one in figures] == [("ERQA", 3, 0), ("VLMsAreBlind", 3, 0)]
    assert (out / "table.md").read_text() in again.stdout


@needs_profiles
@pytest.mark.slow
def test_a_dry_run_of_all_ten(tmp_path):
    done = dry_run(tmp_path / "ten", "recipes/reproduce/in_domain.yaml")
    assert done.returncode == 0, done.stderr
    lines = {line.split("|")[1].strip(): line.split("|")[2].strip() for line in done.stdout.splitlines() if line.startswith("| ")}
    assert {name: lines[name] for name in ("ChartQA", "HR-Bench 8K", "SLAKE", "average")} == {
        "ChartQA": "6",
        "HR-Bench 8K": "4",
        "SLAKE": "3",
        "average": "35",
    }
    assert "70.1" in done.stdout


@needs_profiles
@pytest.mark.slow
def test_a_dry_run_with_a_checkpoint_in_the_released_format(tmp_path):
    """A tiny Qwen3-VL says nothing that makes sense; what counts is that its episodes are played, scored and counted."""
    from tests.policy.conftest import SIZES
    from tests.policy.qwen import save_checkpoint

    checkpoint = save_checkpoint(tmp_path / "tiny", SIZES)
    policy = f"{checkpoint}?max_new_tokens=16"
    done = dry_run(tmp_path / "run", "recipes/reproduce/unseen.yaml", "--only", "ERQA", "--policy", policy, "--limit", "1")
    assert done.returncode == 0, done.stderr
    assert "| ERQA | 1 | 1 | 0.0" in done.stdout
    assert "Only the first 1 questions" in done.stdout


def test_everything_that_is_not_here_is_told_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("MAESTRO_BENCHMARKS", str(tmp_path))
    table = load_config(Table, ROOT / "recipes" / "reproduce" / "unseen.yaml")
    with pytest.raises(TaskError, match=r"4 of 4 benchmarks cannot be read") as told:
        every_source(table.benchmarks)
    assert all(f"maestro tasks download {row.tasks}" in str(told.value) for row in table.benchmarks)


def test_an_unknown_benchmark_is_told(tmp_path):
    path = ROOT / "recipes" / "reproduce" / "unseen.yaml"
    options = arguments().parse_args([str(path), "--out", str(tmp_path), "--only", "ERQ"])
    with pytest.raises(ConfigError, match=r"no benchmark ERQ in .*; there is ERQA, OCRBench"):
        reproduce(load_config(Table, path), "random", options, {})
