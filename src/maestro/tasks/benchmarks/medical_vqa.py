"""VQA-RAD and PathVQA: questions about radiology and pathology pictures."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import gold, one_picture, task_row
from maestro.tasks.row import Columns, Place, Row

_CLOSED = frozenset({"yes", "no"})


def parse_rad(row: Columns, place: Place) -> Row:
    """A row of VQA-RAD."""
    return _parse(row, place, "vqa_rad")


def parse_path(row: Columns, place: Place) -> Row:
    """A row of PathVQA."""
    return _parse(row, place, "pathvqa")


def _parse(row: Columns, place: Place, name: str) -> Row:
    """`image`, `question`, `answer`. The files do not say which questions are closed: those with a yes or no are."""
    references = gold(row, "answer")
    closed = bool(references) and references[0].strip().lower() in _CLOSED
    return task_row(
        row,
        place,
        name,
        question=row.text("question", required=True),
        references=references,
        profile=name,
        category="closed" if closed else "open",
        pictures=one_picture(row, "image"),
    )


_SPLITS = {"test": ("test",), "validation": ("validation", "val"), "train": ("train",)}
_LAYOUTS = (frozenset({"image", "question", "answer"}),)
_NOTE = "Closed questions are those with yes or no as the answer. No scorer is agreed on: say which."

VQA_RAD = Benchmark(
    name="vqa_rad",
    title="VQA-RAD",
    measured="test",
    splits=_SPLITS,
    layouts=_LAYOUTS,
    profiles=("vqa_rad",),
    parse=parse_rad,
    hub=Hub("flaviagiammarino/vqa-rad", revision="bcf91e7654fb9d51c8ab6a5b82cacf3fafd2fae9"),
    note=_NOTE,
)
PATHVQA = Benchmark(
    name="pathvqa",
    title="PathVQA",
    measured="test",
    splits=_SPLITS,
    layouts=_LAYOUTS,
    profiles=("pathvqa",),
    parse=parse_path,
    hub=Hub("flaviagiammarino/path-vqa", revision="1685832883334b5bb5beaf4e4b333fdeecaa4ad9"),
    note=_NOTE,
)
