import asyncio

import pytest

from maestro.evaluate.compose import Comparison, comparison_report, illustrate
from maestro.evaluate.headroom import Baselines, headroom
from maestro.evaluate.report import Figure, Table
from maestro.evaluate.scripted import scripted_pool
from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect


@pytest.fixture(scope="module")
def comparison():
    pool = scripted_pool("test", 40)
    baselines = Baselines(scripted_pool("train", 80), scripted_pool("val", 40), MaestroDialect(), direct=frozenset({"stated"}))
    found = asyncio.run(headroom(baselines, pool))
    tasks = {name: recorded.task for name, recorded in pool.tasks.items()}
    return Comparison("test", tasks, {"renamed": found.evaluations["cascade"], **found.evaluations}, stressed="renamed")


def test_rows_carry_the_names_they_are_given(comparison):
    columns, cells = comparison.cells()
    assert [row[0] for row in cells] == ["renamed", "random", "best single", "lookup", "cascade", "skilled oracle", "oracle"]
    against = columns.index("utility vs lookup")
    assert cells[3][against] == ""
    assert cells[0][against] == cells[4][against]
    assert cells[1][against].startswith("-")


def test_the_report_has_everything_in_order(comparison):
    report = comparison_report(comparison, "Title", "Lead", curves={"greedy": [(0, 0.1), (9, 0.7)]}, notes=["a note"])
    assert [(type(section), section.title) for section in report.sections] == [
        (Table, "test"), (Figure, "Learning"), (Figure, "Cost and accuracy"), (Figure, "Who is called"), (Table, "By category"),
    ]  # fmt: skip
    assert report.sections[0].best == {"renamed"}
    assert all(name in report.sections[1].svg for name in ("lookup", "oracle", "greedy"))
    assert report.facts[1][1] == "utility over lookup"
    assert "cheap-reader" in report.sections[3].svg
    assert "a note" in report.html(ImageStore())


def test_without_curves_there_is_no_learning_figure(comparison):
    assert "Learning" not in [section.title for section in comparison_report(comparison, "T", "").sections]


def test_illustrated_episodes_are_of_different_categories_and_lengths(comparison):
    shown = illustrate(comparison, count=4)
    assert len({one.task.category for one in shown}) == 4
    assert len({len(one.episode.calls) for one in shown}) >= 3
    assert all(one.episode.task_id == one.task.id == one.result.task_id for one in shown)


def test_one_wrong_episode_is_shown_when_there_is_one(comparison):
    worse = Comparison("test", comparison.tasks, {"random": comparison.evaluations["random"]})
    scores = [one.result.score for one in illustrate(worse, count=5)]
    assert len(scores) == 5
    assert sum(score < 1 for score in scores) >= 1
    assert sum(score >= 1 for score in scores) >= 1


def test_a_single_policy_needs_no_reference(comparison):
    alone = Comparison("test", comparison.tasks, {"lookup": comparison.evaluations["lookup"]})
    columns, _ = alone.cells()
    assert "utility vs lookup" not in columns
    assert comparison_report(alone, "T", "").facts[1][1] == "answered right"
