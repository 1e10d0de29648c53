"""Training questions as rows of verl's data set: the task itself, with its pictures, so that any machine can run its episodes."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from maestro.images import ImageStore
from maestro.types import Task

AGENT = "maestro"
"""Name of our agent loop in verl's registry of loops."""


def row(task: Task, index: int, images: ImageStore, *, training: bool = True) -> dict[str, Any]:
    """One row. `prompt` is only what verl's own logs show: the episode renders the prompt from the task."""
    pictures = {name: base64.b64encode(images.png(name)).decode() for name in task.images}
    return {
        "prompt": [{"role": "user", "content": task.question}],
        "data_source": task.source,
        "agent_name": AGENT,
        "reward_model": {"style": "rule", "ground_truth": list(task.references)},
        "task": orjson.dumps({"task": task.model_dump(mode="json"), "pictures": pictures, "training": training}).decode(),
        "extra_info": {"index": index, "task_id": task.id},
    }


def write_rows(tasks: Sequence[Task], images: ImageStore, path: Path, *, training: bool) -> Path:
    """The tasks as a parquet file."""
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist([row(task, index, images, training=training) for index, task in enumerate(tasks)]), path)
    return path


def read_row(fields: Mapping[str, Any], images: ImageStore) -> tuple[Task, bool]:
    """The task of a row, its pictures in the store, and whether it is trained on.

    Raises ValueError when a picture is not the one that the task names.
    """
    written = orjson.loads(str(fields["task"]))
    task = Task.model_validate(written["task"])
    for name, picture in written["pictures"].items():
        if images.put(base64.b64decode(picture)) != name:
            raise ValueError(f"the row of {task.id} has another picture than {name}; was the file written by another version?")
    return task, bool(written["training"])
