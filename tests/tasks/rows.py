"""Rows and files of every format, for the tests of task sources."""

import io
import json
from pathlib import Path

import pyarrow as pa
from PIL import Image
from pyarrow import parquet

SYSTEM = "\nYou are a planner.\n"
REMINDER = "\n\nPlan first. Think of the kind of question only. Be brief."


def picture(colour: str = "red", size: tuple[int, int] = (12, 8)) -> Image.Image:
    image = Image.new("RGB", size, colour)
    image.putpixel((0, 0), (1, 2, 3))
    return image


def encoded(image: Image.Image, form: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=form, **options)
    return buffer.getvalue()


def original_row(index: int = 7, *, images: list | None = None, question: str = "What is the largest bar?", **changes) -> dict:
    """A row as the original writes it; `changes` replace top-level columns."""
    images = [{"bytes": encoded(picture()), "path": "nowhere/1.png"}] if images is None else images
    asked = "<image>" * len(images) + question
    row = {
        "data_source": "chartqa",
        "prompt": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": asked + REMINDER}],
        "ability": "fact-reasoning",
        "extra_info": {"answer": ["14"], "index": index, "question": asked, "split": "train"},
        "images": images,
        "reward_model": {"ground_truth": ["14"], "style": "rule"},
    }
    return {**row, **changes}


def write_parquet(path: Path, rows: list[dict], **options) -> Path:
    parquet.write_table(pa.Table.from_pylist(rows), path, **options)
    return path


def write_jsonl(path: Path, rows: list) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
