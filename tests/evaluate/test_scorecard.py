import json
import math

import orjson
import pytest

from maestro.evaluate.compose import categories_figure
from maestro.evaluate.scorecard import scorecard
from maestro.evaluate.sections import CurvePoint, curve, scorecard_tables
from maestro.evaluate.statistics import Interval
from maestro.evaluate.usage import Latency, usage
from maestro.types import StopReason
from tests.evaluate.runs import result

NEEDED = {"accuracy", "macro_accuracy", "categories", "intervals", "calls", "cost_usd", "latency_seconds"}


@pytest.fixture
def results():
    rows = [result(f"t/{n}", n % 4 != 0, category="many", cost_usd=0.01, expert="reader", cluster=f"s{n // 2}") for n in range(12)]
    rows += [result(f"u/{n}", n == 0, category="few", seconds=10.0) for n in range(3)]
    broken = result("u/3", 0, category="few", stop=StopReason.INFRASTRUCTURE, error="perform: expert_error: down")
    return [*rows, broken]


def test_the_object_holds_what_is_asked_for(results):
    found = json.loads(orjson.dumps(scorecard("p", results).as_dict(), option=orjson.OPT_SERIALIZE_NUMPY))
    assert found.keys() >= NEEDED
    assert found["accuracy"] == pytest.approx(10 / 16)
    assert found["macro_accuracy"] == pytest.approx((0.75 + 0.25) / 2)
    assert found["categories"]["many"]["clusters"] == 6
    low, high = found["intervals"]["accuracy"]["clustered_bootstrap"]
    assert low < found["accuracy"] < high
    assert found["calls"] == 12 / 16
    assert found["cost_usd"] == pytest.approx(0.12 / 16)
    assert found["errors"] == [{"task_id": "u/3", "sample": 0, "error": "perform: expert_error: down"}]
    assert found["stops"] == {"answered": 15, "infrastructure": 1}
    assert found["repeats"] is None


def test_usage_counts_money_tokens_calls_and_time(results):
    failing = result("x", 0, expert="other", cost_usd=0.02)
    failed = [type(call)(call.expert, call.skill, "timeout", call.cost_usd) for call in failing.made]
    found = usage([*results, type(failing)(**{**failing.__dict__, "made": (*failed, type(failed[0])("other", "read", "not_made"))})])
    assert list(found.experts) == ["reader", "other"]
    assert found.experts["reader"].share == pytest.approx(12 / 13)
    assert (found.experts["other"].error_rate, found.experts["other"].calls) == (1.0, 1)
    assert found.skills["read"].calls == 13
    assert found.cost_per_correct_usd == pytest.approx(0.14 / 10)
    assert (found.expert_tokens_in, found.expert_tokens_out) == (120, 60)
    assert found.latency.p99 == pytest.approx(10.0)
    assert usage([result("a", 0)]).cost_per_correct_usd is None


def test_percentiles_interpolate():
    found = Latency.of([float(n) for n in range(1, 102)])
    assert (found.mean, found.p50, found.p90, found.p95, found.p99) == pytest.approx((51, 51, 91, 96, 100))
    assert math.isnan(Latency.of([]).p50)


def test_samples_of_a_question_are_told_apart():
    rows = [result(f"t/{n}", k == 0, sample=k, extracted="7" if k == 0 else "8", cluster="one scene") for n in range(3) for k in range(4)]
    card = scorecard("p", rows)
    assert card.overall.mean == 0.25
    assert (card.overall.questions, card.overall.clusters) == (3, 1)
    assert card.overall.wilson is None
    assert math.isnan(card.overall.error)
    assert card.repeats.pass_at[4] == 1.0
    assert card.repeats.majority == 0.0
    assert card.as_dict()["repeats"]["pass@2"] == pytest.approx(0.5)
    assert "pass@k: one right" in scorecard_tables(card)[1].columns


def test_the_tables_tell_what_broke(results):
    tables = {table.title: table for table in scorecard_tables(scorecard("p", results))}
    assert list(tables) == ["Accuracy", "Cost", "Seconds a question", "Calls by expert", "Calls by skill", "1 broken sample"]
    assert tables["Accuracy"].rows[-1][0] == "micro (all questions)"
    assert ("u/3", "0", "perform: expert_error: down") in tables["1 broken sample"].rows
    svg = categories_figure(scorecard("p", results)).svg
    assert "62.5 %" in svg


def test_a_curve_names_its_front_and_conventions():
    points = [CurvePoint(str(cost), cost, Interval(score, score, score)) for cost, score in [(1, 0.5), (2, 0.55), (3, 0.7), (4, 0.65)]]
    found = curve("toy", points)
    assert [found.on_front(point) for point in points] == [True, True, True, False]
    assert found.as_dict()["aiq_code"] == pytest.approx(0.475)
    assert [row[4] for row in found.table().rows] == ["+0.0", "-5.0", "+0.0", "-5.0"]


def test_a_macro_interval_that_takes_categories_as_certain_says_so(results):
    [table] = [one for one in scorecard_tables(scorecard("p", results)) if one.title == "Accuracy"]
    assert "too short" not in table.note
    lone = [result("v/0", 0, category="lone"), *(result(f"w/{n}", 1, category="all right") for n in range(5))]
    [table] = [one for one in scorecard_tables(scorecard("p", [*results, *lone])) if one.title == "Accuracy"]
    assert "takes 2 of 4 categories as certain" in table.note
