"""HumanEval-V: write the function that a diagram specifies; scored by tests in the sandbox."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_ASKED = (
    "Complete the Python function whose behaviour the picture specifies. Answer with one ```python block that holds the imports it needs "
    "and the whole function."
)


def parse(row: Columns, place: Place) -> Row:
    """`diagram`, `function_signature` and `test_script`; the reference solution is not read."""
    signature = row.text("function_signature", required=True)
    return task_row(
        row,
        place,
        "humaneval_v",
        key=plain(row, "qid"),
        question=f"{_ASKED}\n\n```python\n{signature}\n```",
        references=(row.text("test_script", required=True),),
        profile="humaneval_v",
        params={"signature": signature},
        category=plain(row, "task_type"),
        pictures=one_picture(row, first_of(row, "diagram", "image")),
    )


BENCHMARK = Benchmark(
    name="humaneval_v",
    title="HumanEval-V",
    measured="test",
    splits={"test": ("test",)},
    layouts=(frozenset({"function_signature", "test_script"}),),
    profiles=("humaneval_v",),
    parse=parse,
    hub=Hub("HumanEval-V/HumanEval-V-Benchmark"),
    note="The instruction is ours. The newest revision has 253 rows, older ones 108; none is pinned.",
)
