"""Local experts run in worker processes that crash, hang and end without harm."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from maestro.errors import CallTimeout, ConfigError, InfrastructureFault, PolicyFault
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest
from maestro.experts.retry import Backoff
from maestro.experts.store import CallStore
from maestro.images import ImageStore
from maestro.types import CallLimits, Expert

MODELS = Path(__file__).parent / "models"


@pytest.fixture(autouse=True)
def models_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(MODELS))


def card(name="echo", target="pool_models:Echo", attempts=2, timeout_seconds=20.0, **options):
    limits = CallLimits(attempts=attempts, timeout_seconds=timeout_seconds)
    return Expert(id=name, summary="s", kind="local", target=target, options=options, limits=limits)


def make(*cards, workers=1, store=None):
    return ExpertPool({card.id: card for card in cards}, store, ImageStore(), workers=workers, backoff=Backoff(first_seconds=0.01))


async def ask(pool, operation, *, expert="echo", images=(), deadline=30.0, skill="", **arguments):
    reply = await pool.call(expert, ExpertRequest(operation, skill, "", tuple(images), arguments), deadline)
    return json.loads(reply.text)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("workers", [0, 1])
async def test_operations_see_pixels_and_options(workers):
    async with make(card(greeting="hi"), workers=workers) as pool:
        red = pool.images.put(Image.new("RGB", (7, 5), "red"))
        reply = await ask(pool, "echo", images=[red, red], text="there")
        assert reply["text"] == "hi there"
        assert reply["shapes"] == [[5, 7, 3]] * 2
        assert reply["means"] == [[255.0, 0.0, 0.0]] * 2
        assert (reply["pid"] == os.getpid()) == (workers == 0)
        assert (await ask(pool, "echo"))["calls"] == 2  # the model is built once
        assert await ask(pool, "numpy") == {"a": 1.5, "b": [0, 1, 2], "c": 7}
        assert await ask(pool, "none", value=float("nan")) is True  # called with what is keyed


@pytest.mark.parametrize("workers", [0, 1])
async def test_faults_are_typed(workers):
    cards = [card(), card("missing", "pool_models:NeedsMissing"), card("bad", "pool_models:BadOptions", size=0)]
    cards += [card("lost", "no_such_module:X"), card("nameless", "pool_models:Nobody"), card("empty", "pool_models")]
    async with make(*cards, workers=workers) as pool:
        with pytest.raises(PolicyFault, match="echo cannot do refuse: that makes no sense"):
            await ask(pool, "refuse")
        with pytest.raises(PolicyFault, match=r"it offers .*echo"):
            await ask(pool, "fly")
        with pytest.raises(InfrastructureFault, match=r"failed in break: KeyError: 'lost' \(pool_models.py, line \d+\)"):
            await ask(pool, "break")
        with pytest.raises(InfrastructureFault, match="failed in leave: SystemExit: 3"):  # it may not end our process, inline or not
            await ask(pool, "leave")
        with pytest.raises(InfrastructureFault, match=r"no JSON"):
            await ask(pool, "object")
        with pytest.raises(InfrastructureFault, match=r"missing needs .*not_a_real_package"):
            await ask(pool, "x", expert="missing")
        with pytest.raises(InfrastructureFault, match=r"bad could not be built: .*size must be positive"):
            await ask(pool, "x", expert="bad")
        with pytest.raises(InfrastructureFault, match="no_such_module"):
            await ask(pool, "x", expert="lost")
        with pytest.raises(InfrastructureFault, match="has no Nobody"):
            await ask(pool, "x", expert="nameless")
        with pytest.raises(ConfigError, match="needs a target"):
            await ask(pool, "x", expert="empty")
        with pytest.raises(InfrastructureFault, match=r"no image with hash"):
            await ask(pool, "echo", images=["f" * 64])


async def test_worker_environment_and_noise():
    async with make(card()) as pool:
        assert await ask(pool, "environment") == {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "OPENCV_FOR_THREADS_NUM": "1"}
        assert await ask(pool, "print") == "fine"
        assert (await ask(pool, "echo"))["text"] == "hello "


async def test_a_crash_is_a_retryable_fault_and_the_worker_is_replaced(tmp_path):
    async with make(card(attempts=2), card("once", attempts=1)) as pool:
        first = (await ask(pool, "echo"))["pid"]
        assert await ask(pool, "crash_once", marker=str(tmp_path / "m")) == "alive"
        assert (await ask(pool, "echo"))["pid"] != first
        with pytest.raises(InfrastructureFault, match=r"died during crash .*-11: last words") as caught:
            await ask(pool, "crash", expert="once")
        assert caught.value.retryable
        assert (await ask(pool, "echo"))["text"] == "hello "


async def test_a_call_over_its_time_is_killed_with_what_it_started(tmp_path):
    async with make(card(attempts=1, timeout_seconds=2.0)) as pool:
        hung = (await ask(pool, "echo"))["pid"]
        started = time.monotonic()
        with pytest.raises(CallTimeout, match=r"within 2 s"):
            await ask(pool, "child", pid_file=str(tmp_path / "pid"))
        assert time.monotonic() - started < 15
        assert (await ask(pool, "echo"))["pid"] != hung
        assert not alive(hung)
        assert not alive(int((tmp_path / "pid").read_text()))


async def test_cancelling_ends_a_spinning_worker_and_the_loop_stays_free():
    async with make(card()) as pool:
        pid = (await ask(pool, "echo"))["pid"]
        task = asyncio.create_task(ask(pool, "spin", seconds=60))
        late = 0.0
        for _ in range(20):
            before = time.monotonic()
            await asyncio.sleep(0.01)
            late = max(late, time.monotonic() - before)
        assert late < 2
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await ask(pool, "echo"))["pid"] != pid
        assert not alive(pid)


async def test_waiting_for_a_worker_is_not_the_attempts_time():
    async with make(card(timeout_seconds=2.0, attempts=1)) as pool:
        await ask(pool, "echo")
        pids = await asyncio.gather(*(ask(pool, "sleep", seconds=0.5 + i / 1000) for i in range(5)))
        assert len(set(pids)) == 1  # five calls of 0.5 s, one after the other, none timed out


async def test_jobs_go_to_the_worker_that_has_the_model():
    async with make(card("a"), card("b"), workers=2) as pool:
        one, two = await asyncio.gather(ask(pool, "sleep", expert="a", seconds=0.2), ask(pool, "sleep", expert="b", seconds=0.2))
        assert one != two
        for _ in range(3):
            assert (await ask(pool, "echo", expert="a"))["pid"] == one
            assert (await ask(pool, "echo", expert="b"))["pid"] == two


async def test_closing_leaves_no_process():
    pool = make(card(), workers=2)
    pids = await asyncio.gather(*(ask(pool, "sleep", seconds=0.2 + i / 1000) for i in range(2)))
    busy = asyncio.create_task(ask(pool, "sleep", seconds=60))
    await asyncio.sleep(0.05)
    await pool.close()
    with pytest.raises(InfrastructureFault):
        await busy
    assert len(set(pids)) == 2
    assert not any(alive(pid) for pid in pids)


@pytest.mark.parametrize("how", ["exit", "killed"])
def test_a_parent_that_does_not_close_leaves_no_process(how):
    program = f"""
