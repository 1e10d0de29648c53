"""OCRBench: reading text, forms, documents and formulas."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_FORMULAS = "HME100k"
"""Handwritten formulas, for which case and blanks count differently."""


def parse(row: Columns, place: Place) -> Row:
    """`question`, a list `answer` of which any may occur in the reply, `question_type` and `dataset`."""
    return task_row(
        row,
        place,
        "ocrbench",
        key=plain(row, first_of(row, "id", "index")),
        question=row.text("question", required=True),
        references=gold(row, "answer"),
        profile="ocrbench_hme100k" if plain(row, "dataset").lower() == _FORMULAS.lower() else "ocrbench",
        category=plain(row, first_of(row, "question_type", "category")),
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="ocrbench",
    title="OCRBench",
    measured="test",
    splits={"test": ("test", "ocrbench")},
    layouts=(frozenset({"image", "question", "answer"}),),
    profiles=("ocrbench", "ocrbench_hme100k"),
    parse=parse,
    hub=Hub("echo840/OCRBench", revision="92a54bd1384387c178d5a07140a2d85e0a3d12e1"),
    note="The published score is the number right out of 1000.",
)
