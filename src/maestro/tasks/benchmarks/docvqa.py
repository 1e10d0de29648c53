"""DocVQA and InfographicVQA: questions about scanned pages and infographics."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_FOLDERS = {"docvqa": "documents", "infovqa": "images"}


def parse(row: Columns, place: Place) -> Row:
    """A question about a page, of DocVQA."""
    return _parse(row, place, "docvqa")


def parse_infographic(row: Columns, place: Place) -> Row:
    """A question about an infographic, of InfographicVQA."""
    return _parse(row, place, "infovqa")


def _parse(row: Columns, place: Place, name: str) -> Row:
    """`question`, `answers` of which the nearest counts, `image`; the authors' JSON names it, or has `image_local_name`."""
    if row.has("image_local_name"):
        row.values = {**row.values, "image": f"{_FOLDERS[name]}/{row.text('image_local_name')}"}
    kinds = row.values.get("question_types")
    return task_row(
        row,
        place,
        name,
        key=plain(row, first_of(row, "questionId", "index")),
        question=row.text("question", required=True),
        references=gold(row, first_of(row, "answers", "answer")),
        profile=name,
        category=str(kinds[0]) if isinstance(kinds, list) and kinds else "",
        cluster=plain(row, first_of(row, "docId", "image_local_name")),
        pictures=one_picture(row, "image"),
    )


_REVISION = "539088ef8a8ada01ac8e2e6d4e372586748a265e"
_SPLITS = {
    "validation": ("val", "validation", "val_v1.0*", "infographicsvqa_val*", "docvqa_val", "infovqa_val"),
    "test": ("test", "*test*"),
    "train": ("train*",),
}
_LAYOUTS = (
    frozenset({"question", "answers", "image"}),
    frozenset({"question", "answers", "image_local_name"}),
    frozenset({"question", "answer", "image"}),
)

DOCVQA = Benchmark(
    name="docvqa",
    title="DocVQA",
    measured="validation",
    splits=_SPLITS,
    layouts=(*_LAYOUTS, frozenset({"question", "image"})),
    profiles=("docvqa",),
    parse=parse,
    hub=Hub("lmms-lab/DocVQA", revision=_REVISION, files=("DocVQA/*",)),
    hidden=("test",),
    folder="DocVQA",
)
INFOVQA = Benchmark(
    name="infovqa",
    title="InfographicVQA",
    measured="validation",
    splits=_SPLITS,
    layouts=(*_LAYOUTS, frozenset({"question", "image"})),
    profiles=("infovqa",),
    parse=parse_infographic,
    hub=Hub("lmms-lab/DocVQA", revision=_REVISION, files=("InfographicVQA/*",)),
    hidden=("test",),
    folder="InfographicVQA",
)
