import asyncio
from typing import Any

import pytest
from aiohttp import web

from maestro.errors import ConfigError, InfrastructureFault
from maestro.experts.retry import Backoff
from maestro.policy.endpoint import Endpoint
from tests.policy.loopback import listening

AT_ONCE = Backoff(first_seconds=0.0)


async def test_an_answer_comes_back_and_the_key_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    async with listening(lambda path, body: (200, {"path": path, "body": body})) as server:
        endpoint = Endpoint(server.url, "SOME_KEY")
        assert await endpoint.post(server.url + "/x", {"a": 1}) == {"path": "/v1/x", "body": {"a": 1}}
        assert server.headers[0]["Authorization"] == "Bearer secret"
        await endpoint.close()
        assert (await endpoint.post(server.url + "/y", {}))["path"] == "/v1/y"
        await endpoint.close()
        await endpoint.close()


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (401, False), (404, False), (429, True), (500, True), (503, True)])
async def test_refusals_by_kind(status: int, retryable: bool) -> None:
    async with listening(lambda *_: (status, {"error": {"message": "because"}})) as server:
        endpoint = Endpoint(server.url, attempts=3, backoff=AT_ONCE)
        with pytest.raises(InfrastructureFault, match=f"answers {status}: because") as caught:
            await endpoint.post(server.url + "/x", {})
        assert caught.value.retryable is retryable
        assert len(server.asked) == (3 if retryable else 1)
        await endpoint.close()
    assert ("key_env=NAME" in str(caught.value)) is (status == 401)


async def test_a_transient_failure_is_tried_again() -> None:
    answers: list[tuple[int, Any]] = [(503, {"error": "busy"}), (200, {"ok": True})]
    async with listening(lambda *_: answers.pop(0)) as server:
        endpoint = Endpoint(server.url, backoff=AT_ONCE)
        assert await endpoint.post(server.url + "/x", {}) == {"ok": True}
        await endpoint.close()


async def test_the_servers_wish_to_wait_is_known() -> None:
    def busy(*_: object) -> web.Response:
        return web.Response(status=429, text="slow down", headers={"Retry-After": "7"})

    async with listening(busy) as server:
        endpoint = Endpoint(server.url, attempts=1)
        with pytest.raises(InfrastructureFault, match="slow down") as caught:
            await endpoint.post(server.url + "/x", {})
        assert caught.value.retry_after_seconds == 7.0
        await endpoint.close()


async def test_a_wish_to_wait_for_long_is_a_failure() -> None:
    async with listening(lambda *_: web.Response(status=503, headers={"Retry-After": "300"})) as server:
        endpoint = Endpoint(server.url)
        with pytest.raises(InfrastructureFault):
            await endpoint.post(server.url + "/x", {})
        assert len(server.asked) == 1
        await endpoint.close()


async def test_a_key_that_a_server_repeats_is_cut_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-very-secret")
    async with listening(lambda *_: (401, {"error": {"message": "wrong key sk-very-secret"}})) as server:
        endpoint = Endpoint(server.url, "SOME_KEY")
        with pytest.raises(InfrastructureFault, match=r"wrong key \*\*\*"):
            await endpoint.post(server.url + "/x", {})
        await endpoint.close()


@pytest.mark.parametrize(("text", "said"), [("<html>", "not JSON"), ("[1]", "list instead of an object")])
async def test_an_answer_that_is_no_object(text: str, said: str) -> None:
    async with listening(lambda *_: web.Response(text=text)) as server:
        endpoint = Endpoint(server.url)
        with pytest.raises(InfrastructureFault, match=said):
            await endpoint.post(server.url + "/x", {})
        await endpoint.close()


async def test_nobody_there() -> None:
    async with listening(lambda *_: (200, {})) as server:
        url = server.url
    endpoint = Endpoint(url, attempts=2, backoff=AT_ONCE)
    with pytest.raises(InfrastructureFault, match=r"cannot be reached \(.*\); is the server running") as caught:
        await endpoint.post(url + "/x", {})
    assert caught.value.retryable
    with pytest.raises(InfrastructureFault, match="no server answers at"):
        await asyncio.to_thread(endpoint.models)
    await endpoint.close()


def test_one_endpoint_serves_several_loops() -> None:
    async def once() -> None:
        async with listening(lambda *_: (200, {"ok": True})) as server:
            endpoint.base_url = server.url
            assert await endpoint.post(server.url + "/x", {}) == {"ok": True}
            await endpoint.close()

    endpoint = Endpoint("http://127.0.0.1:1/v1")
    asyncio.run(once())
    asyncio.run(once())


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("localhost:8000/v1", None, "not the base URL"),
        ("ftp://host/v1", None, "not the base URL"),
        ("http://host/v1?key=1", None, "not the base URL"),
        ("http://me:secret@host/v1", None, "user name or password"),
        ("http://host/v1", "NO_SUCH_VARIABLE", "NO_SUCH_VARIABLE, which should hold the key"),
    ],
)
def test_addresses_and_keys_that_cannot_be_used(url: str, key: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        Endpoint(url, key)
    assert "me:secret" not in str(caught.value)
