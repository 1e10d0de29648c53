"""How long tasks take to load: a Parquet file in the original's schema beside decoding its pictures and nothing else.

Files a second of CPU time on one core, the works in turns. Loaded are all rows for the first time (every picture is decoded and
hashed), all rows again (the hashes are known from before), and the first few (only theirs are decoded).
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from maestro.bench.measurement import Bar, Measurement
from maestro.images import ImageStore, open_image
from maestro.tasks.file import FileSource
from maestro.tasks.parquet import ParquetRows
from maestro.tasks.writing import write_tasks
from maestro.types import Task

BESIDE = "decoding every picture"
_SIZE = (640, 480)
_FEW = 10
BAR = Bar(5, of="ratio")


def measure(rows: int = 300, rounds: int = 5) -> list[Measurement]:
    """First loading, later loading and a few rows. Raises MissingDependency without pyarrow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoded = _write(folder / "rows.parquet", rows)
        source = FileSource(ParquetRows(folder / "rows.parquet"), "rows")

        def load(index: Path | None, limit: int | None = None) -> None:
            source.index = index
            assert source.load("train", limit, ImageStore())

        def decode() -> None:
            for data in encoded:
                open_image(data)

        load(folder / "index.sqlite")
        works: dict[str, Callable[[], None]] = {
            BESIDE: decode,
            "load all, first time": lambda: load(None),
            "load all, known pictures": lambda: load(folder / "index.sqlite"),
            f"load the first {min(_FEW, rows)}": lambda: load(None, _FEW),
        }
        rates = _rates(works, rounds)
    plain = rates.pop(BESIDE)
    first, later, few = (
        Measurement.of(name, "files/s", each, BESIDE, plain, bar)
        for (name, each), bar in zip(rates.items(), (None, BAR, None), strict=True)
    )
    return [first, later, few]


def _write(path: Path, rows: int) -> list[bytes]:
    """The file, and the bytes of its pictures: coarse noise, which compresses about as photographs of pages do."""
    rng = np.random.default_rng(0)
    images = ImageStore(capacity=rows)
    tasks = []
    for number in range(rows):
        coarse = Image.fromarray(rng.integers(0, 256, (_SIZE[1] // 8, _SIZE[0] // 8, 3), dtype=np.uint8))
        name = images.put(coarse.resize(_SIZE, Image.Resampling.NEAREST))
        tasks.append(Task(id=f"bench/train/{number}", question="Which?", images=(name,), references=("this",), source="bench/train"))
    write_tasks(path, "original", tasks, images)
    return [images.png(task.images[0]) for task in tasks]


def _rates(works: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Times per second of each work in every round."""
    rates: dict[str, list[float]] = {name: [] for name in works}
    gc.disable()
    try:
        for _ in range(rounds):
            for name, work in works.items():
                started = time.process_time()
                work()
                rates[name].append(1 / (time.process_time() - started))
    finally:
        gc.enable()
    return rates
