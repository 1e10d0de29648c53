"""Our own rows: a column for every part of a task, and an error for every other column.

    {"id": "sign-1", "question": "What does the sign say?", "images": ["sign.png"], "answer": "open", "split": "train"}

`answer` is one accepted answer and `answers` a list of them; `image` is one picture and `images` a list. Without `id` a row is
named by its file and number, without `profile` scored by equality.
"""

from __future__ import annotations

from typing import Any

from maestro.tasks.profiles import DEFAULT
from maestro.tasks.row import Columns, Picture, Place, Row
from maestro.types import Task

NO_SPLIT = "all"
"""The split of rows that name none."""
COLUMNS = (
    "id",
    "question",
    "image",
    "images",
    "answer",
    "answers",
    "choices",
    "profile",
    "params",
    "category",
    "cluster",
    "source",
    "split",
)


def parse(row: Columns, place: Place) -> Row:
    """The task of one row. Raises RowFault with every problem."""
    row.only(COLUMNS)
    question = row.text("question", required=True)
    references = either(row, "answer", "answers")
    pictures = pictures_of(row)
    task = common(row, place, question, references)
    row.check()
    return Row(task, pictures)


def common(row: Columns, place: Place, question: str, references: tuple[str, ...]) -> Task:
    """A task with what our rows and TRL's name alike: id, source, split, choices, scoring, category, cluster."""
    split = place.split or row.text("split") or NO_SPLIT
    source = row.text("source") or place.stem
    return Task(
        id=row.text("id") or f"{source}/{split}/{place.number}",
        question=question,
        references=references,
        profile=row.text("profile") or DEFAULT,
        params=row.mapping("params"),
        choices=row.texts("choices"),
        source=f"{source}/{split}",
        category=row.text("category"),
        cluster=row.text("cluster"),
    )


def either(row: Columns, one: str, many: str) -> tuple[str, ...]:
    """The answers of whichever of two columns is there."""
    if row.has(one) and row.has(many):
        row.fail(many, f"stands beside {one}; give one of them")
    return row.answers(many if row.has(many) else one)


def pictures_of(row: Columns) -> tuple[Picture, ...]:
    """The pictures of `images` or `image`."""
    if row.has("image") and row.has("images"):
        row.fail("images", "stands beside image; give one of them")
    return row.pictures("images" if row.has("images") else "image")


def write(task: Task, images: list[str]) -> dict[str, Any]:
    """The row of a task, `images` being the paths of its pictures; what a task does not have is left out."""
    source, _, split = task.source.rpartition("/")
    row = {
        "id": task.id,
        "question": task.question,
        "images": images,
        "answers": list(task.references),
        "choices": list(task.choices),
        "profile": task.profile,
        "params": task.params,
        "category": task.category,
        "cluster": task.cluster,
        "source": source or split,
        "split": split if source else NO_SPLIT,
    }
    return {column: value for column, value in row.items() if value or column in {"id", "question", "profile"}}
