"""What is on record about a pair."""

from __future__ import annotations

import numpy as np
import pytest

from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.reading.record import MOMENTS, OUTCOME, TrackRecord, likeness, moments
from maestro.policy.reading.situation import worth_at
from maestro.train.reading.ground import part_of
from maestro.train.reading.recorded_worth import record_of
from maestro.types import Observation, Task

PLACES = np.eye(4, dtype=np.float32)
OUTCOMES = np.array([[1, 1, 0, 0.9], [0, 1, 0, 0.1], [1, 1, 0, 0.8], [np.nan] * 4], dtype=np.float32)


def test_what_is_alike_counts_more() -> None:
    found = moments(likeness(PLACES[:2], PLACES), OUTCOMES)
    assert found.shape == (2, MOMENTS)
    assert found[0, 1] == 3  # what is not known is not counted
    assert found[0, 2] > 2 / 3 > found[1, 2]


def test_a_question_is_not_on_its_own_record() -> None:
    weights = likeness(PLACES, PLACES)
    found = moments(weights, OUTCOMES, own=True)
    assert found[:, 1].tolist() == [2, 2, 2, 3]
    assert found[0, 2] == pytest.approx(0.5, abs=1e-4)  # the other two: right and wrong
    alone = moments(weights[:1, :1], OUTCOMES[:1], own=True)
    assert alone[0, 1] == 0
    assert not alone[0, 2:].any()


def test_an_empty_record_says_nothing() -> None:
    assert not moments(np.ones((2, 4), np.float32), np.full((4, OUTCOME), np.nan, np.float32)).any()
    assert not moments(np.zeros((2, 0), np.float32), np.zeros((0, OUTCOME), np.float32)).any()


def test_confidence_is_read_by_what_it_was_worth() -> None:
    honest = moments(np.ones((1, 4), np.float32), OUTCOMES)
    assert worth_at(honest, np.array([0.9]))[0] > 0.8
    assert worth_at(honest, np.array([0.1]))[0] < 0.3
    assert worth_at(np.zeros((1, MOMENTS), np.float32), np.array([0.9]))[0] == 0.0


def test_records_join_and_come_back_from_their_arrays() -> None:
    ours = TrackRecord(PLACES, {("a", "read"): OUTCOMES}, {})
    theirs = TrackRecord(PLACES[:2], {("b", "read"): OUTCOMES[:2]}, {("b", "solve"): OUTCOMES[:2]})
    both = ours.joined(theirs)
    again = TrackRecord.of_arrays(both.arrays())
    assert again.places.shape == (6, 4)
    weights = likeness(PLACES[:1], again.places)
    assert np.allclose(again.of(("a", "read"), weights)[0], ours.of(("a", "read"), likeness(PLACES[:1], PLACES))[0])
    assert again.of(("b", "solve"), weights)[1][0, 1] == 2
    assert not np.concatenate(again.of(("c", "read"), weights)).any()
    assert set(both.only(frozenset({("b", "read")})).asked) == {("b", "read")}
    assert part_of(ours, 2, np.random.default_rng(0)).places.shape == (2, 4)


def test_a_call_is_worth_what_follows_from_it() -> None:
    task = Task(id="t", question="How much is it?", references=("5",), profile="number")
    outcomes = {
        ("a", "read", ""): Observation(value="2+3", gives="expression", confidence=0.9),
        ("s", "solve", "2+3"): Observation(value="5", confidence=1.0),
        ("b", "read", ""): Observation(value="7", confidence=0.4),
        ("c", "read", ""): Observation(text="error: cannot", status="policy_error"),
    }
    pairs = [("a", "read"), ("b", "read"), ("c", "read"), ("s", "solve")]
    record = record_of([RecordedTask(task, outcomes)], PLACES[:1], pairs)
    assert record.asked["a", "read"][0].tolist() == pytest.approx([1, 1, 0, 0.9])
    assert record.asked["b", "read"][0].tolist() == pytest.approx([0, 1, 0, 0.4])
    assert record.asked["c", "read"][0].tolist() == [0, 0, 1, 0]
    assert np.isnan(record.asked["s", "solve"]).all()
    assert record.carried["s", "solve"][0, 0] == 1.0
