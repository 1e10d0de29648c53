"""HR-Bench: fine details in pictures of 4K and 8K, every question in four orders of its options."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import digest_of, letter_of, lettered, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """VLMEvalKit's columns. The four orders of a question are one cluster."""
    question, choices = row.text("question", required=True), lettered(row)
    letter = letter_of(row, "answer", choices)
    return task_row(
        row,
        place,
        "hr_bench",
        key=plain(row, "index"),
        question=question,
        references=(letter,),
        profile="hr_bench",
        choices=choices,
        category=plain(row, "category"),
        cluster=digest_of(question, *sorted(choices)),
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="hr_bench",
    title="HR-Bench",
    measured="4k",
    splits={"4k": ("hr_bench_4k", "hrbench_4k", "hrbench4k", "4k"), "8k": ("hr_bench_8k", "hrbench_8k", "hrbench8k", "8k")},
    layouts=(frozenset({"question", "image", "A", "B", "answer"}),),
    profiles=("hr_bench",),
    parse=parse,
    hub=Hub("DreamMr/HR-Bench", revision="83b9013d6293b85dc507e87199ca52517536939c", files=("*.parquet",)),
    licence="other",
    note="Accuracy over the four orders, which is not all four right.",
)
