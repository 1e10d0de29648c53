"""Rows of the original system's schema: `data_source`, `prompt`, `ability`, `extra_info`, `images`, `reward_model`.

The question is `extra_info.question`, in which a marker stands for every image; the prompt repeats it in a user message, wrapped for
its planner. Both must ask the same, and a number of markers that is not the number of images is an error: in the original
either went unnoticed and ended as a question without its picture.

The schema has no place for an id, a scoring profile, choices or a category. What a task has beyond what its row says stands in
the file's key-value metadata under `KEPT`; other readers pass over it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from maestro.errors import TaskError
from maestro.tasks.plain import NO_SPLIT
from maestro.tasks.profiles import original_profile
from maestro.tasks.row import Columns, Place, Row, RowFault
from maestro.tasks.trl import messages
from maestro.types import Task

COLUMNS = ("data_source", "prompt", "ability", "extra_info", "images", "reward_model", "videos")
KEPT = b"maestro.tasks"
"""Key of the file metadata with what columns cannot say: `{source/split/index: {"of": digest of the question, "fields": {…}}}`."""
MARKER = "<image>"
MULTIPLE_CHOICE = frozenset({"msearthmcq", "microvqa"})
"""Data sources whose ground truth is the letter and the text of the right option."""
_LEADING = re.compile(rf"\s*(?:{MARKER}\s*)+")
_LETTER = re.compile(r"[A-Z]")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Wrapping:
    """What the original's prompt puts around a question: a system message before, a reminder to the planner after it."""

    system: str | None = None
    reminder: str = ""
    """With the blank line before it."""


def parse(row: Columns, place: Place) -> Row:
    """The task of one row. Raises RowFault with every problem."""
    source = row.text("data_source", required=True)
    extra = row.inside("extra_info")
    pictures = row.pictures("images")
    if row.has("videos") and row.values["videos"]:
        row.fail("videos", "cannot be read; there are tasks about images only")
    question = _question(row, extra, len(pictures))
    references = _truth(row, source)
    index = extra.values["index"] if extra.has("index") else place.number
    if isinstance(index, bool) or not isinstance(index, int):
        extra.fail("index", f"must be a whole number, not {index!r}")
    split = place.split or extra.text("split") or NO_SPLIT
    row.check()
    task = Task(
        id=f"{source}/{split}/{index}",
        question=question,
        references=references,
        profile=original_profile(source),
        source=f"{source}/{split}",
        category=source,
    )
    key = f"{source}/{extra.text('split') or NO_SPLIT}/{index}"
    return Row(_with_kept(task, place.kept.get(key), extra), pictures)


def _question(row: Columns, extra: Columns, pictures: int) -> str:
    """The question without its markers, the same in both places where it stands."""
    said = ""
    if not isinstance(row.values.get("prompt"), list | tuple):
        row.fail("prompt", "must be a list of messages with role and content")
    else:
        _, said, _ = messages(row)
        _count_markers(row, "prompt", said, pictures)
    if not extra.has("question"):
        return unmarked(said)
    asked = extra.text("question", required=True)
    _count_markers(extra, "question", asked, pictures)
    if said and _plain(asked) not in _plain(said):
        extra.fail("question", "is not what the user message of prompt asks")
    return unmarked(asked)


def _count_markers(row: Columns, column: str, text: str, pictures: int) -> None:
    if text and (found := text.count(MARKER)) != pictures:
        row.fail(column, f"has {found} {MARKER} markers for {pictures} images")


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text.replace(MARKER, " ")).strip()


def unmarked(text: str) -> str:
    """A question without the markers in front of it; one inside a sentence becomes `[image 2]`, so that it still refers to something."""
    lead = _LEADING.match(text)
    front, rest = (lead[0].count(MARKER), text[lead.end() :]) if lead else (0, text)
    first, *others = rest.split(MARKER)
    return "".join([first, *(f"[image {front + number}]{part}" for number, part in enumerate(others, start=1))]).strip()


