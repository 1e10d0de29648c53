"""The pool is the single owner of deadlines, retries, concurrency, prices and recording."""

import asyncio
import time

import pytest
from PIL import Image

from maestro.errors import CallTimeout, ConfigError, InfrastructureFault, NotRecorded, PolicyFault, RateLimited
from maestro.experts.pool import ExpertPool, price_of
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.retry import Backoff
from maestro.experts.scripted import Delayed, ScriptedExpert
from maestro.experts.store import CallStore, StoreMode
from maestro.images import ImageStore
from maestro.types import CallLimits, Expert, Price

UNAVAILABLE = InfrastructureFault("503", retryable=True)


def scripted(replies, **fields):
    fields.setdefault("limits", CallLimits(timeout_seconds=5, attempts=3))
    return ScriptedExpert(Expert(id="x", summary="test", kind="scripted", **fields), replies)


class Slept:
    def __init__(self):
        self.seconds = []

    async def __call__(self, seconds):
        self.seconds.append(seconds)


def pool_of(client, store=None, **options):
    options.setdefault("sleep", Slept())
    return ExpertPool({"x": client.card}, store, ImageStore(), clients={"x": client}, **options)


REQUEST = ExpertRequest("op", "skill", "digest", (), {"a": 1})


async def test_reply_carries_the_price():
    client = scripted(
        [Reply("yes", input_tokens=1000, output_tokens=10)],
        price=Price(call_usd=1, megapixel_usd=8, input_mtok_usd=100, output_mtok_usd=1e4),
    )
    pool = pool_of(client)
    image = pool.images.put(Image.new("RGB", (500, 250)))
    reply = await pool.call("x", ExpertRequest("op", images=(image,)), 5)
    assert reply.cost_usd == pytest.approx(1 + 1 + 0.1 + 0.1)
    assert not reply.replayed
    assert reply.latency_seconds > 0
    assert price_of(Price(), Reply("x"), 10) == 0


async def test_retries_only_transient_faults_and_at_most_attempts():
    client = scripted([UNAVAILABLE, UNAVAILABLE, "yes"])
    slept = Slept()
    assert (await pool_of(client, sleep=slept).call("x", REQUEST, 60)).text == "yes"
    assert len(slept.seconds) == 2

    client = scripted([UNAVAILABLE] * 3 + ["never"])
    with pytest.raises(InfrastructureFault, match="503"):
        await pool_of(client).call("x", REQUEST, 60)
    assert len(client.requests) == 3

    for fault in (InfrastructureFault("401"), PolicyFault("no")):
        client = scripted([fault, "never"])
        with pytest.raises(type(fault)):
            await pool_of(client).call("x", REQUEST, 60)
        assert len(client.requests) == 1


async def test_retry_after_is_honoured_and_not_waited_for_past_the_deadline():
    slow_down = InfrastructureFault("429", retryable=True, retry_after_seconds=7)
    slept = Slept()
    await pool_of(scripted([slow_down, "yes"]), sleep=slept).call("x", REQUEST, 60)
    assert slept.seconds == [7]
    client = scripted([slow_down, "yes"])
    with pytest.raises(InfrastructureFault, match="429"):
        await pool_of(client, sleep=slept).call("x", REQUEST, 3)
    assert len(client.requests) == 1
    assert slept.seconds == [7]


def test_backoff_grows_within_bounds_and_varies():
    waits = [Backoff(first_seconds=1, most_seconds=4).wait_seconds(n, UNAVAILABLE) for n in (1, 2, 3, 4, 5)]
    for wait, most in zip(waits, (1, 2, 4, 4, 4), strict=True):
        assert most / 2 <= wait <= most
    assert len({Backoff().wait_seconds(1, UNAVAILABLE) for _ in range(5)}) > 1


async def test_attempt_timeout_is_retried_and_deadline_bounds_all():
    client = scripted([Delayed(30, "late"), "yes"], limits=CallLimits(timeout_seconds=0.05, attempts=2))
    assert (await pool_of(client).call("x", REQUEST, 60)).text == "yes"

    client = scripted([Delayed(30, "late")] * 10, limits=CallLimits(timeout_seconds=0.05, attempts=10))
    started = time.monotonic()
    with pytest.raises(CallTimeout, match="x did not answer op"):
        await pool_of(client, sleep=asyncio.sleep).call("x", REQUEST, 0.3)
    assert time.monotonic() - started < 5
    with pytest.raises(CallTimeout, match="no time"):
        await pool_of(client).call("x", REQUEST, 0)


