"""ScienceQA: school science, some questions with a picture."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub, Part
from maestro.tasks.benchmarks.reading import letter_of, listed, pictures_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`question`, `choices`, `answer` (from 0), `hint` (shown before the question), `image` (may be missing)."""
    choices = listed(row, "choices")
    letter = letter_of(row, "answer", choices)
    question, hint = row.text("question", required=True), row.text("hint")
    return task_row(
        row,
        place,
        "scienceqa",
        question=f"Context: {hint}\n{question}" if hint else question,
        references=(letter,),
        profile="scienceqa",
        choices=choices,
        category=plain(row, "subject"),
        pictures=pictures_in(row, "image"),
    )


def _there(value: object) -> bool:
    return value is not None


BENCHMARK = Benchmark(
    name="scienceqa",
    title="ScienceQA",
    measured="test",
    splits={"test": ("test",), "validation": ("validation", "val"), "train": ("train",)},
    layouts=(frozenset({"question", "choices", "answer"}),),
    profiles=("scienceqa",),
    parse=parse,
    hub=Hub("derek-thomas/ScienceQA", revision="f18b0a70359ebfb41f658fd564208d0355b013f4", files=("data/*",)),
    parts={"test-img": Part("test", "image", _there)},
    note="test-img are the questions with a picture, which most numbers of vision models are of.",
)
