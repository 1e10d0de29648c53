"""An OpenAI-compatible server on loopback that misbehaves as told: real sockets, so that resets, drips and cut bodies are real."""

import asyncio
import itertools
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]
"""Writes whatever it likes; the connection is kept alive unless it was closed."""


@dataclass
class MisbehavingServer:
    """`behave` chooses what becomes of the nth chat request; `/models` lists `models`."""

    behave: Callable[[int, Seen], Behaviour]
    models: tuple[str, ...] = ("good-model",)
    tls: ssl.SSLContext | None = None
    models_status: int = 200
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    active: int = 0
    most_active: int = 0
    connections: int = 0

    async def __aenter__(self):
        self._connections: dict[asyncio.StreamWriter, asyncio.Task] = {}
        self._numbers = itertools.count()
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.die()

    async def start(self):
        """Also after `die`: on the same port."""
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, ssl=self.tls, limit=1 << 22, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def die(self):
        """Stop listening and break every connection."""
        self._server.close()
        handlers = list(self._connections.values())
        for writer, handler in self._connections.items():
            writer.transport.abort()
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def url(self):
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/v1"

    @property
    def chats(self):
        return [one for one in self.seen if one.path.endswith("/chat/completions")]

    async def _connection(self, reader, writer):
        self._connections[writer] = asyncio.current_task()
        self.connections += 1
        try:
            while not writer.is_closing():
                await self._one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or `die` came: a handler that ends cancelled makes asyncio's streams complain
        finally:
            del self._connections[writer]
            writer.close()

    async def _one(self, reader, writer):
        first = await reader.readexactly(1)
        if first == b"\x16":  # somebody speaks TLS to us
            await status(400, "plain HTTP was expected")(None, writer)
            writer.close()
            return
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split("\r\n")[0].split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head.split("\r\n")[1:-2])}
        seen = Seen(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))
        self.seen.append(seen)
        if path.endswith("/models"):
            await status(self.models_status, {"object": "list", "data": [{"id": name} for name in self.models]})(seen, writer)
            return
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            await self.behave(next(self._numbers), seen)(seen, writer)
        finally:
            self.active -= 1


def completion(content: Any, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    """The JSON of a chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish_reason}
    return {"object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 10}}


def status(code: int, body: Any = "", **headers: str) -> Behaviour:
    """A plain reply; `retry_after="1"` becomes a header."""
    data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()

    async def behave(_, writer):
        lines = [f"HTTP/1.1 {code} Whatever", f"Content-Length: {len(data)}", "Content-Type: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        await writer.drain()

    return behave


def error(code: int, message: str, **headers: str) -> Behaviour:
    """An error as vLLM words it."""
    return status(code, {"error": {"message": message, "type": "SomeError", "code": code}}, **headers)


def says(content: Any, finish_reason: str = "stop", **message: Any) -> Behaviour:
    """A good reply, or one with odd content."""
    return status(200, completion(content, finish_reason, **message))


def after(seconds: float, behaviour: Behaviour) -> Behaviour:
    """The same, later."""

    async def behave(seen, writer):
        await asyncio.sleep(seconds)
        await behaviour(seen, writer)

    return behave


async def hang(_, __):
    """Never answer."""
    await asyncio.Event().wait()


async def drip(_, writer):
    """A good reply, a byte every 20 ms: about four seconds."""
    data = json.dumps(completion("late")).encode()
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode())
    for byte in data:
        if writer.is_closing():
            return
        writer.write(bytes([byte]))
        await asyncio.sleep(0.02)


async def reset(_, writer):
    """Break the connection without a word."""
    writer.transport.abort()


async def cut(_, writer):
    """Promise a whole reply and leave in the middle of its text."""
    data = json.dumps(completion("wrong half of a reply")).encode()
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:110])
    await writer.drain()
    writer.close()


def huge(size: int) -> Behaviour:
    """So many bytes without a length, so that only counting helps."""

    async def behave(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        block = b"%x\r\n%s\r\n" % (1 << 20, b"x" * (1 << 20))
        for _ in range(size >> 20):
            if writer.is_closing():
                return
            writer.write(block)
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    return behave


async def no_http(_, writer):
    """Speak something else."""
    writer.write(b"+OK ready\r\n\r\n")
    await writer.drain()
    writer.close()


def in_turn(*behaviours: Behaviour) -> Callable[[int, Seen], Behaviour]:
    """The behaviours one after the other; the last for ever."""
    return lambda number, _: behaviours[min(number, len(behaviours) - 1)]