async def test_a_failure_the_client_does_not_declare_is_translated():
    async def broken(request):
        raise TimeoutError("socket")

    with pytest.raises(InfrastructureFault, match="TimeoutError: socket") as caught:
        await pool_of(scripted(broken)).call("x", REQUEST, 5)
    assert not isinstance(caught.value, CallTimeout)


async def test_identical_calls_in_flight_are_made_once():
    client = scripted([Delayed(0.05, "one"), "two"], price=Price(call_usd=0.5))
    pool = pool_of(client)
    replies = await asyncio.gather(*(pool.call("x", REQUEST, 5) for _ in range(20)))
    assert {reply.text for reply in replies} == {"one"}
    assert [reply.cost_usd for reply in replies] == [0.5] * 20
    assert len(client.requests) == 1
    assert (await pool.call("x", REQUEST, 5)).text == "two"  # no longer in flight


async def test_an_impatient_caller_does_not_end_the_call_of_a_patient_one():
    client = scripted([Delayed(0.2, "yes")])
    pool = pool_of(client)
    patient = asyncio.create_task(pool.call("x", REQUEST, 5))
    await asyncio.sleep(0.01)
    with pytest.raises(CallTimeout):
        await pool.call("x", REQUEST, 0.05)
    assert (await patient).text == "yes"


async def test_nobody_waiting_cancels_the_call():
    ended = asyncio.Event()

    async def hang(request):
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    pool = pool_of(scripted(hang))
    caller = asyncio.create_task(pool.call("x", REQUEST, 5))
    await asyncio.sleep(0.01)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.wait_for(ended.wait(), 1)


async def test_concurrency_is_bounded_per_expert():
    active, most = 0, 0

    async def answer(request):
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(0.01)
        active -= 1
        return "yes"

    client = scripted(answer, limits=CallLimits(concurrency=3))
    pool = pool_of(client)
    await asyncio.gather(*(pool.call("x", ExpertRequest("op", arguments={"i": i}), 5) for i in range(12)))
    assert most == 3


def test_one_pool_serves_one_event_loop_after_another():
    client = scripted(lambda request: Delayed(0.01, "yes"), limits=CallLimits(concurrency=1))
    pool = pool_of(client)

    async def several():
        return await asyncio.gather(*(pool.call("x", ExpertRequest("op", arguments={"i": i}), 5) for i in range(4)))

    for _ in range(2):
        assert [reply.text for reply in asyncio.run(several())] == ["yes"] * 4


async def test_unknown_expert_and_senseless_arguments_are_the_policys_fault():
    pool = pool_of(scripted(["yes"]))
    with pytest.raises(PolicyFault, match="no expert 'y'; there are x"):
        await pool.call("y", REQUEST, 5)
    for value in ({1, 2}, "\ud800", 1 << 80):
        with pytest.raises(PolicyFault, match=r"no JSON"):
            await pool.call("x", ExpertRequest("op", arguments={"a": value}), 5)


@pytest.mark.parametrize(("fallback", "says"), [("x", "leads back"), ("z", "does not exist; there are x, y"), ("y", "leads back")])
def test_a_fallback_that_leads_nowhere(fallback, says):
    cards = {
        "x": Expert(id="x", summary="s", kind="scripted", fallback=fallback),
        "y": Expert(id="y", summary="s", kind="scripted", fallback="x"),
    }
    with pytest.raises(ConfigError, match=says):
        ExpertPool(cards, None, ImageStore())


