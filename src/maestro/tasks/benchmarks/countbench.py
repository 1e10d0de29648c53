"""CountBenchQA: how many of something a picture shows."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`question`, `number` and `image`."""
    return task_row(
        row,
        place,
        "countbench",
        question=row.text("question", required=True),
        references=gold(row, "number"),
        profile="countbench",
        category=plain(row, "number"),
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="countbench",
    title="CountBenchQA",
    measured="test",
    splits={"test": ("test", "train")},
    layouts=(frozenset({"image", "question", "number"}),),
    profiles=("countbench", "countbenchqa_vlmevalkit"),
    parse=parse,
    hub=Hub("vikhyatk/CountBenchQA", revision="76d600309e9d6147bd3713b4cd431518ac1206c8"),
)
