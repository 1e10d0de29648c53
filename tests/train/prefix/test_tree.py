from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro.train.prefix.attention import TreeMask
from maestro.train.prefix.tree import PrefixTree, grow


def keys(*rows: list[int]) -> list[np.ndarray]:
    return [np.array(row, np.int64) for row in rows]


def visible(tree: PrefixTree) -> list[set[int]]:
    """What each packed position may see, read off the blocks."""
    seen: list[set[int]] = []
    for block in tree.blocks:
        above = {place for start, stop in block.above for place in range(start, stop)}
        at = block.start
        for length in block.lengths:
            seen += [above | set(range(at, at + n + 1)) for n in range(length)]
            at += length
    return seen


def check(rows: list[np.ndarray]) -> PrefixTree:
    tree = grow(rows)
    seen = visible(tree)
    assert len(seen) == tree.length
    for row, packed in zip(rows, tree.packed, strict=True):
        assert [int(rows[tree.rows[place]][tree.places[place]]) for place in packed] == row.tolist()
        for count, place in enumerate(packed.tolist(), 1):
            assert seen[place] == set(packed[:count].tolist())
    return tree


def test_the_members_of_a_group_share_their_prompt_and_stand_in_two_blocks() -> None:
    prompt = list(range(100))
    rows = keys(*(prompt + [1000 + 10 * member + n for n in range(5)] for member in range(8)))
    tree = check(rows)
    assert tree.length == 100 + 8 * 5
    assert [block.lengths for block in tree.blocks] == [(100,), (5,) * 8]
    assert tree.blocks[1].keys == ((0, 140),)


def test_groups_share_the_menu_and_each_its_question() -> None:
    menu = list(range(64))
    questions = [[200 + group, *range(300, 340)] for group in range(3)]
    rows = keys(*(menu + questions[group] + [1000 + 10 * group + member] * 4 for group in range(3) for member in range(4)))
    assert check(rows).length == 64 + 3 * 41 + 12 * 4


def test_groups_that_begin_with_the_same_few_tokens_are_shared_one_by_one() -> None:
    rows = keys(*([1, 2, 10 + group, *range(100, 140), 1000 + member] for group in range(2) for member in range(3)))
    assert check(rows).length == 2 * 43 + 6


def test_a_row_that_is_another_one_or_begins_it_costs_nothing() -> None:
    row = list(range(50))
    assert check(keys(row, row, row[:30])).length == 50


def test_long_ends_are_attended_to_one_by_one_and_short_ones_together() -> None:
    prompt = list(range(40))
    rows = keys(*(prompt + list(range(1000 * member, 1000 * member + length)) for member, length in ((1, 15), (2, 15), (3, 30), (4, 90))))
    assert [block.lengths for block in check(rows).blocks] == [(40,), (15, 15), (30,), (90,)]


def test_rows_without_anything_in_common_stand_apart() -> None:
    tree = check(keys([1, 2, 3], [4, 5], [1, 9]))
    assert tree.length == 7
    assert all(not block.above for block in tree.blocks)


def test_a_short_stretch_far_below_is_not_shared() -> None:
    rows = keys(*(list(range(2000)) + [5000 + member // 2] * 30 + [6000 + member] for member in range(4)))
    assert check(rows).length == 2000 + 4 * 31  # 30 tokens saved would cost a copy of 2000 keys


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2), st.lists(st.integers(0, 1), max_size=40)).map(
            lambda made: [7] * 20 * made[0] + [8] * 18 * made[1] + made[2] + [9]
        ),
        min_size=1,
        max_size=9,
    )
)
def test_every_token_sees_its_own_row_and_nothing_else(rows: list[list[int]]) -> None:
    check(keys(*rows))


def test_attention_over_a_tree_is_that_of_every_row_alone() -> None:
    rows = keys(*([*range(60), *[100 + member] * (3 + member), *range(5)] for member in range(4)), [*range(30), 7, 8])
    tree = check(rows)
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, tree.length, 8, dtype=torch.float64, requires_grad=True) for heads in (4, 2, 2))
    result = TreeMask(tree).attend(query, key, value, 0.3)
    for packed in tree.packed:
        own = [states[:, :, torch.from_numpy(packed)] for states in (query, key, value)]
        alone = torch.nn.functional.scaled_dot_product_attention(*own, is_causal=True, scale=0.3, enable_gqa=True)
        torch.testing.assert_close(result[:, :, torch.from_numpy(packed)], alone, atol=1e-12, rtol=1e-12)
