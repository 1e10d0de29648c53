"""The call store: stable keys, modes, and what survives a kill, a second process or a damaged file."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro.errors import NotRecorded, StoreError
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.store import CallStore, RecordedCount, StoreMode, call_key, canonical, decode_request
from maestro.types import Expert

CARD = Expert(id="x", summary="s", kind="local")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 53), 1 << 53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), JSON, max_size=4)


def asked(number=0, **fields):
    return ExpertRequest(
        **{"operation": "ocr", "skill": "read", "skill_digest": "d", "images": ("a" * 64,), "arguments": {"n": number}} | fields
    )


def reversed_order(value):
    if isinstance(value, dict):
        return {key: reversed_order(value[key]) for key in reversed(value)}
    return [reversed_order(item) for item in value] if isinstance(value, list) else value


@given(ARGUMENTS, st.integers(0, 5))
def test_the_key_depends_on_content_and_not_on_order(arguments, draw):
    request = asked(arguments=arguments, draw=draw)
    assert call_key(CARD, request) == call_key(CARD, replace(request, arguments=reversed_order(arguments)))
    assert call_key(CARD, decode_request(canonical(CARD, request))) == call_key(CARD, request)


@given(ARGUMENTS, ARGUMENTS)
def test_different_arguments_have_different_keys(one, other):
    same = canonical(CARD, asked(arguments=one)) == canonical(CARD, asked(arguments=other))
    assert same == (call_key(CARD, asked(arguments=one)) == call_key(CARD, asked(arguments=other)))
    if not same:
        assert one != other or repr(one) != repr(other)


def test_every_part_is_in_the_key_and_the_key_is_what_it_was():
    changes = {"operation": "o", "skill": "s", "skill_digest": "e", "images": ("b" * 64,), "arguments": {}, "sampling": {"t": 1}, "draw": 1}
    requests = [asked(), *(asked(**{name: value}) for name, value in changes.items())]
    keys = {call_key(CARD, request) for request in requests}
    keys |= {call_key(CARD.model_copy(update={field: "2"}), asked()) for field in ("id", "revision")}
    assert len(keys) == len(requests) + 2
    assert call_key(CARD.model_copy(update={"summary": "other", "options": {"a": 1}}), asked()) == call_key(CARD, asked())
    # A change here loses everybody's recordings: raise SCHEMA_VERSION and say so in the changelog.
    assert call_key(CARD, asked()).hex()[:16] == "5a8fd415e0eff5ba"


def test_cache_and_replay(tmp_path):
    path = tmp_path / "deep" / "calls.sqlite"
    reply = Reply("text " * 1000, 3, 4, 0.5, 1.25)
    with CallStore(path) as store:
        assert store.get(CARD, asked()) is None
        store.put(CARD, asked(), reply)
        assert store.get(CARD, asked()) == replace(reply, replayed=True)
        store.put(CARD, asked(), Reply("later"))
    with CallStore(path) as store:  # cache keeps what was there
        assert store.get(CARD, asked()).text == reply.text
    with CallStore(path, "record") as store:
        assert store.get(CARD, asked()) is None
        store.put(CARD, asked(), Reply("new"))
    with CallStore(path, StoreMode.REPLAY) as store:
        assert store.get(CARD, asked()) == Reply("new", replayed=True)
        store.put(CARD, asked(1), reply)  # a no-op
        with pytest.raises(NotRecorded, match=r"expert x .*skill read, operation ocr"):
            store.get(CARD, asked(1))
        with pytest.raises(StoreError, match="mode replay"):
            store.add_rows([])
        assert store.count() == 1


def test_off_touches_nothing(tmp_path):
    with CallStore(tmp_path / "calls.sqlite", "off") as store:
        store.put(CARD, asked(), Reply("a"))
        assert store.get(CARD, asked()) is None
        assert (store.count(), store.summary(), store.sample(3, 0)) == (0, (), ())
    assert list(tmp_path.iterdir()) == []


def test_memory_is_bounded_and_forgetting_is_harmless(tmp_path):
    with CallStore(tmp_path / "s", memory_bytes=20_000) as store:
        for number in range(100):
            store.put(CARD, asked(number), Reply(f"{number} " * 300))
        assert len(store._memory) < 100
        assert all(store.get(CARD, asked(number)).text == f"{number} " * 300 for number in range(100))


def test_summary_and_sample(tmp_path):
    other = CARD.model_copy(update={"id": "y"})
    with CallStore(tmp_path / "one") as store:
        for number in range(40):
            store.put(CARD if number % 4 else other, asked(number), Reply(str(number)))
        assert store.summary() == (RecordedCount("x", "1", "read", "ocr", 30), RecordedCount("y", "1", "read", "ocr", 10))
        sample = store.sample(8, seed=1)
        assert sample == store.sample(8, seed=1)
        assert sample != store.sample(8, seed=2)
        assert len({call.request.arguments["n"] for call in sample}) == 8
        for call in sample:
            card = CARD.model_copy(update={"id": call.expert, "revision": call.revision})
            assert store.get(card, call.request).text == call.reply.text == str(call.request.arguments["n"])
        assert len(store.sample(1000, 0)) == 40
    with CallStore(tmp_path / "two") as backwards:  # another order of insertion, the same sample
        for number in reversed(range(40)):
            backwards.put(CARD if number % 4 else other, asked(number), Reply(str(number)))
        assert [call.request for call in backwards.sample(8, seed=1)] == [call.request for call in sample]


def test_merge(tmp_path):
    for name, numbers in (("a", range(10)), ("b", range(5, 25))):
        with CallStore(tmp_path / name) as store:
            for number in numbers:
                store.put(CARD, asked(number), Reply(f"{name}{number}"))
    with CallStore(tmp_path / "a") as store:
        assert store.merge(tmp_path / "b") == 15
        assert store.count() == 25
        assert store.get(CARD, asked(7)).text == "a7"
        with pytest.raises(StoreError, match=r"no call store at"):
            store.merge(tmp_path / "nowhere")


WRITER = """
import sys, time
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.store import CallStore
from maestro.types import Expert
card = Expert(id="x", summary="s", kind="local")
store = CallStore(sys.argv[1])
first, last, pause = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
for number in range(first, last):
    store.put(card, ExpertRequest("ocr", "read", "d", ("a" * 64,), {"n": number}), Reply(f"reply {number}"))
    if pause:
        time.sleep(pause)
        print(number, flush=True)
