"""A well-behaved OpenAI-compatible server on loopback, in a process of its own, for benchmarks.

`python -m maestro.bench.chat_server` prints its port and serves until its standard input ends. It reads a request to its end,
waits as long as the path says (`/50ms/v1/chat/completions`) and answers the same text to everybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator

_REPLY = (
    b'{"id":"chat","object":"chat.completion","model":"bench","choices":[{"index":0,"finish_reason":"stop","message":'
    b'{"role":"assistant","content":"The answer is seven."}}],"usage":{"prompt_tokens":900,"completion_tokens":6,"total_tokens":906}}'
)
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_REPLY), _REPLY)
_DELAY = re.compile(rb"POST /(\d+)ms/")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNK_BYTES = 1 << 18


class _Connection(asyncio.BufferedProtocol):
    """One keep-alive connection: bodies are counted and forgotten, so that the server costs little beside its clients."""

    def __init__(self) -> None:
        self._buffer = bytearray(_CHUNK_BYTES)
        self._head = b""
        self._left = 0
        self._delay_seconds = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> bytearray:
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._left:
            self._left -= nbytes
        else:
            self._begin(bytes(self._buffer[:nbytes]))
        if not self._left and not self._head:
            asyncio.get_running_loop().call_later(self._delay_seconds, self._answer)

    def _begin(self, data: bytes) -> None:
        self._head += data
        head, complete, body = self._head.partition(b"\r\n\r\n")
        if not complete:
            return
        length, delay = _LENGTH.search(head), _DELAY.match(head)
        self._head = b""
        self._left = (int(length[1]) if length else 0) - len(body)
        self._delay_seconds = int(delay[1]) / 1e3 if delay else 0.0

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_ANSWER)


@contextlib.contextmanager
def chat_server() -> Iterator[str]:
    """Start the server and give `http://127.0.0.1:PORT`; it ends with the block."""
    command = [sys.executable, "-m", "maestro.bench.chat_server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own module)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(10)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 (the parent reads it)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
