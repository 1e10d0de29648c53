"""MATH-Vision: problems of mathematics competitions with a picture."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, listed, pictures_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`question` with its `<image1>` marks, `options` (may be empty), and `answer`, a letter or a value."""
    return task_row(
        row,
        place,
        "mathvision",
        key=plain(row, "id"),
        question=row.text("question", required=True),
        references=gold(row, "answer"),
        profile="mathvision",
        choices=listed(row, "options"),
        category=plain(row, "subject"),
        pictures=pictures_in(row, first_of(row, "decoded_image", "image")),
    )


BENCHMARK = Benchmark(
    name="mathvision",
    title="MATH-Vision",
    measured="test",
    splits={"test": ("test",), "testmini": ("testmini",)},
    layouts=(frozenset({"question", "options", "answer"}),),
    profiles=("mathvision",),
    parse=parse,
    hub=Hub("MathLLMs/MathVision", revision="2837ddb3f13abaf6b3997c12d80753e5470bd46a", files=("data/*",)),
    note="Answers of the problems 338 and 1826 were corrected at some time; the pinned commit is the newest of June 2026.",
)
