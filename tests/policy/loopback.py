"""A real HTTP server on this machine that answers with what a test says."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Reply = Callable[[str, dict[str, Any] | None], tuple[int, Any] | web.Response]
"""From path and JSON body to status and JSON answer."""


class Loopback:
    """Remembers what it was asked."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[tuple[str, dict[str, Any] | None]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.asked.append((request.path, body))
        self.headers.append(dict(request.headers))
        answer = self.reply(request.path, body)
        if isinstance(answer, web.Response):
            return answer
        status, content = answer
        return web.json_response(content, status=status)


@asynccontextmanager
async def listening(reply: Reply) -> AsyncIterator[Loopback]:
    """A server whose `url` ends with /v1."""
    server = Loopback(reply)
    application = web.Application(client_max_size=2**26)
    application.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    server.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