def _truth(row: Columns, source: str) -> tuple[str, ...]:
    """The accepted answers in `reward_model.ground_truth`."""
    reward = row.inside("reward_model", required=True)
    if isinstance(target := reward.values.get("ground_truth"), dict):
        reward = Columns({"ground_truth": target.get("target")}, reward.prefix, reward.problems)
    found = reward.answers("ground_truth")
    if source in MULTIPLE_CHOICE and (len(found) != 2 or not _LETTER.fullmatch(found[0])):
        reward.fail("ground_truth", f"of {source} must be [letter, text of that option], not {list(found)}")
    return found


def _with_kept(task: Task, kept: dict[str, Any] | None, extra: Columns) -> Task:
    """The task with what the file's metadata says of it. Raises RowFault when that was said of another question."""
    if kept is None:
        return task
    if kept.get("of") != question_digest(task.question):
        extra.fail("question", "has changed since the file was built, and id and scoring of this row belong to the old one; build it again")
        extra.check()
    try:
        return Task.model_validate({**task.model_dump(), **kept["fields"]})
    except ValidationError as error:
        raise RowFault([f"file metadata {KEPT.decode()}: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}"]) from error


def question_digest(question: str) -> str:
    """What ties the metadata of a row to its question."""
    return hashlib.sha256(question.encode()).hexdigest()[:16]


def write(task: Task, index: int, images: list[dict[str, Any]], wrapping: Wrapping) -> dict[str, Any]:
    """The row of a task. Raises TaskError when the question holds the marker."""
    if MARKER in task.question:
        raise TaskError(f"task {task.id}: the question holds {MARKER}, which marks images in the original's schema.")
    source, _, split = task.source.rpartition("/")
    marked = MARKER * len(images) + task.question
    system = [{"role": "system", "content": wrapping.system}] if wrapping.system is not None else []
    return {
        "data_source": source or split,
        "prompt": [*system, {"role": "user", "content": marked + wrapping.reminder}],
        "ability": task.category,
        "extra_info": {
            "answer": list(task.references),
            "index": index,
            "question": marked,
            "split": split if source else NO_SPLIT,
        },
        "images": images,
        "reward_model": {"ground_truth": list(task.references), "style": "rule"},
    }


def indices(tasks: Sequence[Task]) -> list[int]:
    """The index every task is written with: that in its id where all came from such rows, else its number."""
    found = [re.fullmatch(rf"{re.escape(task.source)}/(\d{{1,18}})", task.id) for task in tasks]
    if all(found) and len({task.id for task in tasks}) == len(tasks):
        return [int(match[1]) for match in found if match]
    return list(range(len(tasks)))


def beyond(tasks: Sequence[Task], rows: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What reading the rows back would not give of their tasks, for the metadata; empty for tasks that came from such rows.

    Raises TaskError for a task that the schema cannot hold.
    """
    found = {}
    for task, row in zip(tasks, rows, strict=True):
        pictures = [{"bytes": b"-", "path": None} for _ in task.images]
        try:
            read = parse(Columns({**row, "images": pictures}), Place("", 1)).task
        except RowFault as fault:
            raise TaskError(f"task {task.id} cannot be written in the original's schema: {fault}") from fault
        mine, theirs = task.model_dump(mode="json"), read.model_dump(mode="json")
        different = {name: value for name, value in mine.items() if name != "images" and value != theirs[name]}
        if different:
            found[read.id] = {"of": question_digest(read.question), "fields": different}
    return found


def split_wrapping(row: Columns) -> Wrapping:
    """What the prompt of one row puts around its question. Raises RowFault."""
    if not isinstance(row.values.get("prompt"), list | tuple):
        raise RowFault(["prompt: must be a list of messages with role and content"])
    said = {message.get("role"): message.get("content") for message in row.values["prompt"] if isinstance(message, dict)}
    system, user = said.get("system"), said.get("user")
    if not isinstance(user, str) or not isinstance(system, str | None):
        raise RowFault(["prompt: must have a user message, and may have a system message, whose content is text"])
    asked = row.inside("extra_info").text("question")
    row.check()
    return Wrapping(system, user[len(asked) :] if asked and user.startswith(asked) else "")
