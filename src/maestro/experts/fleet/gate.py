"""The gate of a GPU whose services take turns: `python -m maestro.experts.fleet.gate MEMBERS`.

It listens at the endpoint of each member and passes requests on, one connection each; before one that needs the model it wakes that
member and sends the one awake to sleep. Questions that need no model (`/health`, the list of models) pass at once. MEMBERS is JSON:
[{"name", "host", "port", "inner_host", "inner_port"}].
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from maestro.experts.fleet.health import Address, request
from maestro.experts.fleet.turns import Turns

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_CHANGE_SECONDS = 300.0
_HEAD_BYTES = 64 << 10
_BODY_BYTES = 512 << 20
_CHUNK = 64 << 10
_LINGER_SECONDS = 2.0
_FREE_PATHS = ("/health", "/ping", "/version", "/metrics", "/is_sleeping", "/models")
"""Ends of GET paths that a sleeping service answers too."""


@dataclass(frozen=True)
class Member:
    """One service behind the gate."""

    name: str
    host: str
    port: int
    inner_host: str
    inner_port: int

    @property
    def inner(self) -> Address:
        """Where the service itself listens."""
        return Address(self.inner_host, self.inner_port)


@dataclass(frozen=True)
class _Request:
    """One request as it came, ready to be passed on."""

    method: str
    path: str
    head: bytes
    """Request line and headers for the service, which is asked to close the connection afterwards."""
    body: bytes

    @property
    def is_free(self) -> bool:
        path = self.path.partition("?")[0].rstrip("/")
        return self.method in {"GET", "HEAD"} and path.endswith(_FREE_PATHS)


class _Refused(Exception):
    """A request that is answered by the gate itself."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _NotWoken(Exception):
    """A change of turns failed."""


class Gate:
    """Passes requests to members, one of which is awake at a time."""

    def __init__(self, members: Sequence[Member], *, turn_seconds: float = 5.0) -> None:
        self.members = {member.name: member for member in members}
        self.turns = Turns(self._wake, self._put_to_sleep, turn_seconds=turn_seconds)
        self._servers: list[asyncio.Server] = []

    async def open(self) -> None:
        """Send everybody to sleep and listen at every member's endpoint. Raises OSError for a port that is taken."""
        for member in self.members.values():
            if await asyncio.to_thread(_asleep, member.inner) is False:
                await self._put_to_sleep(member.name)
        for member in self.members.values():
            self._servers.append(await asyncio.start_server(self._handler(member), member.host, member.port, limit=_HEAD_BYTES))

    async def close(self) -> None:
        """Stop listening."""
        for server in self._servers:
            server.close()

    def _handler(self, member: Member) -> Handler:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                asked = await _read_request(reader)
                if asked is not None:
                    await _unless_gone(self._answer(member, asked, writer), reader)
            except _Refused as refused:
                await _refuse(reader, writer, refused.status, str(refused))
            except (ConnectionError, asyncio.IncompleteReadError) as cut:
                _say(f"{member.name}: a connection broke: {cut}")  # the other side sees its own close
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

        return handle

    async def _answer(self, member: Member, asked: _Request, writer: asyncio.StreamWriter) -> None:
        if asked.is_free:
            await _pass_on(member, asked, writer)
            return
        try:
            async with self.turns.of(member.name):
                await _pass_on(member, asked, writer)
        except _NotWoken as error:
            raise _Refused(503, f"{member.name} cannot be woken: {error}. See its log with: maestro experts status") from error

    async def _wake(self, name: str) -> None:
        try:
            await self._tell(name, "/wake_up")
        except (OSError, http.client.HTTPException) as error:
            raise _NotWoken(str(error)) from error

    async def _put_to_sleep(self, name: str) -> None:
        try:
            await self._tell(name, "/sleep?level=1")
        except ConnectionRefusedError:
            _say(f"{name} is gone; its memory is free")
        except (OSError, http.client.HTTPException) as error:
            raise _NotWoken(f"{name} does not fall asleep: {error}") from error

    async def _tell(self, name: str, path: str) -> None:
        address = self.members[name].inner
        status, body = await asyncio.to_thread(request, address, "POST", path, seconds=_CHANGE_SECONDS)
        _say(f"{name} {path} {status}")
        if status != 200:
            raise OSError(f"{path} says {status} {body[:200].decode(errors='replace')}")
        wanted = path.startswith("/sleep")
        while await asyncio.to_thread(_asleep, address) is (not wanted):  # noqa: ASYNC110 (another process tells, when asked)
            await asyncio.sleep(0.05)


