from __future__ import annotations

from collections import Counter

import pytest

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.train.warm_start.traces import NOTHING, Trace, TraceWriter
from maestro.types import Answer, Call
from tests.train.toy import menu, scenes


@pytest.fixture(scope="module")
def writer() -> TraceWriter:
    return TraceWriter(scenes(60, "warm", ImageStore()), menu(), MaestroDialect(), seed=1)


def written(writer: TraceWriter, count: int = 600) -> list[Trace]:
    return [writer.trace(index) for index in range(count)]


def test_every_decision_parses_back_to_its_action_and_every_pair_is_allowed(writer: TraceWriter) -> None:
    for trace in written(writer):
        assert len(trace.turns) <= 4
        assert isinstance(trace.turns[-1].action, Answer)
        for turn in trace.turns:
            assert writer.dialect.parse(turn.decision.text) == turn.action
            if isinstance(turn.action, Call):
                assert writer.menu.allows(turn.action.expert, turn.action.skill)


def test_what_is_answered_or_passed_on_was_seen_and_is_the_most_confident(writer: TraceWriter) -> None:
    for trace in written(writer):
        seen = []
        for turn in trace.turns:
            answering = isinstance(turn.action, Answer)
            copied = turn.action.text if isinstance(turn.action, Answer) else turn.action.query if isinstance(turn.action, Call) else ""
            rivals = [one for one in seen if (one.gives == "answer") == answering and one.value is not None]
            if copied and rivals:
                best = max(rivals, key=lambda one: float(one.text.splitlines()[1].split()[1]))
                assert copied == best.value
            if turn.observation is not None:
                seen.append(turn.observation)


def test_experts_are_uniform_whatever_the_look_and_confidence_does_not_decide_asking_again(writer: TraceWriter) -> None:
    first: Counter[tuple[str, str]] = Counter()
    again: dict[bool, list[bool]] = {True: [], False: []}
    for trace in written(writer, 3000):
        action = trace.turns[0].action
        look = trace.turns[0].decision.text.split("; ")[1].split("<")[0]
        if isinstance(action, Call) and action.skill == "read":
            first[look, action.expert] += 1
            seen, then = trace.turns[0].observation, trace.turns[1].action
            if seen is not None and seen.value is not None:
                again[(seen.confidence or 0) > 0.5].append(isinstance(then, Call) and then.skill == "read")
    for look in ("plain", "noisy"):
        share = first[look, "page-ocr"] / (first[look, "page-ocr"] + first[look, "full-ocr"])
        assert 0.42 < share < 0.58
    assert abs(sum(again[True]) / len(again[True]) - sum(again[False]) / len(again[False])) < 0.08


def test_the_same_index_gives_the_same_trace_and_another_seed_another(writer: TraceWriter) -> None:
    again = TraceWriter(writer.scenes, writer.menu, writer.dialect, seed=1)
    other = TraceWriter(writer.scenes, writer.menu, writer.dialect, seed=2)
    assert written(again, 20) == written(writer, 20) != written(other, 20)


def test_plans_must_be_on_the_menu(writer: TraceWriter) -> None:
    small = menu().__class__(menu().experts, menu().skills[:1])
    with pytest.raises(ConfigError, match="count, locate, solve"):
        TraceWriter(writer.scenes, small, MaestroDialect(), seed=1)


def test_when_nobody_finds_anything_some_traces_say_so(writer: TraceWriter) -> None:
    ends = [
        trace for trace in written(writer, 2000) if all(turn.observation is None or turn.observation.value is None for turn in trace.turns)
    ]
    given_up = [trace for trace in ends if len(trace.turns) > 1]
    assert given_up
    for trace in given_up:
        assert isinstance(trace.turns[-1].action, Answer)
        assert trace.turns[-1].action.text == NOTHING
        assert trace.turns[-2].observation is not None
        assert NOTHING in trace.turns[-2].observation.text


def test_drills_have_no_picture_and_carry_every_kind_of_value(writer: TraceWriter) -> None:
    drills = [writer.drill(index) for index in range(400)]
    assert all(not drill.task.images for drill in drills)
    assert all("; unseen</think>" in drill.turns[0].decision.text for drill in drills)
    kinds = Counter(drill.turns[0].observation.gives for drill in drills if drill.turns[0].observation is not None)
    assert set(kinds) == {"answer", "expression", "region"}
    assert min(kinds.values()) > 90
    assert writer.batch(3, 2, 2) == [writer.trace(6), writer.trace(7), writer.drill(6), writer.drill(7)]
