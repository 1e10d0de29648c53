"""MathVerse: problems in five versions, from all in the text to all in the picture."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import first_of, gold, options_in, pictures_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`query_wo` (the official prompt for a direct answer), else `question`; the versions of a problem are one cluster."""
    question = row.text(first_of(row, "query_wo", "question_for_eval", "question"), required=True)
    about = row.inside("metadata")
    version = plain(row, "problem_version")
    return task_row(
        row,
        place,
        "mathverse",
        key=plain(row, "sample_index"),
        question=question,
        references=gold(row, "answer"),
        profile="mathverse",
        choices=options_in(question) if plain(row, "question_type") == "multi-choice" else (),
        category=version or plain(about, "subject"),
        cluster=plain(row, "problem_index"),
        pictures=pictures_in(row, "image"),
    )


BENCHMARK = Benchmark(
    name="mathverse",
    title="MathVerse",
    measured="testmini",
    splits={"testmini": ("testmini",), "testmini_text_only": ("testmini_text_only",)},
    layouts=(frozenset({"problem_index", "problem_version", "question", "answer"}), frozenset({"problem_index", "question", "answer"})),
    profiles=("mathverse",),
    parse=parse,
    hub=Hub(
        "AI4Math/MathVerse",
        revision="3bc86196678bad115a923d2851c6821dbe235939",
        mirrors={"CaraJ/MathVerse-lmmseval": None},
    ),
    note="Published numbers use two steps of a judge model; the headline average leaves the text-only version out.",
)