async def _read_request(reader: asyncio.StreamReader) -> _Request | None:
    """The next request, whole; None when the client said nothing. Raises _Refused for what cannot be passed on."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as cut:
        if cut.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise _Refused(431, "the headers are too long") from None
    first, *lines = raw[:-4].split(b"\r\n")
    words = first.decode("latin-1").split(" ")
    if len(words) != 3:
        raise _Refused(400, "this is no HTTP request")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
    known = dict(headers)
    if b"transfer-encoding" in known:
        raise _Refused(411, "send the request with Content-Length; chunked bodies are not read")
    length = known.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > _BODY_BYTES:
        raise _Refused(413, f"a body may have {_BODY_BYTES >> 20} MiB")
    kept = [line for line, (name, _) in zip(lines, headers, strict=True) if name not in {b"connection", b"keep-alive", b"expect"}]
    head = b"\r\n".join([first, *kept, b"Connection: close", b"", b""])
    return _Request(words[0], words[1], head, await reader.readexactly(int(length)))


async def _unless_gone(answering: Coroutine[Any, Any, None], client: asyncio.StreamReader) -> None:
    """Run until done, or until the client leaves: what it asked for is then given up."""
    work = asyncio.create_task(answering)
    more = asyncio.create_task(client.read(1))
    await asyncio.wait((work, more), return_when=asyncio.FIRST_COMPLETED)
    if not work.done() and more.exception() is None and more.result():
        await asyncio.wait((work,))  # it wrote on instead of leaving; a second request is not answered
    for task in (work, more):
        task.cancel()
    outcome, _ = await asyncio.gather(work, more, return_exceptions=True)
    if isinstance(outcome, Exception):
        raise outcome


async def _pass_on(member: Member, asked: _Request, writer: asyncio.StreamWriter) -> None:
    """Send a request to the service, and its reply back as it comes."""
    try:
        inner_reader, inner_writer = await asyncio.open_connection(member.inner_host, member.inner_port)
    except OSError as error:
        raise _Refused(502, f"{member.name} does not answer behind its gate: {error}. See its log with: maestro experts status") from error
    try:
        inner_writer.write(asked.head + asked.body)
        await inner_writer.drain()
        await _copy(inner_reader, writer)
    finally:
        inner_writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int, message: str) -> None:
    """Answer with an error, and read on for a moment: closing on unread bytes would take the answer back."""
    body = json.dumps({"error": {"message": message, "type": "gate", "code": status}}).encode()
    reason = http.client.responses.get(status, "")
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(head.encode() + body)
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(_LINGER_SECONDS):
            while await reader.read(_CHUNK):
                pass


def _asleep(address: Address) -> bool | None:
    """What the service says; None when it does not tell."""
    status, body = request(address, "GET", "/is_sleeping", seconds=_CHANGE_SECONDS)
    if status != 200:
        return None
    found = json.loads(body).get("is_sleeping")
    return found if isinstance(found, bool) else None


def _say(message: str) -> None:
    print(message, flush=True)  # noqa: T201 (a process of its own; this is its log)


async def _run(members: Sequence[Member]) -> None:
    gate = Gate(members)
    await gate.open()
    _say(f"taking turns: {', '.join(gate.members)}")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    await gate.close()


def main() -> None:
    """Run the gate until SIGTERM."""
    asyncio.run(_run([Member(**member) for member in json.loads(sys.argv[1])]))


if __name__ == "__main__":
    main()
