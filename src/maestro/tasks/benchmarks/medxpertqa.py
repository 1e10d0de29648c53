"""MedXpertQA: medical board questions, with pictures (five options) or without (ten)."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import letter_of, listed, plain, task_row
from maestro.tasks.row import Columns, Picture, Place, Row


def parse_pictures(row: Columns, place: Place) -> Row:
    """A row of the part MM; pictures are in `images.zip`."""
    return _parse(row, place, "medxpertqa")


def parse_text(row: Columns, place: Place) -> Row:
    """A row of the part Text."""
    return _parse(row, place, "medxpertqa_text")


def _parse(row: Columns, place: Place, name: str) -> Row:
    """`question`, `options` by letter, `label`, and names of `images`."""
    choices = listed(row, "options")
    letter = letter_of(row, "label", choices)
    names = row.texts("images")
    return task_row(
        row,
        place,
        name,
        key=plain(row, "id"),
        question=row.text("question", required=True),
        references=(letter,),
        profile=name,
        choices=choices,
        category=plain(row, "medical_task"),
        pictures=tuple(Picture(f"images[{index}]", path=f"images/{file}") for index, file in enumerate(names)),
    )


_REVISION = "7e7c465a68eb2b866926bfa59c8c9d17a8daba65"
_SPLITS = {"test": ("test",), "dev": ("dev",)}
_LAYOUTS = (frozenset({"id", "question", "options", "label"}),)

MEDXPERTQA = Benchmark(
    name="medxpertqa",
    title="MedXpertQA MM",
    measured="test",
    splits=_SPLITS,
    layouts=_LAYOUTS,
    profiles=("medxpertqa",),
    parse=parse_pictures,
    hub=Hub("TsinghuaC3I/MedXpertQA", revision=_REVISION, files=("MM/*", "images.zip")),
    folder="MM",
    packed={"images.zip": "images"},
)
MEDXPERTQA_TEXT = Benchmark(
    name="medxpertqa_text",
    title="MedXpertQA Text",
    measured="test",
    splits=_SPLITS,
    layouts=_LAYOUTS,
    profiles=("medxpertqa_text",),
    parse=parse_text,
    hub=Hub("TsinghuaC3I/MedXpertQA", revision=_REVISION, files=("Text/*",)),
    folder="Text",
    note="No pictures.",
)
