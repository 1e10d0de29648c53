"""MathVista: mathematics in pictures from 31 data sets."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, listed, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`query` (the official prompt, with hint and choices) or else `question`; a choice's answer is its text.

    Free answers are scored by `answer_type` and `precision`.
    """
    choices = listed(row, "choices")
    chosen = plain(row, "question_type") == "multi_choice" or bool(choices)
    about = row.inside("metadata")
    return task_row(
        row,
        place,
        "mathvista",
        key=plain(row, first_of(row, "pid", "key")),
        question=row.text(first_of(row, "query", "question"), required=True),
        references=gold(row, "answer"),
        profile="mathvista" if chosen else "mathvista_free_form",
        params={} if chosen else _free(row),
        choices=choices,
        category=plain(about, "task"),
        pictures=one_picture(row, "decoded_image", "image"),
    )


def _free(row: Columns) -> dict[str, object]:
    """What the rule for free answers has to know."""
    kind, precision = plain(row, "answer_type"), plain(row, "precision")
    if not kind:
        row.fail("answer_type", "is missing; the rule for an answer depends on it")
    return {"answer_type": kind, **({"precision": int(float(precision))} if precision else {})}


BENCHMARK = Benchmark(
    name="mathvista",
    title="MathVista",
    measured="testmini",
    splits={"testmini": ("testmini",), "test": ("test",)},
    layouts=(frozenset({"question", "answer", "answer_type", "question_type", "image"}),),
    profiles=("mathvista", "mathvista_free_form"),
    parse=parse,
    hub=Hub("AI4Math/MathVista", revision="2b6ad69445fbb5695c9b165475e8decdbeb97747", files=("data/*",)),
    hidden=("test",),
    note="Published numbers mostly use a model to extract the answer; ours does not.",
)
