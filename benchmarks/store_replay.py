"""How fast a recorded pool answers: store and pool replay against a plain SQLite read of the same rows, side by side.

    python benchmarks/store_replay.py [--calls 20000] [--json]

Every figure is the median of several rounds on one core; `ratio` is calls per second over those of the plain read, which
does no more than `SELECT reply ... WHERE key = ?` with keys made beforehand and decodes nothing.
"""

import argparse
import asyncio
import gc
import json
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.store import CallStore, call_key
from maestro.images import ImageStore
from maestro.types import Expert, Price

ROUNDS = 5
WORDS = ("TOTAL", "12.40", "Fresh bread", "2 x 1.15", "Thank you", "Table 7", "14:32")


def reply_text(number):
    """About 1.3 kB of JSON: a dozen words with boxes, as an OCR expert replies."""
    words = [{"text": f"{WORDS[i % 7]} {number}", "confidence": 0.97, "box": [12 + i, 30 * i, 180 + i, 30 * i + 22]} for i in range(14)]
    return json.dumps({"words": words, "width": 448, "height": 336})


def requests(calls):
    return [ExpertRequest("ocr", "read-field", "d" * 64, (f"{number:064x}",), {"enlarge": 2.0}) for number in range(calls)]


def rates_of(works, calls):
    """Calls per second of each work, median over rounds; the works take turns, so that a busy machine slows all alike."""
    seconds = {name: [] for name in works}
    gc.disable()
    for _ in range(ROUNDS):
        for name, work in works.items():
            started = time.process_time()
            work()
            seconds[name].append(time.process_time() - started)
    gc.enable()
    return {name: calls / statistics.median(each) for name, each in seconds.items()}


def measure(calls):
    card = Expert(id="page-tesseract", summary="s", kind="local", price=Price(call_usd=0.001))
    asked = requests(calls)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.sqlite"
        started = time.process_time()
        with CallStore(path, "record") as store:
            for number, request in enumerate(asked):
                store.put(card, request, Reply(reply_text(number), cost_usd=0.001, latency_seconds=0.1))
        recorded = calls / (time.process_time() - started)

        connection = sqlite3.connect(path)
        keys = [call_key(card, request) for request in asked]

        def plain():
            for key in keys:
                connection.execute("SELECT reply FROM calls WHERE key = ?", (key,)).fetchone()

        with CallStore(path, "replay", memory_bytes=0) as cold, CallStore(path, "replay") as warm:
            warm_pool = ExpertPool({card.id: card}, warm, ImageStore())

            def store_cold():
                for request in asked:
                    cold.get(card, request)

            def store_warm():
                for request in asked:
                    warm.get(card, request)

            async def through_pool():
                for request in asked:
                    await warm_pool.call(card.id, request, 30)

            store_warm()
            works = {
                "plain sqlite read": plain,
                "store, from the file": store_cold,
                "store, from memory": store_warm,
                "pool, from memory": lambda: asyncio.run(through_pool()),
            }
            rates = rates_of(works, calls) | {"record (put and commit)": recorded}
        connection.close()
        return {"calls": calls, "file_bytes": path.stat().st_size, "calls_per_second": rates}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.calls)
    rates = result["calls_per_second"]
    result["ratio"] = {name: each / rates["plain sqlite read"] for name, each in rates.items()}
    if options.json:
        print(json.dumps(result))
        return
    print(f"{result['calls']} recorded calls, {result['file_bytes'] / 1e6:.1f} MB, one core, median of {ROUNDS} rounds (CPU time)")
    for name, each in rates.items():
        print(f"{name:26}{each:>12,.0f} calls/s {result['ratio'][name]:>7.2f} x plain read")


if __name__ == "__main__":
    main()
