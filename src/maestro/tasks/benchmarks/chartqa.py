"""ChartQA: questions about charts, half written by people, half generated."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_KINDS = {
    "0": "human",
    "1": "augmented",
    "human_test": "human",
    "test_human": "human",
    "augmented_test": "augmented",
    "test_augmented": "augmented",
}
_PICTURES = {"test": "test/png/", "validation": "val/png/", "train": "train/png/"}
"""Where pictures lie in the authors' own layout."""


def parse(row: Columns, place: Place) -> Row:
    """`query` and `label` (Hub, and the authors' JSON with `imgname`), or `question` and `answer` (lmms-eval, VLMEvalKit)."""
    if row.has("imgname"):
        row.values = {**row.values, "image": _PICTURES.get(str(place.split), "") + row.text("imgname")}
    kind = plain(row, first_of(row, "human_or_machine", "type", "split"))
    return task_row(
        row,
        place,
        "chartqa",
        question=row.text(first_of(row, "query", "question"), required=True),
        references=gold(row, first_of(row, "label", "answer")),
        profile="chartqa",
        category=_KINDS.get(kind, kind),
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="chartqa",
    title="ChartQA",
    measured="test",
    splits={
        "test": ("test", "test_human", "test_augmented", "chartqa_test"),
        "validation": ("val", "validation", "val_human", "val_augmented"),
        "train": ("train", "train_human", "train_augmented"),
    },
    layouts=(frozenset({"image", "query", "label"}), frozenset({"imgname", "query", "label"}), frozenset({"image", "question", "answer"})),
    profiles=("chartqa",),
    parse=parse,
    hub=Hub(
        "HuggingFaceM4/ChartQA",
        revision="b605b6e08b57faf4359aeb2fe6a3ca595f99b6c5",
        mirrors={"lmms-lab/ChartQA": "9e63b7df1592a1c2158e735cc1725454aef0d6d9"},
    ),
    note="Report human, augmented and their average.",
)
