"""aiohttp beside httpx2 on calls that carry pictures: what decided which library served experts are reached with.

Both post the same ready bytes over one session to the same loopback server, sixteen calls at a time, and read the reply. Calls a
second of CPU time of the client's process, in turns.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import orjson

from maestro.bench.chat_server import chat_server
from maestro.bench.measurement import Measurement

_AT_A_TIME = 16
_SIZES = {"text": 1_000, "100 KB image": 134_000, "2 MB image": 2_670_000}
"""Bytes of a request with its picture in base64."""
_HEADERS = {"Content-Type": "application/json"}
_CHUNK_BYTES = 1 << 20
Post = Callable[[bytes], Awaitable[bytes]]


def measure(calls: int = 800, rounds: int = 5) -> list[Measurement]:
    """Rates of aiohttp beside those of httpx2."""
    with chat_server() as server:
        return asyncio.run(_measure(f"{server}/v1/chat/completions", calls, rounds))


async def _measure(url: str, calls: int, rounds: int) -> list[Measurement]:
    import aiohttp
    import httpx2

    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with aiohttp.ClientSession() as session, httpx2.AsyncClient(limits=limits, timeout=60) as client:

        async def with_aiohttp(body: bytes) -> bytes:
            headers = {**_HEADERS, "Content-Length": str(len(body))}
            async with session.post(url, data=_chunks(body), headers=headers) as response:
                return await response.read()

        async def with_httpx2(body: bytes) -> bytes:
            headers = {**_HEADERS, "Content-Length": str(len(body))}
            return (await client.post(url, content=_chunks(body), headers=headers)).content

        found = []
        for name, size in _SIZES.items():
            count = max(_AT_A_TIME, calls // (1 + size // 100_000))
            ours, others = [], []
            for _ in range(rounds):
                ours.append(await _rate(with_aiohttp, b"x" * size, count))
                others.append(await _rate(with_httpx2, b"x" * size, count))
            found.append(Measurement.of(f"aiohttp, {name}", "calls/s of CPU", ours, "httpx2", others))
        return found


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    """A megabyte at a time: neither library is asked to hold the loop with more."""
    for start in range(0, len(body), _CHUNK_BYTES):
        yield body[start : start + _CHUNK_BYTES]


async def _rate(post: Post, body: bytes, calls: int) -> float:
    """Calls a second of CPU time, after one round of connecting."""
    await asyncio.gather(*(post(body) for _ in range(_AT_A_TIME)))
    numbers = iter(range(calls))

    async def caller() -> None:
        for _ in numbers:
            orjson.loads(await post(body))

    gc.collect()
    started = time.process_time()
    await asyncio.gather(*(caller() for _ in range(_AT_A_TIME)))
    return calls / (time.process_time() - started)
