"""SLAKE: medical pictures, questions in English and Chinese."""

from __future__ import annotations

from maestro.tasks.benchmarks.benchmark import Benchmark, Hub, Part
from maestro.tasks.benchmarks.reading import gold, one_picture, plain, task_row
from maestro.tasks.row import Columns, Place, Row


def parse(row: Columns, place: Place) -> Row:
    """The authors' JSON; pictures are in `imgs.zip`. Questions on one scan are one cluster."""
    language = row.text("q_lang")
    closed = row.text("answer_type").lower()
    row.values = {**row.values, "picture": "imgs/" + row.text("img_name", required=True)}
    return task_row(
        row,
        place,
        "slake",
        key=plain(row, "qid"),
        question=row.text("question", required=True),
        references=gold(row, "answer"),
        profile="slake",
        category="-".join(part for part in (closed, language) if part),
        cluster=plain(row, "img_id"),
        pictures=one_picture(row, "picture"),
    )


def _english(value: object) -> bool:
    return value == "en"


def _chinese(value: object) -> bool:
    return value == "zh"


BENCHMARK = Benchmark(
    name="slake",
    title="SLAKE",
    measured="test",
    splits={"test": ("test",), "validation": ("validation", "validate", "val"), "train": ("train",)},
    layouts=(frozenset({"img_name", "question", "answer", "q_lang"}),),
    profiles=("slake",),
    parse=parse,
    hub=Hub("BoKelvin/SLAKE", revision="a9083ce6c34ac3ffb17671a605962924d8a8f9e9", files=("*.json", "imgs.zip")),
    note="No scorer is agreed on: say which. Categories are closed and open questions by language; test-en is about half of test.",
    parts={"test-en": Part("test", "q_lang", _english), "test-zh": Part("test", "q_lang", _chinese)},
    packed={"imgs.zip": "imgs"},
)
