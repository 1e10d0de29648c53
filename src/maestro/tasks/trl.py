"""Rows as TRL's trainers read them: `prompt` (text or chat messages), `images` or `image`, and a column with the answer.

TRL names no column for the answer, because its reward functions do; the usual names are taken. The other columns of our own rows
count as well when they are there, so that a file written from tasks gives the same tasks back. Unknown columns are left
alone: in such files they belong to somebody's reward function.
"""

from __future__ import annotations

from typing import Any

import orjson

from maestro.tasks.plain import COLUMNS as PLAIN_COLUMNS
from maestro.tasks.plain import common, pictures_of
from maestro.tasks.row import Columns, Place, Row
from maestro.types import Task

ANSWERS = ("answers", "answer", "solution", "ground_truth")
"""Columns that may hold the answer; the first one that is there counts."""
COLUMNS = ("prompt", *ANSWERS, *(column for column in PLAIN_COLUMNS if column not in {"question", *ANSWERS}))


def parse(row: Columns, place: Place) -> Row:
    """The task of one row. Raises RowFault with every problem."""
    pictures = pictures_of(row)
    question, slots = _question(row)
    if slots and slots != len(pictures):
        row.fail("prompt", f"has {slots} image parts for {len(pictures)} images")
    column = next((name for name in ANSWERS if row.has(name)), "answer")
    if isinstance(params := row.values.get("params"), str):  # Arrow has no type for free mappings
        row = Columns({**row.values, "params": _loads(row, params)}, row.prefix, row.problems)
    task = common(row, place, question, row.answers(column))
    row.check()
    return Row(task, pictures)


def messages(row: Columns) -> tuple[str, str, int]:
    """System text, user text and number of image parts of the chat messages in `prompt`."""
    system, users, slots = "", list[str](), 0
    for index, message in enumerate(row.values["prompt"]):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            row.fail(f"prompt[{index}]", "must be a message with role and content")
            continue
        text, pictures = _content(row, index, message.get("content"))
        if message["role"] == "user":
            users.append(text)
            slots += pictures
        elif message["role"] == "system":
            system = text
        else:
            row.fail(f"prompt[{index}].role", f"is {message['role']!r}; a question has one user message and at most a system message")
    if len(users) != 1:
        row.fail("prompt", f"has {len(users)} user messages; a task is one question")
    return system, users[0] if users else "", slots


def _question(row: Columns) -> tuple[str, int]:
    value = row.values.get("prompt")
    if isinstance(value, list | tuple):
        _, text, slots = messages(row)
        if not text.strip() and not row.problems:
            row.fail("prompt", "has an empty user message")
        return text.strip(), slots
    return row.text("prompt", required=True), 0


def _content(row: Columns, index: int, content: object) -> tuple[str, int]:
    """Text and number of image parts of one message."""
    if isinstance(content, str):
        return content, 0
    if not isinstance(content, list | tuple) or not all(isinstance(part, dict) for part in content):
        row.fail(f"prompt[{index}].content", "must be text or a list of parts")
        return "", 0
    kinds = [part.get("type") for part in content]
    if odd := sorted({str(kind) for kind in kinds} - {"text", "image"}):
        row.fail(f"prompt[{index}].content", f"has parts of type {', '.join(odd)}; text and image are read")
    texts = [part.get("text") for part in content if part.get("type") == "text"]
    return "\n".join(text for text in texts if isinstance(text, str)), kinds.count("image")


def _loads(row: Columns, params: str) -> Any:
    try:
        return orjson.loads(params or "{}")
    except orjson.JSONDecodeError as error:
        row.fail("params", f"is no JSON: {error}")
        return {}


def write(task: Task, images: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of a task for TRL: one user message, to which TRL itself adds the image slots."""
    source, _, split = task.source.rpartition("/")
    return {
        "prompt": [{"role": "user", "content": task.question}],
        "images": images,
        "answer": task.references[0] if task.references else None,
        "answers": list(task.references),
        "id": task.id,
        "choices": list(task.choices),
        "profile": task.profile,
        "params": orjson.dumps(task.params, option=orjson.OPT_SORT_KEYS).decode(),
        "category": task.category,
        "cluster": task.cluster,
        "source": source or split,
        "split": split if source else "all",
    }
