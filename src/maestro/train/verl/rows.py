"""Training questions as rows of verl's data set: the task itself; its pictures lie beside the file, once each.

A row travels with every one of its episodes, from process to process, so it must be small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from maestro.images import ImageStore
from maestro.types import Task

AGENT = "maestro"
"""Name of our agent loop in verl's registry of loops."""


def row(task: Task, index: int, *, training: bool = True) -> dict[str, Any]:
    """One row. `prompt` is only what verl's own logs show: the episode renders the prompt from the task."""
    return {
        "prompt": [{"role": "user", "content": task.question}],
        "data_source": task.source,
        "agent_name": AGENT,
        "reward_model": {"style": "rule", "ground_truth": list(task.references)},
        "task": orjson.dumps({"task": task.model_dump(mode="json"), "training": training}).decode(),
        "extra_info": {"index": index, "task_id": task.id},
    }


def pictures(run: Path, capacity: int = 4096) -> ImageStore:
    """The pictures of a run's rows, `capacity` of them in memory; every machine of the run reads them from here."""
    return ImageStore(run / "data" / "images", capacity)


def write_rows(tasks: Sequence[Task], images: ImageStore, path: Path, *, training: bool) -> Path:
    """The tasks as a parquet file, their pictures in the folder of `images`. Raises ImageError when one cannot be read (again)."""
    import pyarrow as pa
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(name for task in tasks for name in task.images):
        images.put(images.pixels(name))  # a linked one is in no folder yet
    parquet.write_table(pa.Table.from_pylist([row(task, index, training=training) for index, task in enumerate(tasks)]), path)
    return path


def read_tasks(run: Path, name: str) -> list[Task]:
    """The tasks of a run's file `train` or `validation`, in its order."""
    from pyarrow import parquet

    column = parquet.read_table(run / "data" / f"{name}.parquet", columns=["task"]).column("task")
    return [read_row({"task": text})[0] for text in column.to_pylist()]


def read_row(fields: Mapping[str, Any]) -> tuple[Task, bool]:
    """The task of a row, and whether it is trained on."""
    written = orjson.loads(str(fields["task"]))
    return Task.model_validate(written["task"]), bool(written["training"])
