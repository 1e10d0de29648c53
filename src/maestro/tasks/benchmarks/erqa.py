"""ERQA: what a robot has to understand of scenes, from one or several pictures."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import gold, options_in, pictures_in, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """`question` with its choices, `images` in order, and `visual_indices`: where in the text each picture stands.

    A picture that stands inside the text of a question with several is marked there as `[image 2]`.
    """
    question = row.text("question", required=True)
    pictures = pictures_in(row, "images")
    choices = options_in(question)
    return task_row(
        row,
        place,
        "erqa",
        key=plain(row, "question_id"),
        question=_marked(question, row.values.get("visual_indices"), len(pictures)),
        references=gold(row, "answer"),
        profile="erqa",
        choices=choices,
        category=plain(row, "question_type"),
        pictures=pictures,
    )


def _marked(question: str, indices: object, pictures: int) -> str:
    """The question with a mark where a picture stands; in front and behind pictures need none."""
    places = list(indices) if isinstance(indices, list | tuple) else []
    if pictures < 2 or len(places) != pictures:
        return question
    for number, index in sorted(enumerate(places, start=1), key=lambda pair: (pair[1], pair[0]), reverse=True):
        if isinstance(index, int) and 0 < index < len(question):
            question = f"{question[:index].rstrip()} [image {number}] {question[index:].lstrip()}"
    return question


BENCHMARK = Benchmark(
    name="erqa",
    title="ERQA",
    measured="test",
    splits={"test": ("test", "train", "erqa")},
    layouts=(frozenset({"question", "answer", "images"}),),
    profiles=("erqa",),
    parse=parse,
    hub=Hub("FlagEval/ERQA", revision="6bf393250b0981c3f6dd77eb58b6d6879038633f"),
    note="The authors' TFRecord is not read; the Hub has the same rows as Parquet.",
)