async def test_a_fallback_answers_what_is_transient_and_is_kept_under_its_own_id(tmp_path):
    first = scripted([UNAVAILABLE] * 3 + [InfrastructureFault("401"), PolicyFault("no")], fallback="y")
    second = ScriptedExpert(Expert(id="y", summary="s", kind="scripted", price=Price(call_usd=2)), ["spare"])
    cards = {"x": first.card, "y": second.card}
    with CallStore(tmp_path / "s.sqlite") as store:
        pool = ExpertPool(cards, store, ImageStore(), clients={"x": first, "y": second}, sleep=Slept())
        reply = await pool.call("x", REQUEST, 60)
        assert (reply.text, reply.cost_usd, reply.child("x", "s").expert, len(first.requests)) == ("spare", 2, "y", 3)
        assert [row.expert for row in store.summary()] == ["y"]
        for fault in (InfrastructureFault, PolicyFault):
            with pytest.raises(fault):
                await pool.call("x", REQUEST, 60)
        assert len(second.requests) == 1


async def test_being_asked_to_wait_is_no_failed_attempt():
    client = scripted([RateLimited("429", retry_after_seconds=3)] * 8 + [UNAVAILABLE, "yes"], limits=CallLimits(attempts=2))
    slept = Slept()
    assert (await pool_of(client, sleep=slept).call("x", REQUEST, 600)).text == "yes"
    assert len(slept.seconds) == 9
    client = scripted([RateLimited("429")] * 20, limits=CallLimits(attempts=2))
    with pytest.raises(RateLimited):
        await pool_of(client).call("x", REQUEST, 600)
    assert len(client.requests) == 9


async def test_store_modes(tmp_path):
    price = Price(call_usd=0.25)
    client = scripted(["one", "two", UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, "three"], price=price)
    with CallStore(tmp_path / "s.sqlite", StoreMode.CACHE) as store:
        pool = pool_of(client, store)
        first = await pool.call("x", REQUEST, 5)
        again = await pool.call("x", REQUEST, 5)
        assert (first.text, first.replayed, again.text, again.replayed) == ("one", False, "one", True)
        assert again.cost_usd == 0.25
    with CallStore(tmp_path / "s.sqlite", StoreMode.RECORD) as store:
        assert (await pool_of(client, store).call("x", REQUEST, 5)).text == "two"
        with pytest.raises(InfrastructureFault):
            await pool_of(client, store).call("x", ExpertRequest("other"), 5)
        assert store.count() == 1  # errors are never stored
    with CallStore(tmp_path / "s.sqlite", StoreMode.REPLAY) as store:
        pool = ExpertPool({"x": client.card.model_copy(update={"price": Price(call_usd=3)})}, store, ImageStore())
        replayed = await pool.call("x", REQUEST, 5)
        assert (replayed.text, replayed.replayed, replayed.cost_usd) == ("two", True, 3)
        with pytest.raises(NotRecorded, match=r"expert x .* skill skill, operation other"):
            await pool.call("x", ExpertRequest("other", "skill"), 5)
    with CallStore(tmp_path / "s.sqlite", StoreMode.OFF) as store:
        assert (await pool_of(client, store).call("x", REQUEST, 5)).text == "three"


async def test_scripted_from_the_registry():
    replies = ["a", {"error": "policy", "message": "no"}, {"text": "b", "delay_seconds": 0.01}]
    card = Expert(id="x", summary="s", kind="scripted", options={"replies": replies})
    pool = ExpertPool({"x": card}, None, ImageStore())
    assert (await pool.call("x", REQUEST, 5)).text == "a"
    with pytest.raises(PolicyFault, match="no"):
        await pool.call("x", REQUEST, 5)
    assert (await pool.call("x", REQUEST, 5)).text == "b"
    assert (await pool.call("x", REQUEST, 5)).text == "a"
    for bad in ([], ["a", 3], [{"text": "a", "error": "policy"}], [{"error": "sad"}]):
        pool = ExpertPool({"x": card.model_copy(update={"options": {"replies": bad}})}, None, ImageStore())
        with pytest.raises(ConfigError, match="scripted expert x"):
            await pool.call("x", REQUEST, 5)


async def test_list_used_up():
    client = scripted(["a"])
    pool = pool_of(client)
    await pool.call("x", REQUEST, 5)
    with pytest.raises(InfrastructureFault, match="asked once more"):
        await pool.call("x", REQUEST, 5)
    await pool.close()
    assert client.closed
