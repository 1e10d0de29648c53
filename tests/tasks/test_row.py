"""Whatever stands in a row, reading it gives a task or says what is wrong."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from maestro.tasks import original, plain, recorded, trl
from maestro.tasks.row import Columns, Place, RowFault

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
message = st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]) | anything, "content": st.text(max_size=9) | anything})
struct = st.dictionaries(st.sampled_from(["question", "index", "split", "ground_truth", "bytes", "path", "target"]), anything, max_size=4)
value = anything | struct | st.lists(struct, max_size=2) | st.lists(message, max_size=3)
RECORDED = ("task_id", "dataset", "split", "category", "image", "scene_id", "question", "options", "answer", "answer_type", "answer_meta")


@pytest.mark.parametrize(
    ("form", "columns"),
    [(plain, plain.COLUMNS), (trl, trl.COLUMNS), (original, original.COLUMNS), (recorded, RECORDED)],
    ids=["plain", "trl", "original", "recorded"],
)
def test_no_row_breaks_the_reader(form, columns):
    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.dictionaries(st.sampled_from(columns), value))
    def check(row):
        read = Columns(row)
        try:
            task = form.parse(read, Place("stem", 1)).task
        except RowFault:
            return
        assert not read.problems
        assert task.id
        assert task.question

    check()
