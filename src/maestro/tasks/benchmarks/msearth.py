"""MSEarth, the multiple-choice part: figures of earth science."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, letter_of, listed, options_in, pictures_in, plain, task_row, without_slots
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`query` with the options in it, `images` or `image`, and `response`: a letter, or letter and text."""
    question = row.text(first_of(row, "query", "question"), required=True)
    choices = listed(row, "options") or options_in(question)
    letter = letter_of(row, first_of(row, "response", "answer"), choices)
    return task_row(
        row,
        place,
        "msearth",
        key=plain(row, "question_id"),
        question=without_slots(question),
        references=(letter, choices["ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter)]) if letter else (),
        profile="msearth",
        choices=choices,
        category=plain(row, "classification_result") or plain(row, "vqa_type"),
        pictures=pictures_in(row, first_of(row, "images", "image")),
    )


BENCHMARK = Benchmark(
    name="msearth",
    title="MSEarth MCQ",
    measured="test",
    splits={"test": ("test", "train", "mcq", "*mcq*")},
    layouts=(frozenset({"query", "response"}), frozenset({"question", "options", "answer"})),
    profiles=("msearth",),
    parse=parse,
    hub=Hub("MSEarth-Data/MSEarth-Benchmark-MCQ"),
    note="The Hub name was seen in one place only; where it is wrong, name another with --dataset.",
)