store.close()
"""


def test_a_killed_writer_loses_at_most_the_last_moments(tmp_path):
    path = tmp_path / "s"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path), "0", "100000", "0.004"], stdout=subprocess.PIPE, text=True)
    printed = []  # when each call was written, by our clock
    while not printed or time.monotonic() - printed[0] < 3.5:
        assert int(writer.stdout.readline()) == len(printed)
        printed.append(time.monotonic())
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    with CallStore(path, "replay") as store:
        kept = store.count()
        old = sum(when < printed[-1] - 2.5 for when in printed)  # a second, and what a busy machine may add to it
        assert 0 < old <= kept <= len(printed) + 100  # it went on between the last line that was read and the kill
        assert all(store.get(CARD, asked(number)).text == f"reply {number}" for number in range(kept))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_two_processes_share_a_new_file(tmp_path):
    path = tmp_path / "s"
    ranges = (("0", "1500"), ("1000", "2500"))
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), first, last, "0"]) for first, last in ranges]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with CallStore(path, "replay") as store:
        assert store.count() == 2500
        assert store.get(CARD, asked(2499)).text == "reply 2499"


def test_what_another_process_records_is_seen(tmp_path):
    with CallStore(tmp_path / "s") as one, CallStore(tmp_path / "s") as two:
        assert two.get(CARD, asked()) is None
        one.put(CARD, asked(), Reply("a"))
        one.flush()
        assert two.get(CARD, asked()).text == "a"


def test_a_batch_is_committed_without_being_asked(tmp_path):
    with CallStore(tmp_path / "s") as store:
        store.put(CARD, asked(), Reply("a"))
        end = time.monotonic() + 5
        with CallStore(tmp_path / "s", "replay") as reader:
            while reader.count() == 0 and time.monotonic() < end:
                time.sleep(0.05)
            assert reader.count() == 1


def test_unusable_files(tmp_path):
    (tmp_path / "text").write_text("hello, this is no database at all\n" * 100)
    (tmp_path / "empty").touch()
    foreign = sqlite3.connect(tmp_path / "foreign")
    foreign.execute("CREATE TABLE t (a)")
    foreign.close()
    with CallStore(tmp_path / "newer") as store:
        store.put(CARD, asked(), Reply("a"))
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version=99")
    newer.close()
    for mode in ("cache", "replay"):
        for name, message in (("", "is a folder"), ("text", "not a database"), ("foreign", "not a call store"), ("newer", "version 99")):
            with pytest.raises(StoreError, match=message):
                CallStore(tmp_path / name, mode)
    with pytest.raises(StoreError, match=r"no call store at .*missing"):
        CallStore(tmp_path / "missing", "replay")
    with pytest.raises(StoreError, match="not a call store"):
        CallStore(tmp_path / "empty", "replay")
    with pytest.raises(StoreError, match="cannot open"):
        CallStore(tmp_path / "text" / "below", "cache")
    with pytest.raises(StoreError, match="mode 'sometimes' does not exist; choose one of off, cache, record, replay"):
        CallStore(tmp_path / "x", "sometimes")
    CallStore(tmp_path / "empty", "cache").close()


def test_a_damaged_row_and_a_closed_store_say_so(tmp_path):
    with CallStore(tmp_path / "s") as store:
        store.put(CARD, asked(), Reply("a" * 5000))
    connection = sqlite3.connect(tmp_path / "s")
    connection.execute("UPDATE calls SET reply = x'78010203'")
    connection.commit()
    connection.close()
    with CallStore(tmp_path / "s", "replay") as store, pytest.raises(StoreError, match="damaged reply"):
        store.get(CARD, asked())
    with pytest.raises(StoreError, match="closed"):
        store.count()
    store.close()


def test_damaged_pages_say_so(tmp_path):
    path = tmp_path / "s"
    with CallStore(path) as store:
        for number in range(500):
            store.put(CARD, asked(number), Reply(f"{number} " * 200))
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    path.write_bytes(content)
    with CallStore(path, "replay") as store, pytest.raises(StoreError, match=r"cannot read|damaged"):
        [store.get(CARD, asked(number)) for number in range(500)]


def test_a_read_only_folder_can_be_replayed(tmp_path):
    folder = tmp_path / "shipped"
    with CallStore(folder / "s") as store:
        store.put(CARD, asked(), Reply("a"))
    folder.chmod(0o555)
    (folder / "s").chmod(0o444)
    try:
        with CallStore(folder / "s", "replay") as store:
            assert store.get(CARD, asked()).text == "a"
    finally:
        folder.chmod(0o755)
