"""RealWorldQA: photographs of streets and rooms."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, one_picture, options_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`question` with any options in it; an answer of one letter is scored as a choice, any other as text."""
    question, references = row.text("question", required=True), gold(row, "answer")
    choices = options_in(question)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(choices)]
    chosen = bool(references) and references[0].strip() in tuple(letters)
    return task_row(
        row,
        place,
        "realworldqa",
        key=plain(row, first_of(row, "index", "id")),
        question=question,
        references=references,
        profile="realworldqa" if chosen else "realworldqa_open",
        choices=choices if chosen else (),
        pictures=one_picture(row, "image"),
    )


BENCHMARK = Benchmark(
    name="realworldqa",
    title="RealWorldQA",
    measured="test",
    splits={"test": ("test", "realworldqa*")},
    layouts=(frozenset({"image", "question", "answer"}),),
    profiles=("realworldqa", "realworldqa_open"),
    parse=parse,
    hub=Hub(
        "lmms-lab/RealWorldQA",
        revision="907c4e5228fd1703c710ed937601cb5f89ab8d5c",
        mirrors={"xai-org/RealworldQA": "17e7f75e092e47169732462ea3cdfebe911105dd"},
    ),
)
