"""`maestro headroom --chat`: a prompted model beside the baselines, from a real server on this machine."""

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest

from tests.cli.conftest import write_registry
from tests.policy.loopback import listening
from tests.tasks.recorded_folders import task_row, write_folder

LIMIT = ("--split", "train", "--split", "test", "--limit", "6")


@contextmanager
def serving(reply):
    """The server in a thread of its own: the command line blocks this one."""
    ready = threading.Event()
    found = []

    async def serve():
        async with listening(reply) as server:
            over = asyncio.Event()
            found.append((server, asyncio.get_running_loop(), over))
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield found[0][0]
    finally:
        _, loop, over = found[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(20)


def calls_then_answers(expert, skill, query=""):
    """Makes one call, then says what came back; after a refusal it asks again with an empty query."""

    def reply(path, body):
        last = body["messages"][-1]
        if last["role"] == "tool" and not last["content"].startswith("error"):
            value = last["content"].partition("answer: ")[2].splitlines()
            return 200, chosen({"role": "assistant", "content": value[0] if value else "unknown"}, "stop")
        asked = query if last["role"] == "user" else ""
        function = {"name": skill, "arguments": json.dumps({"expert": expert, "query": asked})}
        call = {"id": "one", "type": "function", "function": function}
        return 200, chosen({"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")

    return reply


def chosen(message, finish):
    return {"choices": [{"message": message, "finish_reason": finish}], "usage": {"prompt_tokens": 100, "completion_tokens": 10}}


@pytest.fixture
def store(maestro, tmp_path):
    registry = write_registry(tmp_path / "toy", reply='"white"', failure='"white"')
    path = str(tmp_path / "calls.sqlite")
    code, printed = maestro("record", "playground", "-r", registry, "-s", path, *LIMIT)
    assert code == 0, printed.err
    return path


def test_a_model_at_an_address_plays_the_recorded_calls_of_a_store(maestro, store):
    with serving(calls_then_answers("reader", "read", "my own words")) as server:
        chat = f"big@{server.url}?call_usd=0.5"
        code, printed = maestro("headroom", store, "--split", "test", "--no-pictures", "--chat", chat, "--json")
    assert code == 0, printed.err
    row = json.loads(printed.out)["splits"]["test"]["rows"]["chat:big"]
    assert row["questions"] == 6
    assert row["errors"] == []
    assert row["calls"]["mean"] == 2
    assert row["cost_usd"]["mean"] == pytest.approx(3 * 0.5 + 0.01)
    assert {body["model"] for _, body in server.asked} == {"big"}
    assert "image_url" in json.dumps(server.asked[0][1])
    assert any("only recorded calls" in json.dumps(body) for _, body in server.asked)


def test_a_model_plays_recorded_systems_and_is_judged_as_they_are(maestro, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = str(write_folder(tmp_path / "shapes", [task_row(number) for number in range(32)]))
    with serving(calls_then_answers("zeta", "ask")) as server:
        code, printed = maestro("headroom", folder, "--no-pictures", "--chat", f"big@{server.url}", "--json")
    assert code == 0, printed.err
    rows = json.loads(printed.out)["baselines"]["rows"]
    assert list(rows)[-2:] == ["chat:big", "oracle"]
    assert rows["chat:big"]["accuracy"]["mean"] == rows["zeta@ask"]["accuracy"]["mean"]


def test_a_served_expert_of_the_registry_is_one_who_decides(maestro, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = str(write_folder(tmp_path / "shapes", [task_row(number) for number in range(16)]))
    registry = write_registry(tmp_path / "toy")
    with serving(calls_then_answers("zeta", "ask")) as server:
        card = f"  - {{id: judge, summary: Big., kind: openai, endpoint: '{server.url}', target: big-1, price: {{call_usd: 0.25}}}}\n"
        (tmp_path / "toy" / "registry.yaml").write_text((tmp_path / "toy" / "registry.yaml").read_text() + card)
        skill = tmp_path / "toy" / "skills" / "read" / "SKILL.md"
        skill.write_text(skill.read_text().replace("[reader, broken]", "[reader, broken, judge]"))
        code, printed = maestro("headroom", folder, "--no-pictures", "--chat", "judge", "-r", registry, "--json")
    assert code == 0, printed.err
    row = json.loads(printed.out)["baselines"]["rows"]["chat:judge"]
    assert row["cost_usd"]["mean"] == pytest.approx(2 * 0.25 + 0.001)
    assert {body["model"] for _, body in server.asked} == {"big-1"}


def test_a_server_that_is_down_breaks_the_row_and_tells(maestro, store):
    down = "big@http://127.0.0.1:9/v1"
    code, printed = maestro("headroom", store, "--split", "test", "--no-pictures", "--chat", down, "--json")
    rows = json.loads(printed.out)["splits"]["test"]["rows"]
    assert code == 1
    assert len(rows["chat:big"]["errors"]) == 6
    assert "chat:big" in printed.err


@pytest.mark.parametrize(
    ("chats", "told"),
    [(("nobody",), "no served expert"), (("m@http://127.0.0.1:9/v1", "m@http://127.0.0.1:8/v1"), "twice")],
)
def test_mistakes_are_told(maestro, store, chats, told):
    given = [part for chat in chats for part in ("--chat", chat)]
    code, printed = maestro("headroom", store, "--split", "test", "--no-pictures", *given)
    assert code == 1
    assert told in printed.err
