"""The gate before real servers with vLLM's sleep endpoints: only the one awake is asked."""

import asyncio
import json
import subprocess

import pytest

from maestro.experts.fleet.gate import Gate, Member
from maestro.experts.fleet.health import Address, check
from tests.experts.fleet.places import SECONDS, echo, free_ports


def start(command: list[str]) -> subprocess.Popen:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
async def gate(tmp_path):
    """A gate over servers `a` and `b`; `gate.log` has every change."""
    ports = free_ports(4)
    members = [Member(name, "127.0.0.1", ports[k], "127.0.0.1", ports[k + 2]) for k, name in enumerate("ab")]
    log = tmp_path / "sleeps"
    servers = [start(echo(one.inner_port, one.name, "--sleeps", log)) for one in members]
    for one in members:
        async with asyncio.timeout(SECONDS):
            while not (await check(one.inner)).answers:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    opened = Gate(members, turn_seconds=0.0)
    await opened.open()
    opened.log, opened.servers = log, servers
    yield opened
    await opened.close()
    for server in servers:
        server.kill()
        server.wait()


async def raw(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    reply = await reader.read()
    writer.close()
    return reply


async def ask(gate: Gate, name: str, text: str = "hello", padding: int = 0) -> tuple[int, str]:
    body = json.dumps({"model": name, "messages": [{"role": "user", "content": text}], "padding": "x" * padding}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: {len(body)}\r\n\r\n"
    reply = await raw(gate.members[name].port, head.encode() + body)
    status = int(reply.split(b" ", 2)[1])
    content = json.loads(reply.partition(b"\r\n\r\n")[2])
    return status, content["choices"][0]["message"]["content"] if status == 200 else content["error"]["message"]


def changes(gate: Gate) -> list[str]:
    return gate.log.read_text().splitlines()


async def test_everybody_sleeps_at_first_and_a_request_wakes_whom_it_is_for(gate):
    assert changes(gate) == ["a sleep", "b sleep"]
    assert await ask(gate, "a") == (200, "a heard: hello")
    assert await ask(gate, "a", "again") == (200, "a heard: again")
    assert await ask(gate, "b") == (200, "b heard: hello")
    assert changes(gate)[2:] == ["a wake_up", "a sleep", "b wake_up"]


async def test_questions_that_need_no_model_wake_nobody(gate):
    for member in gate.members.values():
        assert (await check(Address(member.host, member.port))).served == (member.name,)
    assert changes(gate) == ["a sleep", "b sleep"]


async def test_many_at_once_and_large_bodies(gate):
    replies = await asyncio.gather(*(ask(gate, "ab"[k % 2], str(k), padding=300_000) for k in range(12)))
    assert [reply for _, reply in replies] == [f"{'ab'[k % 2]} heard: {k}" for k in range(12)]


async def test_a_service_that_is_gone_fails_its_own_requests_only(gate):
    assert (await ask(gate, "a"))[0] == 200
    gate.servers[0].kill()
    gate.servers[0].wait()
    status, message = await ask(gate, "a")
    assert (status, message.partition(":")[0]) == (502, "a does not answer behind its gate")
    assert await ask(gate, "b") == (200, "b heard: hello")
    status, message = await ask(gate, "a")
    assert (status, message.partition(":")[0]) == (503, "a cannot be woken")
    assert (await ask(gate, "b"))[0] == 200


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /v1/x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST /v1/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", 431),
    ],
)
async def test_what_cannot_be_passed_on_is_refused(gate, request_bytes, status):
    reply = await raw(gate.members["a"].port, request_bytes)
    assert int(reply.split(b" ", 2)[1]) == status


async def test_a_client_that_leaves_gives_up_its_turn(gate):
    async with gate.turns.of("b"):  # somebody uses b
        reader, writer = await asyncio.open_connection("127.0.0.1", gate.members["a"].port)
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        async with asyncio.timeout(SECONDS):
            while not gate.turns._queue:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            writer.close()
            while gate.turns._queue:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        del reader
    assert await ask(gate, "b") == (200, "b heard: hello")
    assert changes(gate)[2:] == ["b wake_up"]
