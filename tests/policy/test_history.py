"""What a dialect keeps of a generation, as ids: kept ids are the sampled ones, or the row says that it is no record of them."""

from collections.abc import Sequence

import pytest

from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.history import History
from maestro.policy.protocol import Codec, Kept
from maestro.types import Malformed, Observation, Turn


class Letters:
    """A tokenizer of single characters; `#` ends a message, and `AB` may also be one token (1000)."""

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join("AB" if number == 1000 else chr(number) for number in ids)

    def neutralise(self, text: str) -> str:
        return text


class Bracketed(MaestroDialect):
    """Keeps what stands between brackets."""

    closing = "#"

    def keep(self, text: str, generation: int, codec: Codec) -> Kept:
        inside = text.partition("[")[2].partition("]")[0]
        return Kept(inside, final=inside == "Z")


def history(limit: int = 100) -> History:
    return History([1, 2], Bracketed(), Letters(), limit=limit, reserve=0, observation_tokens=64)


def take(rows: History, text: str) -> None:
    ids = Letters().encode(text)
    rows.take(ids, [-float(number) for number in range(len(ids))], stopped=True)


def test_what_is_kept_has_the_sampled_ids_and_their_logprobs() -> None:
    rows = history()
    take(rows, "x[ab]y")
    frozen = rows.freeze()
    assert Letters().decode(frozen.completion_ids) == "ab#"
    assert (frozen.mask, frozen.logprobs) == ((1, 1, 0), (-2.0, -3.0, 0.0))
    assert frozen.untrainable == "generation 1: 2 sampled ids before what was kept were dropped"


def test_a_sampled_end_of_message_is_the_policys() -> None:
    class Whole(Bracketed):
        def keep(self, text: str, generation: int, codec: Codec) -> Kept:
            return Kept(text.removesuffix("#"))

    rows = History([1], Whole(), Letters(), limit=50, reserve=0, observation_tokens=64)
    take(rows, "ab#")
    take(rows, "cd")
    frozen = rows.freeze()
    assert Letters().decode(frozen.completion_ids) == "ab#cd#"
    assert frozen.mask == (1, 1, 1, 1, 1, 0)
    assert frozen.untrainable is None


def test_another_spelling_in_ids_is_not_passed_off_as_sampled() -> None:
    rows = history()
    rows.take([ord("["), 1000, ord("]")], [-1.0, -2.0, -3.0], stopped=True)
    frozen = rows.freeze()
    assert Letters().decode(frozen.completion_ids) == "AB#"
    assert (frozen.mask, frozen.logprobs) == ((0, 0, 0), (0.0, 0.0, 0.0))
    assert frozen.untrainable == "generation 1: the ids of what was kept are not the sampled ones"


def test_a_discarded_generation_leaves_no_trace_in_the_row() -> None:
    rows = history()
    decision = rows.take([ord("x")], [-1.0], stopped=True)
    assert decision.discarded
    assert (decision.text, decision.token_ids, rows.generation) == ("x", (ord("x"),), 1)
    assert rows.observe(Turn(decision=decision, action=Malformed(reason="none")))
    assert rows.freeze().completion_ids == ()


def test_a_final_decision_is_not_discarded() -> None:
    decision = history().take(Letters().encode("[Z]"), [0.0] * 3, stopped=False)
    assert (decision.final, decision.discarded, decision.truncated) == (True, False, True)


def test_the_first_reason_stays() -> None:
    rows = history()
    rows.spoil("first")
    rows.spoil("second")
    assert rows.freeze().untrainable == "first"


def test_an_observation_that_does_not_fit_is_refused() -> None:
    rows = history(limit=8)
    decision = rows.take(Letters().encode("[a]"), [0.0] * 3, stopped=True)
    turn = Turn(decision=decision, action=Malformed(reason="x"), observation=Observation(text="longer than that"))
    assert not rows.observe(turn)


def test_marks_of_another_length_raise() -> None:
    with pytest.raises(ValueError, match="1 ids with 2 marks"):
        history().buffer.append_kept([1], [1, 1], [0.0])


def test_a_generation_that_is_kept_whole_stays_id_for_id_and_is_closed() -> None:
    class Everything(Bracketed):
        def keep(self, text: str, generation: int, codec: Codec) -> Kept:
            return Kept(text)

    rows = History([1], Everything(), Letters(), limit=50, reserve=0, observation_tokens=64)
    rows.take([1000, ord("c")], [-1.0, -2.0], stopped=True)  # "AB" as one token, which encoding again would not give
    take(rows, "d#")
    frozen = rows.freeze()
    assert frozen.completion_ids == (1000, ord("c"), ord("#"), ord("d"), ord("#"))
    assert frozen.mask == (1, 1, 0, 1, 1)
    assert frozen.untrainable is None
