"""MMBench: multiple choice over twenty abilities, in VLMEvalKit's table."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub, Part
from maestro.tasks.benchmarks.reading import letter_of, lettered, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_ORDERS = 1_000_000
"""How far apart the indices of one question are that is asked with its options in several orders."""


def parse(row: Columns, place: Place) -> Row:
    """`question`, `hint` (shown before it), A to D, `answer`, `category`. The orders of a question are one cluster."""
    choices = lettered(row)
    letter = letter_of(row, "answer", choices)
    index = plain(row, "index")
    question, hint = row.text("question", required=True), row.text("hint")
    return task_row(
        row,
        place,
        "mmbench",
        key=index,
        question=f"{hint}\n{question}" if hint and hint.lower() != "nan" else question,
        references=(letter,),
        profile="mmbench",
        choices=choices,
        category=plain(row, "category"),
        cluster=str(int(index) % _ORDERS) if index.isdecimal() else "",
        pictures=one_picture(row, "image"),
    )


def _first_order(index: object) -> bool:
    """Of a number or its digits; a row without an index counts as asked once."""
    text = str(index).removesuffix(".0")
    return not text.isdecimal() or int(text) < _ORDERS


BENCHMARK = Benchmark(
    name="mmbench",
    title="MMBench",
    measured="dev",
    splits={"dev": ("mmbench_dev_en*", "dev", "mmbench"), "test": ("mmbench_test*", "test")},
    layouts=(frozenset({"question", "A", "B", "image"}),),
    profiles=("mmbench",),
    parse=parse,
    hub=Hub("lmms-lab/MMBench", revision="56ba1af8954932c4804bd3f522e05ed96e63b654", files=("en/*",)),
    folder="en",
    hidden=("test",),
    parts={"dev-once": Part("dev", "index", _first_order)},
    note="On the Hub dev asks a question in every order of its options, dev-once asks it once; the official score wants all orders right.",
)
