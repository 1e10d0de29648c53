"""V* Bench: small things in large photographs."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import digest_of, first_of, letter_of, lettered, listed, one_picture, options_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def parse(row: Columns, place: Place) -> Row:
    """`text` with its options and `label` (Hub), VLMEvalKit's table, or the authors' JSON beside each picture.

    In the authors' files the right option always stands first, so these are put in an order that follows from the file's name.
    """
    if row.has("file"):
        return _raw(row, place)
    question = row.text(first_of(row, "text", "question"), required=True)
    choices = lettered(row) or options_in(question)
    letter = letter_of(row, first_of(row, "label", "answer"), choices)
    return _row(row, place, plain(row, first_of(row, "question_id", "index")), question, choices, letter, plain(row, "category"))


def _raw(row: Columns, place: Place) -> Row:
    """A row of the authors' own files: `question`, and `options` with the right one first."""
    file, options = row.text("file"), listed(row, "options")
    if not options:
        row.fail("options", "is missing")
    shuffled = tuple(sorted(options, key=lambda option: digest_of(file, option)))
    letter = _LETTERS[shuffled.index(options[0])] if options else ""
    category, _, name = file.removesuffix(".json").rpartition("/")
    return _row(row, place, f"{category}/{name}", row.text("question", required=True), shuffled, letter, category)


def _row(row: Columns, place: Place, key: str, question: str, choices: tuple[str, ...], letter: str, category: str) -> Row:
    pictures = one_picture(row, "image")
    return task_row(
        row,
        place,
        "v_star",
        key=key,
        question=question,
        references=(letter,),
        profile="v_star",
        choices=choices,
        category=category,
        pictures=pictures,
    )


BENCHMARK = Benchmark(
    name="v_star",
    title="V* Bench",
    measured="test",
    splits={"test": ("test", "test_questions", "vstarbench", "vstar*")},
    layouts=(
        frozenset({"image", "text", "label"}),
        frozenset({"image", "question", "A", "B", "answer"}),
        frozenset({"file", "question", "options"}),
    ),
    profiles=("v_star",),
    parse=parse,
    hub=Hub(
        "lmms-lab/vstar-bench",
        revision="b44023b4dca749ed8a76b85eb576627d05a1c174",
        mirrors={"craigwu/vstar_bench": "d9ae62c903da0c98336e85c5ee89cd863b04b4da"},
    ),
    objects=("direct_attributes/*.json", "relative_position/*.json"),
)
