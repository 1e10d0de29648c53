"""What a call of a served expert costs beside bare clients of the same library on the same loopback server.

Ours goes through the expert pool: key, deadline, breaker, adaptive limit, body, usage, price. The bare client is the library's own idiom:
one session, `json=` with the picture's data URL made beforehand, the text out of `response.json()`. `ready bytes` is less than any
client can do: it posts the same bytes, made beforehand, again and again. Calls a second of CPU time of the client's process, sixteen at a
time in short turns, so that a busy machine slows all alike.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson

from maestro.bench.chat_server import chat_server
from maestro.bench.measurement import Bar, Measurement
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest
from maestro.images import ImageStore
from maestro.types import CallLimits, Expert, Price

PICTURES = {"text": 0, "100 KB image": 100_000, "2 MB image": 2_000_000}
"""Bytes of PNG a call carries."""
BAR = Bar(0.7, of="ratio")
_AT_A_TIME = 16
_REQUESTS = 10 * _AT_A_TIME
_QUESTION = "How many circles are there in the picture, and which of them is the largest? Answer on the last line."

Call = Callable[[int], Awaitable[str]]


@dataclass(frozen=True)
class Ways:
    """Ways to make the same call; the argument keeps calls apart."""

    ours: Call
    bare: Call
    ready: Call


def measure(calls: int = 160, rounds: int = 25) -> list[Measurement]:
    """Rates with text and pictures, `calls` a round; then the milliseconds a call costs more than a bare one, at three percentiles."""
    with chat_server() as server:
        return asyncio.run(_measure(f"{server}/v1", calls, rounds))


async def _measure(url: str, calls: int, rounds: int) -> list[Measurement]:
    import aiohttp

    images = ImageStore()
    card = _card(url)
    found: list[Measurement] = []
    overhead: list[Measurement] = []
    async with ExpertPool({card.id: card}, None, images) as pool, aiohttp.ClientSession() as session:
        for name, size in PICTURES.items():
            ways = await _ways(url, pool, images, session, size)
            count = max(_AT_A_TIME, calls // (1 + size // 500_000))
            found += await _rates(name, ways, count, rounds)
            overhead += await _overhead(name, ways, count * rounds // 2)
    return found + overhead


def _card(url: str) -> Expert:
    limits = CallLimits(timeout_seconds=60, concurrency=_AT_A_TIME)
    return Expert(id="wide-model", summary="s", kind="openai", endpoint=url, target="bench", price=Price(input_mtok_usd=1), limits=limits)


async def _ways(url: str, pool: ExpertPool, images: ImageStore, session: Any, size: int) -> Ways:
    names = (images.put(picture(size)),) if size else ()
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": _QUESTION}]
    request = ExpertRequest("chat", "read", "d" * 64, names, {"messages": messages})
    payload = _payload(images, names)
    body = orjson.dumps(payload)
    requests = [replace(request, draw=number) for number in range(_REQUESTS)]
    chat = f"{url}/chat/completions"

    async def ours(number: int) -> str:
        return (await pool.call("wide-model", requests[number % _REQUESTS], 60)).text

    async def bare(number: int) -> str:
        del number
        async with session.post(chat, json=payload) as response:
            text: str = (await response.json())["choices"][0]["message"]["content"]
            return text

    async def ready(number: int) -> str:
        del number
        async with session.post(chat, data=body, headers={"Content-Type": "application/json"}) as response:
            text: str = orjson.loads(await response.read())["choices"][0]["message"]["content"]
            return text

    return Ways(ours, bare, ready)


def picture(size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Noise, which does not compress: a PNG of it has about `size` bytes."""
    width = 400
    return np.random.default_rng(0).integers(0, 256, (size // (3 * width), width, 3), dtype=np.uint8)


def _payload(images: ImageStore, names: Sequence[str]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(images.png(name)).decode()}"}}
        for name in names
    ]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": [*content, {"type": "text", "text": _QUESTION}]}]
    return {"model": "bench", "temperature": 0.2, "max_tokens": 2048, "messages": messages}


async def _rates(name: str, ways: Ways, calls: int, rounds: int) -> list[Measurement]:
    for way in (ways.ours, ways.bare, ways.ready):
        await _rate(way, 2 * _AT_A_TIME)  # connections, encoded pictures and the limit's growth are not what is measured
    ours, bare, ready = [], [], []
    for _ in range(rounds):
        ours.append(await _rate(ways.ours, calls))
        bare.append(await _rate(ways.bare, calls))
        ready.append(await _rate(ways.ready, calls))
    what, unit = f"calls, {name}", "calls/s of CPU"
    return [Measurement.of(what, unit, ours, "bare client", bare, BAR), Measurement.of(what, unit, ours, "ready bytes", ready)]


async def _rate(way: Call, calls: int) -> float:
    """Calls a second of CPU time."""
    numbers = iter(range(calls))

    async def caller() -> None:
        for number in numbers:
            await way(number)

    gc.collect()
    started = time.process_time()
    await asyncio.gather(*(caller() for _ in range(_AT_A_TIME)))
    return calls / (time.process_time() - started)


async def _overhead(name: str, ways: Ways, calls: int) -> list[Measurement]:
    """What ours costs more, one call at a time in turns, in milliseconds of CPU time, beside what the bare one costs."""
    costs: dict[bool, list[float]] = {True: [], False: []}
    for number in range(calls):
        for ours, each in costs.items():
            started = time.process_time()
            await (ways.ours if ours else ways.bare)(number)
            each.append(1e3 * (time.process_time() - started))
    percentiles = {percent: (np.percentile(costs[True], percent), np.percentile(costs[False], percent)) for percent in (50, 95, 99)}
    return [
        Measurement.of(f"overhead, {name}, p{percent}", "ms of CPU", [float(ours - bare)], "bare call", [float(bare)])
        for percent, (ours, bare) in percentiles.items()
    ]
