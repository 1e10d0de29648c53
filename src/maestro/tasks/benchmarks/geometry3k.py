"""Geometry3K: problems on a drawing, with numbers, roots and fractions as answers; answered freely or by four choices."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, letter_of, listed, pictures_in, plain, task_row, without_slots
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`problem` with `<image>` slots and a LaTeX `answer`; choices that newer revisions add are not shown."""
    return task_row(
        row,
        place,
        "geometry3k",
        key=plain(row, "id"),
        question=without_slots(row.text("problem", required=True)),
        references=gold(row, "answer"),
        profile="geometry3k",
        pictures=pictures_in(row, "images"),
    )


def parse_choice(row: Columns, place: Place) -> Row:
    """`problem` or `question`, four `choices`, and the right letter as `ground_truth` or `answer`."""
    choices = listed(row, first_of(row, "choices", "options"))
    letter = letter_of(row, first_of(row, "ground_truth", "answer"), choices)
    return task_row(
        row,
        place,
        "geometry3k_choice",
        key=plain(row, "id"),
        question=without_slots(row.text(first_of(row, "problem", "question"), required=True)),
        references=(letter,),
        profile="geometry3k_choice",
        choices=choices,
        pictures=pictures_in(row, first_of(row, "images", "image")),
    )


_SPLITS = {"test": ("test",), "validation": ("validation", "val"), "train": ("train",)}
FREE = Benchmark(
    name="geometry3k",
    title="Geometry3K",
    measured="test",
    splits=_SPLITS,
    layouts=(frozenset({"images", "problem", "answer"}),),
    profiles=("geometry3k", "geometry3k_verl", "math_verify", "math"),
    parse=parse,
    hub=Hub("hiyouga/geometry3k", revision="fd21e533e1e50d0662a2bf7b223e60511bd5f8b7"),
    note="The answer of an episode stands for the content of the box that the rule asks for; geometry3k_verl wants the box itself.",
)
CHOICE = Benchmark(
    name="geometry3k_choice",
    title="Geometry3K with four choices",
    measured="test",
    splits=_SPLITS,
    layouts=(frozenset({"images", "problem", "choices", "ground_truth"}), frozenset({"image", "question", "options", "answer"})),
    profiles=("geometry3k_choice",),
    parse=parse_choice,
    hub=Hub("hiyouga/geometry3k", mirrors={"Yang130/geometry3k_4choices_mixed": None}),
    note="Needs a revision with choices; the one that geometry3k is pinned to has none.",
)