import asyncio, json, os, signal, sys
sys.path[:0] = [{str(MODELS)!r}]
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest
from maestro.images import ImageStore
from maestro.types import Expert
async def main():
    pool = ExpertPool({{"echo": Expert(id="echo", summary="s", kind="local", target="pool_models:Echo")}}, None, ImageStore(), workers=1)
    print(json.loads((await pool.call("echo", ExpertRequest("echo"), 20)).text)["pid"], flush=True)
    if {how!r} == "killed":
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGKILL)
        await pool.call("echo", ExpertRequest("spin", arguments={{"seconds": 60}}), 60)
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    pid = int(done.stdout)
    end = time.monotonic() + 5
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(pid), done.stderr


async def test_the_same_work_for_two_skills_is_done_once_while_recording(tmp_path):
    with CallStore(tmp_path / "s.sqlite", "record") as store:
        async with make(card(), workers=0, store=store) as pool:
            calls = [(await ask(pool, "echo", skill=skill))["calls"] for skill in ("read", "chart", "read")]
        assert calls == [1, 1, 2]  # the same skill again is a new recording
        assert store.count() == 2
    with CallStore(tmp_path / "s.sqlite", "cache") as store:
        async with make(card(), workers=0, store=store) as pool:
            assert [(await ask(pool, "echo", skill=skill))["calls"] for skill in ("read", "chart", "solve")] == [2, 1, 1]
    with CallStore(tmp_path / "s.sqlite", "replay") as store:
        assert {(row.skill, row.calls) for row in store.summary()} == {("read", 1), ("chart", 1), ("solve", 1)}


async def test_an_inline_call_that_hangs_times_out_and_the_next_one_works():
    async with make(card(attempts=1, timeout_seconds=0.2), workers=0) as pool:
        with pytest.raises(CallTimeout):
            await ask(pool, "sleep", seconds=1.0)
        assert (await ask(pool, "echo"))["calls"] == 1


def test_an_inline_call_that_never_returns_does_not_keep_the_program_from_ending():
    code = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from tests.experts.test_local import ask, card, make
from maestro.errors import CallTimeout
async def main():
    async with make(card(attempts=1, timeout_seconds=0.2), workers=0) as pool:
        try:
            await ask(pool, "sleep", seconds=300.0)
        except CallTimeout:
            print("gave up")
asyncio.run(main())
"""
    models = str(Path(__file__).parent / "models")
    ended = subprocess.run([sys.executable, "-c", code, models], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "gave up\n"


@pytest.mark.parametrize("workers", [0, 1])
async def test_building_a_model_is_not_the_attempts_time(workers):
    slow = card("slow", "pool_models:SlowToBuild", attempts=1, timeout_seconds=0.5, seconds=1.0)
    async with make(slow, workers=workers) as pool:
        assert await ask(pool, "say", expert="slow", text="a") == "a"
    async with make(slow, workers=workers) as pool:
        with pytest.raises(CallTimeout, match=r"could not be made ready within 0.\d+ s|were left"):
            await ask(pool, "say", expert="slow", text="b", deadline=0.3)


async def test_small_calls_are_fast():
    async with make(card()) as pool:
        await ask(pool, "echo")
        started = time.perf_counter()
        for i in range(50):
            await ask(pool, "echo", text=str(i))
        assert (time.perf_counter() - started) / 50 < 0.2  # about 1 ms on an idle core
