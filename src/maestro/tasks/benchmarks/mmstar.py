"""MMStar: multiple choice that cannot be answered without looking."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import gold, one_picture, options_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`question` with its options, `answer`, `category`, `image`."""
    question = row.text("question", required=True)
    return task_row(
        row,
        place,
        "mmstar",
        key=plain(row, "index"),
        question=question,
        references=gold(row, "answer"),
        profile="mmstar",
        choices=options_in(question),
        category=plain(row, "category"),
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="mmstar",
    title="MMStar",
    measured="val",
    splits={"val": ("val", "validation", "mmstar", "test")},
    layouts=(frozenset({"image", "question", "answer"}),),
    profiles=("mmstar",),
    parse=parse,
    hub=Hub("Lin-Chen/MMStar", revision="bc98d668301da7b14f648724866e57302778ab27"),
)
