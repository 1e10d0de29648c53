"""One HTTP server that a policy lives behind: attempts, and failures by kind.

Deadlines are the episode's: the loop cancels a decision whose time is up, and with it the request. Here only the connection has a
time limit of its own.
"""

from __future__ import annotations

import asyncio
import os
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from maestro.errors import ConfigError, InfrastructureFault
from maestro.experts.http_faults import exchange_fault, retry_after_seconds, server_message
from maestro.experts.http_session import CONNECT_SECONDS, json_sessions, read_body
from maestro.experts.retry import Backoff

if TYPE_CHECKING:
    import aiohttp

ATTEMPTS = 3
"""Of one request; only transient failures are tried again."""
LONGEST_WAIT_SECONDS = 30.0
"""A server that asks for a longer pause has failed: waiting would end as the policy's running out of time."""
_TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class Endpoint:
    """A base URL with its key. One connection pool per event loop; close it when done."""

    def __init__(self, base_url: str, key_env: str | None = None, *, attempts: int = ATTEMPTS, backoff: Backoff | None = None) -> None:
        """`key_env` names the environment variable that holds the key. Raises ConfigError for a URL or key that cannot be used."""
        self.base_url = base_url.rstrip("/")
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
            raise ConfigError(f"{base_url!r} is not the base URL of a server; write it like http://localhost:8000/v1.")
        if parts.username or parts.password:
            raise ConfigError("the URL holds a user name or password; put the key in an environment variable and say key_env=NAME.")
        if key_env is not None and not os.environ.get(key_env):
            raise ConfigError(f"the environment variable {key_env}, which should hold the key of {self.base_url}, is not set.")
        self._key = os.environ[key_env] if key_env else ""
        self.headers = {"Authorization": f"Bearer {self._key}"} if key_env else {}
        self.root = f"{parts.scheme}://{parts.netloc}"
        """The server without the path of its API."""
        self.attempts = attempts
        self.backoff = backoff or Backoff()
        self._clients: AsyncGenerator[aiohttp.ClientSession, None] | None = None
        self._client: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def models(self) -> list[dict[str, Any]]:
        """The models that the server lists; blocks for at most ten seconds. Raises InfrastructureFault saying what went wrong."""
        url = f"{self.base_url}/models"
        request = urllib.request.Request(url, headers=self.headers)  # noqa: S310 (http or https, checked above)
        try:
            with urllib.request.urlopen(request, timeout=CONNECT_SECONDS) as reply:  # noqa: S310
                listed: list[dict[str, Any]] = orjson.loads(reply.read())["data"]
        except urllib.error.HTTPError as error:
            raise InfrastructureFault(f"{url} answers {error.code} {error.reason}{_advice(error.code)}") from error
        except OSError as error:
            reason = getattr(error, "reason", error)
            why = getattr(reason, "strerror", None) or reason
            raise InfrastructureFault(f"no server answers at {url} ({why}). Start it, or correct the address.", retryable=True) from error
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise InfrastructureFault(f"{url} does not answer with a list of models; is it an OpenAI-compatible server?") from error
        return listed

    async def post(self, url: str, body: dict[str, Any], *, missing: str = "") -> dict[str, Any]:
        """The JSON answer to a JSON request; `missing` is what to do when the server has no such address.

        Raises InfrastructureFault, `retryable` when another attempt might do.
        """
        payload = orjson.dumps(body)
        failures = 0
        while True:
            try:
                return await self._once(url, payload, missing)
            except InfrastructureFault as fault:
                failures += 1
                wait = self.backoff.wait_seconds(failures, fault)
                if not fault.retryable or failures >= self.attempts or wait > LONGEST_WAIT_SECONDS:
                    raise
                await asyncio.sleep(wait)

    async def close(self) -> None:
        """Close the connections; a later request opens new ones. Those of a loop that has ended went with it."""
        clients, self._clients, self._client = self._clients, None, None
        if clients is not None and self._loop is asyncio.get_running_loop():
            await clients.aclose()

    async def _once(self, url: str, payload: bytes, missing: str) -> dict[str, Any]:
        """One attempt."""
        client = await self._connected()
        import aiohttp

        try:
            async with client.post(url, data=payload, allow_redirects=False) as reply:
                status, content, wait = reply.status, await read_body(reply, url), retry_after_seconds(reply.headers)
        except (aiohttp.ClientError, OSError) as error:
            fault = exchange_fault(url, error)
            raise fault or InfrastructureFault(f"{url}: {type(error).__name__}: {error}", retryable=True) from error
        if self._key:
            content = content.replace(self._key.encode(), b"***")
        if status != 200:
            advice = f". {missing}" if status == 404 and missing else _advice(status)
            message = f"{url} answers {status}: {server_message(content)}{advice}"
            raise InfrastructureFault(message, retryable=status in _TRANSIENT, retry_after_seconds=wait)
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise InfrastructureFault(f"{url} answers with something that is not JSON: {content[:80]!r}") from error
        if not isinstance(answer, dict):
            raise InfrastructureFault(f"{url} answers with {type(answer).__name__} instead of an object")
        return answer

    async def _connected(self) -> aiohttp.ClientSession:
        """The client of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._clients = json_sessions(self._key, tls=self.base_url.startswith("https:"))
            self._client, self._loop = await anext(self._clients), loop
        return self._client


def _advice(status: int) -> str:
    """What to do about a refusal."""
    return ". Name the environment variable with the key: ?key_env=NAME" if status in {401, 403} else ""
