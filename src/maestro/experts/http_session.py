"""The HTTP session of an endpoint that speaks JSON, and reading what it sends. Experts and policies behind HTTP share it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from maestro.errors import InfrastructureFault

if TYPE_CHECKING:
    import aiohttp

MAX_REPLY_BYTES = 8 << 20
"""A longer reply is not read to its end."""
CONNECT_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 4.0
"""Below the five seconds after which uvicorn (and so vLLM) closes an idle connection: whoever closes second may lose a request."""


async def json_sessions(api_key: str | None, *, tls: bool) -> AsyncGenerator[aiohttp.ClientSession, None]:
    """The running loop's one session. As a generator, because a loop that ends closes its generators: so no session outlives it.

    `api_key` is sent as a bearer token. Only connecting has a time limit here; whoever calls owns the clock.
    """
    import ssl

    import aiohttp

    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Content-Type": "application/json"}
    if api_key:
        headers["Authorization"] = f"Bearer {api_key}"
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,  # the caller bounds it
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=ssl.create_default_context() if tls else True,
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
    )
    try:
        while True:
            yield session
    finally:
        await session.close()


async def read_body(response: aiohttp.ClientResponse, who: str) -> bytes:
    """The body, unless it is too long. Raises InfrastructureFault."""
    promised = response.content_length
    if promised is not None and promised <= MAX_REPLY_BYTES and not response.headers.get("Content-Encoding"):
        return await response.read()
    chunks: list[bytes] = []
    if promised is None or promised <= MAX_REPLY_BYTES:
        size = 0
        async for chunk in response.content.iter_any():
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                break
        else:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    response.close()
    raise InfrastructureFault(f"{who} sent more than {MAX_REPLY_BYTES >> 20} MB; that is no reply, and the rest was not read")
