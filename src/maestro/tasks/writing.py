"""Tasks as files: in the original's schema, as TRL reads them, or as plain JSONL.

Images are written as PNG of the pixels that everybody here sees: whatever rotation, transparency or palette their file had, other
readers then see the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import orjson

from maestro.errors import TaskError
from maestro.images import ImageStore
from maestro.tasks import original, plain, trl
from maestro.tasks.original import KEPT, Wrapping
from maestro.tasks.parquet import require_pyarrow
from maestro.types import Task

FormatName = Literal["original", "trl", "jsonl"]
SUFFIX: dict[FormatName, str] = {"original": ".parquet", "trl": ".parquet", "jsonl": ".jsonl"}
_BATCH = 64
"""Rows in memory at once, and rows of a row group: readers fetch a row group to get one image."""
Progress = Callable[[int], None]


def write_tasks(
    path: Path,
    form: FormatName,
    tasks: Sequence[Task],
    images: ImageStore,
    wrapping: Wrapping | None = None,
    progress: Progress | None = None,
) -> None:
    """Write tasks to a new file; `wrapping` is for the prompts of the original's schema.

    JSONL has its images in the folder `<name>-images` beside it. Raises TaskError when the file exists, ends otherwise than
    the format does, or cannot hold a task; MissingDependency without pyarrow.
    """
    check_target(path, form)
    path.parent.mkdir(parents=True, exist_ok=True)
    told = progress or (lambda _: None)
    if form == "jsonl":
        _write_jsonl(path, tasks, images, told)
        return
    require_pyarrow(f"writing {path}")
    if form == "trl":
        _write_parquet(path, trl_schema(), (trl.write(task, _embedded(task, images)) for task in tasks), told)
        return
    numbered = list(zip(tasks, original.indices(tasks), strict=True))
    around = wrapping or Wrapping()
    bare = (original.write(task, index, [{}] * len(task.images), around) for task, index in numbered)
    kept = original.beyond(tasks, bare)
    rows = (original.write(task, index, _embedded(task, images), around) for task, index in numbered)
    schema = original_schema()
    _write_parquet(path, schema.with_metadata({KEPT: orjson.dumps(kept)}) if kept else schema, rows, told)


def check_target(path: Path, form: FormatName) -> None:
    """Raise TaskError when a file of this format cannot be written there."""
    if path.suffix != SUFFIX[form]:
        raise TaskError(f"{path} does not end in {SUFFIX[form]}, as files of the format {form} do.")
    if path.exists():
        raise TaskError(f"{path} exists; nothing is overwritten. Name a new file.")


def original_schema() -> Any:
    """The Arrow schema of the original's rows."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    return pa.schema(
        [
            ("data_source", text),
            ("prompt", pa.list_(pa.struct([("role", text), ("content", text)]))),
            ("ability", text),
            ("extra_info", pa.struct([("answer", texts), ("index", pa.int64()), ("question", text), ("split", text)])),
            ("images", pa.list_(_image())),
            ("reward_model", pa.struct([("ground_truth", texts), ("style", text)])),
        ]
    )


def trl_schema() -> Any:
    """The Arrow schema for TRL; its metadata tell the library `datasets` that `images` are images, which it then decodes."""
    import pyarrow as pa

    text, texts = pa.string(), pa.list_(pa.string())
    value = {"dtype": "string", "_type": "Value"}
    message = {"role": value, "content": value}
    plain_columns = ("answer", "id", "profile", "params", "category", "cluster", "source", "split")
    features: dict[str, Any] = {
        "prompt": {"feature": message, "_type": "List"},
        "images": {"feature": {"_type": "Image"}, "_type": "List"},
        "answers": {"feature": value, "_type": "List"},
        "choices": {"feature": value, "_type": "List"},
        **dict.fromkeys(plain_columns, value),
    }
    types = {
        "prompt": pa.list_(pa.struct([("role", text), ("content", text)])),
        "images": pa.list_(_image()),
        "answers": texts,
        "choices": texts,
        **dict.fromkeys(plain_columns, text),
    }
    names = ("prompt", "images", "answer", "answers", "id", "choices", "profile", "params", "category", "cluster", "source", "split")
    described = json.dumps({"info": {"features": {name: features[name] for name in names}}})
    return pa.schema([(name, types[name]) for name in names], metadata={"huggingface": described})


def _image() -> Any:
    import pyarrow as pa

    return pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def _embedded(task: Task, images: ImageStore) -> list[dict[str, Any]]:
    """The images of a task with their bytes, and a name that no file need have."""
    return [{"bytes": images.png(name), "path": f"images/{name}.png"} for name in task.images]


def _write_parquet(path: Path, schema: Any, rows: Iterator[dict[str, Any]], progress: Progress) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    done = 0
    with _replacing(path) as partial, parquet.ParquetWriter(partial, schema, compression="zstd") as writer:
        while batch := list(islice(rows, _BATCH)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            done += len(batch)
            progress(done)


def _write_jsonl(path: Path, tasks: Sequence[Task], images: ImageStore, progress: Progress) -> None:
    folder = path.with_name(f"{path.stem}-images")
    if any(task.images for task in tasks):
        folder.mkdir(exist_ok=True)
    with _replacing(path) as partial, partial.open("wb") as file:
        for done, task in enumerate(tasks, start=1):
            for name in task.images:
                if not (image := folder / f"{name}.png").exists():
                    image.write_bytes(images.png(name))
            row = plain.write(task, [f"{folder.name}/{name}.png" for name in task.images])
            file.write(orjson.dumps(row) + b"\n")
            progress(done)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its place when all went well, and is taken away when not."""
    partial = path.with_name(f"{path.name}.part")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
