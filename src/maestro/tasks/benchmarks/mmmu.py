"""MMMU: college exams in thirty subjects."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import gold, letter_of, listed, pictures_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_PICTURES = tuple(f"image_{number}" for number in range(1, 8))


def parse(row: Columns, place: Place) -> Row:
    """`options` is a text that holds a list; pictures are in `image_1` to `image_7`, named `<image 1>` in question and options."""
    choices = listed(row, "options")
    chosen = plain(row, "question_type") != "open" and bool(choices)
    key = plain(row, "id")
    letter = letter_of(row, "answer", choices) if chosen else ""
    return task_row(
        row,
        place,
        "mmmu",
        key=key,
        question=row.text("question", required=True),
        references=(letter,) if chosen else gold(row, "answer"),
        profile="mmmu" if chosen else "mmmu_open",
        choices=choices if chosen else (),
        category=_subject(key) or plain(row, "subfield"),
        pictures=pictures_in(row, *_PICTURES),
    )


def _subject(key: str) -> str:
    """`Art_Theory` of `validation_Art_Theory_12`."""
    _, _, rest = key.partition("_")
    subject, _, number = rest.rpartition("_")
    return subject if number.isdigit() else ""


BENCHMARK = Benchmark(
    name="mmmu",
    title="MMMU",
    measured="validation",
    splits={"validation": ("val", "validation"), "dev": ("dev",), "test": ("test",)},
    layouts=(frozenset({"id", "question", "options", "answer", "image_1"}),),
    profiles=("mmmu", "mmmu_open"),
    parse=parse,
    hub=Hub(
        "MMMU/MMMU",
        revision="98e6ac0cb9b7b2cd2c991b85a50762edc4aedc68",
        mirrors={"lmms-lab/MMMU": "364f2e2eb107b36e07ff4c5a15f5947a759cef47"},
    ),
    hidden=("test",),
    note="One folder a subject on the Hub; they are read as one.",
)
