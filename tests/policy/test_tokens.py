import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.policy.tokens import TokenBuffer, audit_placeholders


def test_mask_and_logprobs_follow_who_wrote() -> None:
    buffer = TokenBuffer([1, 2], limit=20)
    buffer.append_policy([3, 4], [-0.5, -0.25])
    assert buffer.append_observation([5])
    buffer.append_policy([6], [-1.0])
    row = buffer.freeze()
    assert row.prompt_ids == (1, 2)
    assert row.completion_ids == (3, 4, 5, 6)
    assert row.mask == (1, 1, 0, 1)
    assert row.logprobs == (-0.5, -0.25, 0.0, -1.0)
    assert buffer.ids == [1, 2, 3, 4, 5, 6]


def test_an_observation_that_leaves_no_room_for_an_answer_is_refused_whole() -> None:
    buffer = TokenBuffer([0] * 5, limit=10, reserve=3)
    assert buffer.append_observation([1, 1])
    assert not buffer.append_observation([1])
    assert len(buffer) == 7
    buffer.append_policy([2, 2, 2], [0.0] * 3)
    assert buffer.room == 0


def test_what_would_corrupt_the_row_raises() -> None:
    buffer = TokenBuffer([0], limit=2)
    with pytest.raises(ValueError, match="2 ids with 1 log-probs"):
        buffer.append_policy([1, 2], [0.0])
    with pytest.raises(ValueError, match="do not fit"):
        buffer.append_policy([1, 2], [0.0, 0.0])
    assert len(buffer) == 1


@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 99), max_size=6)), max_size=12))
def test_the_row_only_grows_at_its_end(steps: list[tuple[bool, list[int]]]) -> None:
    buffer = TokenBuffer([7, 7], limit=30, reserve=2)
    before = buffer.ids
    for policy, ids in steps:
        if policy and len(ids) <= buffer.room:
            buffer.append_policy(ids, [-1.0] * len(ids))
        elif not policy:
            buffer.append_observation(ids)
        assert buffer.ids[: len(before)] == before
        before = buffer.ids
    row = buffer.freeze()
    assert len(row.completion_ids) == len(row.mask) == len(row.logprobs)
    assert len(buffer) <= 30


def test_placeholders_are_counted_against_the_images() -> None:
    audit_placeholders([1, 9, 9, 2, 9], image_token=9, features=[2, 1])
    with pytest.raises(ValueError, match="3 image placeholders, but its 1 images have 2"):
        audit_placeholders([1, 9, 9, 9], image_token=9, features=[2])
