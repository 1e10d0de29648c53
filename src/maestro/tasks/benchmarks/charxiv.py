"""CharXiv, the reasoning questions: charts from papers."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_ANSWER_TYPES = {"1": "text in chart", "2": "text in general", "3": "number in chart", "4": "number in general"}


def parse(row: Columns, place: Place) -> Row:
    """`reasoning_q` and `reasoning_a`. The descriptive questions are numbers of templates that are not in the data, and are not read."""
    kind = plain(row, "reasoning_a_type")
    figure = plain(row, first_of(row, "original_id", "figure_path"))
    return task_row(
        row,
        place,
        "charxiv",
        question=row.text("reasoning_q", required=True),
        references=gold(row, "reasoning_a"),
        profile="charxiv",
        category=_ANSWER_TYPES.get(kind, kind),
        cluster=figure,
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="charxiv",
    title="CharXiv",
    measured="validation",
    splits={"validation": ("val", "validation"), "test": ("test",)},
    layouts=(frozenset({"image", "reasoning_q", "reasoning_a"}),),
    profiles=("charxiv",),
    parse=parse,
    hub=Hub("princeton-nlp/CharXiv", revision="f441eb632fc62f6f777830a0f47619e6e86459b0"),
    hidden=("test",),
    note="Reasoning questions only. The official score is a judge model's; the rule is a fallback.",
)
