import gzip
import json

import pytest

from maestro.scoring.lines import score_lines

GOOD = {"benchmark": "chartqa", "prediction": "14", "reference": "14"}


def scored(*lines):
    return list(score_lines(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))


def test_other_fields_are_kept_and_order_too():
    first, second = scored({**GOOD, "id": 7}, {**GOOD, "prediction": "x"})
    assert json.loads(first.as_json()) == {
        **GOOD,
        "id": 7,
        "score": 1.0,
        "extracted": "14",
        "rule": "relaxed_numeric",
        "reason": "compared as numbers, 5 % of the gold",
    }
    assert (first.number, second.number, second.score.score) == (1, 2, 0)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"{", "no JSON"),
        (b"[1]", "no JSON object but list"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        ({"benchmark": "chartqa", "prediction": "1"}, "no field reference"),
        ({**GOOD, "benchmark": "chartqs"}, "did you mean chartqa"),
        ({**GOOD, "benchmark": 3}, "name of a profile"),
        ({**GOOD, "reference": {"x": 1}}, "reference: a reference that is an object"),
        ({**GOOD, "benchmark": "choice", "options": 3}, "options: options are a list"),
        ({**GOOD, "benchmark": "choice", "options": list(range(30))}, "30 options"),
        ({**GOOD, "params": {"year": "YES"}}, "takes no parameters"),
        ({**GOOD, "params": [1]}, "params is an object"),
        ({**GOOD, "benchmark": "chartqapro", "params": {"year": "MAYBE"}}, "year is YES or NO"),
        ({**GOOD, "benchmark": "mathvista_free_form", "params": {"answer_type": "number"}}, "answer_type is one of"),
        ({**GOOD, "benchmark": "mathvista_free_form", "params": {"answer_type": "float", "precision": "x"}}, "precision is a number"),
        ({**GOOD, "benchmark": "vqa_rad", "params": {"answer_type": "x"}}, "CLOSED or OPEN"),
    ],
)
def test_a_bad_line_is_told_and_costs_no_other(line, told):
    before, bad, after = scored(GOOD, line, GOOD)
    assert told in bad.error
    assert (bad.number, before.score.score, after.score.score) == (2, 1, 1)
    assert json.loads(bad.as_json())["line"] == 2


def test_blank_lines_count_and_half_surrogates_come_back():
    only, odd = scored(b"\n", GOOD, b'{"benchmark": "gqa", "prediction": "\\ud800", "reference": "\\ud800"}')
    assert only.number == 2
    assert json.loads(odd.as_json())["prediction"] == "\ud800"


@pytest.mark.parametrize(("prediction", "score"), [(None, 0), (14, 1), (14.0, 1), (True, 0), ("", 0), (["14"], 0), ({"answer": 14}, 0)])
def test_predictions_that_are_no_text(prediction, score):
    [one] = scored({**GOOD, "prediction": prediction})
    assert one.score.score == score


def test_a_reference_of_null_scores_0():
    [one] = scored({**GOOD, "reference": None})
    assert (one.score.score, one.score.reason) == (0, "no reference answer")


@pytest.mark.parametrize(
    ("benchmark", "params", "told"),
    [
        ("number", {"absolute": "x"}, "absolute is a finite number, 0 or more, not 'x'"),
        ("number", {"relative": -1}, "relative is"),
        ("number", {"absolute": float("nan")}, "absolute is"),
        ("number", {"absolute": float("inf")}, "absolute is"),
        ("number", {"absolute": True}, "absolute is"),
        ("math", {"tolerance": None}, "tolerance is"),
        ("math", {"fbox": "yes"}, "fbox is true or false"),
        ("humaneval_v", {"seconds": 0}, "seconds is a finite number above 0"),
        ("humaneval_v", {"signature": 5}, "signature is text"),
        ("refcoco", {"metric": 5}, "metric is text"),
        ("screenspot", {"coords": ["pixel"]}, "coords is text"),
    ],
)
@pytest.mark.parametrize("prediction", ["1", ""])
def test_a_parameter_of_the_wrong_kind_costs_its_line_and_no_other(benchmark, params, told, prediction):
    bad = {"benchmark": benchmark, "prediction": prediction, "reference": "1", "params": params}
    good = {"benchmark": "exact", "prediction": "1", "reference": "1"}
    first, second = score_lines([json.dumps(bad).encode(), json.dumps(good).encode()])
    assert first.error.startswith(told)
    assert second.score.score == 1


def test_a_compressed_file_is_told_from_a_broken_one():
    [first] = score_lines([gzip.compress(b"{}")])
    assert first.error == "the file is compressed; unpack it (gunzip) first"
