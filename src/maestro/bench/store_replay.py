"""How fast a recorded pool answers: store and pool beside a plain SQLite read of the same rows.

Calls per second of CPU time on one core; the works take turns, so that a busy machine slows all alike. The plain read does no
more than `SELECT reply ... WHERE key = ?` with keys made beforehand and decodes nothing.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from maestro.bench.measurement import Bar, Measurement
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.store import CallStore, call_key
from maestro.images import ImageStore
from maestro.types import Expert, Price

CARD = Expert(id="page-tesseract", summary="s", kind="local", price=Price(call_usd=0.001))
WORDS = ("TOTAL", "12.40", "Fresh bread", "2 x 1.15", "Thank you", "Table 7", "14:32")
BAR = Bar(20_000)
PLAIN = "plain SQLite read"


def measure(calls: int = 20_000, rounds: int = 5) -> list[Measurement]:
    """Replay from the file, from memory and through the pool, and recording (measured once)."""
    asked = [ExpertRequest("ocr", "read-field", "d" * 64, (f"{number:064x}",), {"enlarge": 2.0}) for number in range(calls)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.sqlite"
        recorded = calls / _record(path, asked)
        with (
            closing(sqlite3.connect(path)) as connection,
            CallStore(path, "replay", memory_bytes=0) as cold,
            CallStore(path, "replay") as warm,
        ):
            rates = _rates(_works(connection, cold, warm, asked), calls, rounds)
    plain = rates.pop(PLAIN)
    replays = [Measurement.of(name, "calls/s", each, PLAIN, plain, BAR) for name, each in rates.items()]
    return [*replays, Measurement.of("record (put and commit)", "calls/s", [recorded], PLAIN, [statistics.median(plain)])]


def _record(path: Path, asked: Sequence[ExpertRequest]) -> float:
    """Fill the store; seconds it took."""
    started = time.process_time()
    with CallStore(path, "record") as store:
        for number, request in enumerate(asked):
            store.put(CARD, request, Reply(_reply_text(number), cost_usd=0.001, latency_seconds=0.1))
    return time.process_time() - started


def _reply_text(number: int) -> str:
    """About 1.3 kB of JSON: a dozen words with boxes, as an OCR expert replies."""
    words = [{"text": f"{WORDS[i % 7]} {number}", "confidence": 0.97, "box": [12 + i, 30 * i, 180 + i, 30 * i + 22]} for i in range(14)]
    return json.dumps({"words": words, "width": 448, "height": 336})


def _works(
    connection: sqlite3.Connection, cold: CallStore, warm: CallStore, asked: Sequence[ExpertRequest]
) -> dict[str, Callable[[], None]]:
    keys = [call_key(CARD, request) for request in asked]
    pool = ExpertPool({CARD.id: CARD}, warm, ImageStore())

    def plain() -> None:
        for key in keys:
            connection.execute("SELECT reply FROM calls WHERE key = ?", (key,)).fetchone()

    def read(store: CallStore) -> None:
        for request in asked:
            store.get(CARD, request)

    async def through_pool() -> None:
        for request in asked:
            await pool.call(CARD.id, request, 30)

    read(warm)
    return {
        PLAIN: plain,
        "store, from the file": lambda: read(cold),
        "store, from memory": lambda: read(warm),
        "pool, from memory": lambda: asyncio.run(through_pool()),
    }


def _rates(works: Mapping[str, Callable[[], None]], calls: int, rounds: int) -> dict[str, list[float]]:
    """Calls per second of each work in every round."""
    rates: dict[str, list[float]] = {name: [] for name in works}
    gc.disable()
    try:
        for _ in range(rounds):
            for name, work in works.items():
                started = time.process_time()
                work()
                rates[name].append(calls / (time.process_time() - started))
    finally:
        gc.enable()
    return rates
