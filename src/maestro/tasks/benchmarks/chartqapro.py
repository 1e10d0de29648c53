"""ChartQAPro: charts of many kinds; conversations, facts to check, and years that must be exact."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub
from maestro.tasks.benchmarks.reading import as_list, gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """Lists `Question`, `Answer` and `Year`; of a conversation the last question is asked, the earlier ones and their answers before it."""
    questions = [str(text).strip() for text in _items(row, "Question")]
    answers = [str(text).strip() for text in _items(row, "Answer")]
    years = [str(flag).strip().upper() for flag in _items(row, "Year")]
    earlier = [f"Question: {asked}\nAnswer: {said}" for asked, said in zip(questions[:-1], answers[:-1], strict=False)]
    paragraph = plain(row, "Paragraph")
    if len(answers) != len(questions):
        row.fail("Answer", f"has {len(answers)} answers to {len(questions)} questions")
    return task_row(
        row,
        place,
        "chartqapro",
        question="\n".join(text for text in (paragraph, *earlier, questions[-1] if questions else "") if text),
        references=gold(Columns({"Answer": answers[-1:]}, "", row.problems), "Answer"),
        profile="chartqapro",
        params={"year": years[-1]} if years else {},
        category=plain(row, "Question Type"),
        pictures=one_picture(row, "image"),
    )


def _items(row: Columns, column: str) -> list[object]:
    value = as_list(row.values.get(column))
    return value if isinstance(value, list) else [] if value is None else [value]


BENCHMARK = Benchmark(
    name="chartqapro",
    title="ChartQAPro",
    measured="test",
    splits={"test": ("test", "chartqapro*")},
    layouts=(frozenset({"Question", "Answer", "image"}),),
    profiles=("chartqapro",),
    parse=parse,
    hub=Hub("ahmed-masry/ChartQAPro", revision="e27c2874825874d6767d2bbc538ed4f0dc2c64c2"),
    note="Of a conversation the last question is asked.",
)
