"""A served expert over real sockets: what is sent, what is read, what a call costs."""

import asyncio
import base64
import gc
import io
import warnings

import numpy as np
import pytest
from PIL import Image

from maestro.errors import ConfigError, InfrastructureFault, PolicyFault
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest, Reply
from maestro.experts.store import CallStore
from maestro.images import ImageStore, digest, open_image
from maestro.skills.ensemble import Ensemble
from maestro.types import CallLimits, ChatSampling, Expert, Price

from .misbehaving_server import MisbehavingServer, after, completion, in_turn, says, status

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How many “circles”?"}]


def card(server, **fields):
    fields.setdefault("limits", CallLimits(timeout_seconds=5, attempts=2, concurrency=64))
    return Expert(id="wide-model", summary="sees", kind="openai", endpoint=server.url, target="good-model", **fields)


def chat(*images, messages=MESSAGES, **fields):
    return ExpertRequest("chat", "read", "digest", tuple(images), {"messages": messages}, **fields)


def pool_of(*cards, store=None, images=None):
    return ExpertPool({one.id: one for one in cards}, store, images or ImageStore())


async def test_what_is_sent():
    async with MisbehavingServer(in_turn(says("7"))) as server, pool_of(card(server)) as pool:
        assert (await pool.call("wide-model", chat(), 5)).text == "7"
        [seen] = server.chats
        assert (seen.method, seen.path) == ("POST", "/v1/chat/completions")
        assert seen.json == {"model": "good-model", "temperature": 0.2, "max_tokens": 2048, "messages": MESSAGES}
        assert "authorization" not in seen.headers


async def test_sampling_of_card_and_request():
    sampling = ChatSampling(
        temperature=None, top_p=0.9, max_tokens=64, extra={"top_k": 5, "chat_template_kwargs": {"enable_thinking": False}}
    )
    async with MisbehavingServer(in_turn(says("7"))) as server, pool_of(card(server, sampling=sampling)) as pool:
        await pool.call("wide-model", chat(sampling={"max_tokens": 9, "seed": 3}), 5)
        sent = server.chats[0].json
        del sent["messages"], sent["model"]
        assert sent == {"top_p": 0.9, "max_tokens": 9, "seed": 3, "top_k": 5, "chat_template_kwargs": {"enable_thinking": False}}


async def test_servers_with_another_name_for_the_bound():
    sampling = ChatSampling(extra={"max_completion_tokens": 50})
    async with MisbehavingServer(in_turn(says("7"))) as server, pool_of(card(server, sampling=sampling)) as pool:
        await pool.call("wide-model", chat(), 5)
        await pool.call("wide-model", chat(sampling={"max_tokens": 9}), 5)
        assert [one.json["max_completion_tokens"] for one in server.chats] == [50, 9]
        assert not any("max_tokens" in one.json for one in server.chats)


def seen_images(message):
    urls = [part["image_url"]["url"] for part in message["content"][:-1]]
    files = [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]
    assert [url.partition(",")[0] for url in urls] == [f"data:image/{file.format.lower()};base64" for file in files]
    return [file.convert("RGB") for file in files]


def odd_images():
    """The same left half red, right half blue, by ways that go wrong easily."""
    rgb = np.zeros((8, 12, 3), np.uint8)
    rgb[:, :6, 0] = rgb[:, 6:, 2] = 255
    plain = Image.fromarray(rgb)
    alpha = plain.convert("RGBA")
    alpha.putpixel((0, 0), (0, 0, 0, 0))
    photo, turned, exif = io.BytesIO(), io.BytesIO(), Image.Exif()
    plain.save(photo, "JPEG", quality=95)
    exif[0x0112] = 6
    plain.transpose(Image.Transpose.ROTATE_90).save(turned, "JPEG", quality=95, exif=exif)
    palette = plain.quantize(4)
    palette.info["transparency"] = palette.getpixel((0, 0))
    return {
        "plain": plain,
        "alpha": alpha,
        "palette": palette,
        "turned": turned.getvalue(),
        "photo": photo.getvalue(),
        "crop": plain.crop((3, 2, 9, 7)),
    }


async def test_expert_and_orchestrator_see_the_same_pixels_in_order():
    images = ImageStore()
    names = [images.put(image) for image in odd_images().values()]
    messages = [
        *MESSAGES,
        {"role": "assistant", "content": "?"},
        {"role": "user", "content": "left?", "name": "x"},
        {"role": "assistant", "content": "I"},
    ]
    async with MisbehavingServer(in_turn(says("7"))) as server, pool_of(card(server), images=images) as pool:
        await pool.call("wide-model", chat(*names, messages=messages), 5)
        sent = server.chats[0].json["messages"]
        assert [*sent[:3], sent[4]] == [*messages[:3], messages[4]]
        assert (sent[3]["role"], sent[3]["name"]) == ("user", "x")
        assert sent[3]["content"][-1] == {"type": "text", "text": "left?"}
        arrived = seen_images(sent[3])
        assert [digest(image) for image in arrived] == names
        assert sum("data:image/jpeg" in part["image_url"]["url"] for part in sent[3]["content"][:-1]) == 1  # the one that is as it is
        plain, alpha, palette, turned, _, crop = (np.asarray(image).astype(int) for image in arrived)
        assert alpha[0, 0].tolist() == palette[0, 0].tolist() == [255, 255, 255]  # laid on white
        assert np.abs(turned - plain).mean() < 20
        assert crop.shape == (5, 6, 3)
        assert (crop == plain[2:7, 3:9]).all()


async def test_parts_as_content_stay_behind_the_images():
    images = ImageStore()
    name = images.put(Image.new("RGB", (4, 4)))
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    async with MisbehavingServer(in_turn(says("7"))) as server, pool_of(card(server), images=images) as pool:
        await pool.call("wide-model", chat(name, messages=[{"role": "user", "content": parts}]), 5)
        assert server.chats[0].json["messages"][0]["content"][1:] == parts


async def test_an_image_is_encoded_once_for_all_calls():
    images = ImageStore()
    name, other = images.put(Image.new("RGB", (300, 200), "red")), images.put(Image.new("RGB", (300, 200), "blue"))
    async with MisbehavingServer(in_turn(says("7"))) as server, pool_of(card(server), images=images) as pool:
        requests = [chat(name, messages=[{"role": "user", "content": str(i)}]) for i in range(20)]
        await asyncio.gather(*(pool.call("wide-model", request, 5) for request in requests))
        assert len(server.chats) == 20
        assert pool._urls.made == 1
        await pool.call("wide-model", chat(other, name), 5)
        assert pool._urls.made == 2


@pytest.mark.parametrize(
    ("message", "text", "reasoning"),
    [
        ({"content": "<think>hm</think>\n7"}, "7", "hm"),
        ({"content": "hm, so\n</think>\n\n7"}, "7", "hm, so"),
        ({"content": "6 <Thinking>no</Thinking> or 7"}, "6  or 7", "no"),
        ({"content": "7", "reasoning_content": "apart"}, "7", "apart"),
        ({"content": "<think>b</think>7", "reasoning": "a"}, "7", "a\nb"),
        ({"content": [{"type": "text", "text": "se"}, {"type": "text", "text": "ven"}]}, "seven", ""),
        ({"content": None, "refusal": "I may not"}, "I may not", ""),
        ({"content": "7 < 8"}, "7 < 8", ""),
        ({"content": "a<think>b<think>c</think>d</think>7"}, "7", "b<think>c\nad"),
    ],
)
async def test_what_is_read(message, text, reasoning):
    content = message.pop("content")
    async with MisbehavingServer(in_turn(says(content, **message))) as server, pool_of(card(server)) as pool:
        reply = await pool.call("wide-model", chat(), 5)
        assert (reply.text, reply.reasoning) == (text, reasoning)


async def test_thinking_can_be_kept():
    async with MisbehavingServer(in_turn(says("<think>hm</think>7"))) as server:
        one = card(server, sampling=ChatSampling(keep_thinking=True))
        async with pool_of(one) as pool:
            assert (await pool.call("wide-model", chat(), 5)).text == "<think>hm</think>7"
    assert "keep_thinking" not in server.chats[0].json


async def test_price_and_tokens():
    price = Price(call_usd=1, megapixel_usd=100, input_mtok_usd=1000, output_mtok_usd=20_000)
    images = ImageStore()
    name = images.put(Image.new("RGB", (100, 100)))
    async with MisbehavingServer(in_turn(says("7"))) as server, pool_of(card(server, price=price), images=images) as pool:
        reply = await pool.call("wide-model", chat(name), 5)
        assert (reply.input_tokens, reply.output_tokens) == (100, 10)
        assert reply.cost_usd == pytest.approx(1 + 1 + 0.1 + 0.2)
    unmetered = {"choices": [{"message": {"content": "7"}}]}
    async with MisbehavingServer(in_turn(status(200, unmetered))) as server:
        async with pool_of(card(server, price=price)) as pool:
            with pytest.raises(InfrastructureFault, match="reports no usage"):
                await pool.call("wide-model", chat(), 5)
        async with pool_of(card(server, price=Price(call_usd=2))) as pool:
            assert (await pool.call("wide-model", chat(), 5)).cost_usd == 2


async def test_usage_that_makes_no_sense_is_none():
    odd = {"choices": [{"message": {"content": "7"}}], "usage": {"prompt_tokens": "many", "completion_tokens": -5}}
    async with MisbehavingServer(in_turn(status(200, odd))) as server, pool_of(card(server)) as pool:
        reply = await pool.call("wide-model", chat(), 5)
        assert (reply.input_tokens, reply.output_tokens) == (0, 0)


async def test_a_queue_that_the_server_reports_lowers_the_limit():
    crowded = status(200, completion("7"), endpoint_load_metrics="TEXT named_metrics.num_requests_waiting=12.0")
    async with MisbehavingServer(in_turn(crowded)) as server, pool_of(card(server)) as pool:
        await pool.call("wide-model", chat(), 5)
        assert server.chats[0].headers["endpoint-load-metrics-format"] == "TEXT"
        [endpoint] = pool._endpoints.values()
        assert (await endpoint.line()).limit.limit == pytest.approx(14.4)


async def test_identical_calls_in_flight_and_recorded_ones_are_made_once(tmp_path):
    async with MisbehavingServer(in_turn(after(0.05, says("<think>a</think>7")))) as server:
        with CallStore(tmp_path / "s.sqlite", "cache") as store:
            async with pool_of(card(server), store=store) as pool:
                first = await asyncio.gather(*(pool.call("wide-model", chat(), 5) for _ in range(10)))
                assert {one.text for one in first} == {"7"}
                again = await pool.call("wide-model", chat(), 5)
                assert (again.replayed, again.text, again.reasoning, again.input_tokens) == (True, "7", "a", 100)
                assert len(server.chats) == 1
                await pool.call("wide-model", chat(draw=1), 5)
                assert len(server.chats) == 2
            async with pool_of(card(server, sampling=ChatSampling(temperature=1)), store=store) as pool:
                assert not (await pool.call("wide-model", chat(), 5)).replayed  # sampled otherwise, so another call
            async with pool_of(card(server, sampling=ChatSampling()), store=store) as pool:
                assert (await pool.call("wide-model", chat(), 5)).replayed


async def test_the_key_is_sent_and_never_shown(monkeypatch):
    monkeypatch.setenv("WIDE_KEY", "sk-very-secret-0123456789\n")
    refusing = status(401, {"error": {"message": "Incorrect API key provided: sk-very-secret-0123456789"}})
    async with MisbehavingServer(in_turn(says("7"), refusing)) as server, pool_of(card(server, api_key_env="WIDE_KEY")) as pool:
        await pool.call("wide-model", chat(), 5)
        assert server.chats[0].headers["authorization"] == "Bearer sk-very-secret-0123456789"
        with pytest.raises(InfrastructureFault, match=r"environment variable WIDE_KEY.*HTTP 401.*provided: \*\*\*") as caught:
            await pool.call("wide-model", chat(), 5)
        assert not caught.value.retryable
        assert len(server.chats) == 2
    for value, said in (("", "is not set"), ("ä key", "holds something that is no key")):
        monkeypatch.setenv("WIDE_KEY", value)
        with pytest.raises(ConfigError, match=f"WIDE_KEY {said}"):
            await pool.call("wide-model", chat(), 5)


async def test_requests_that_are_no_chat():
    async with MisbehavingServer(in_turn(says("7"))) as server:
        images = ImageStore()
        name = images.put(Image.new("RGB", (4, 4)))
        async with pool_of(card(server), images=images) as pool:
            for request in (ExpertRequest("ocr"), ExpertRequest("chat"), chat(name, messages=[{"role": "system", "content": "x"}])):
                with pytest.raises(PolicyFault, match="wide-model cannot do"):
                    await pool.call("wide-model", request, 5)
        assert server.seen == []


async def test_one_session_for_all_calls_and_cards_of_an_endpoint():
    async with MisbehavingServer(in_turn(says("7"))) as server:
        twin = card(server).model_copy(update={"id": "narrow-model", "target": "other"})
        async with pool_of(card(server), twin) as pool:
            for _ in range(3):
                await pool.call("wide-model", chat(), 5)
                await pool.call("narrow-model", chat(), 5)
            assert server.connections == 1
            [endpoint] = pool._endpoints.values()
            assert endpoint.most == 128


def test_one_pool_serves_one_event_loop_after_another_and_leaves_nothing_open():
    async def start():
        async with server:
            return server.url

    async def ask():
        async with server:
            return (await pool.call("wide-model", chat(), 5)).text

    server = MisbehavingServer(in_turn(says("7")))
    asyncio.run(start())  # it keeps its port
    pool = pool_of(card(server))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [asyncio.run(ask()) for _ in range(3)] == ["7"] * 3
        gc.collect()
    [endpoint] = pool._endpoints.values()
    assert len(endpoint._lines) == 1
    asyncio.run(pool.close())


async def test_a_prompted_skill_asks_it(tmp_path):
    images = ImageStore()
    async with MisbehavingServer(in_turn(says("<think>hm</think>It says\nSTOP"))) as server:
        folder = tmp_path / "registry"
        (folder / "skills" / "answer").mkdir(parents=True)
        (folder / "registry.yaml").write_text(
            "name: served\nexperts:\n"
            f"  - {{id: wide-model, summary: sees, kind: openai, endpoint: '{server.url}', target: good-model,\n"
            "     price: {output_mtok_usd: 5}}\n"
        )
        (folder / "skills" / "answer" / "SKILL.md").write_text(
            "---\nname: answer\ndescription: Answers.\nmetadata:\n  experts: [wide-model]\n---\nAnswer on the last line.\n"
        )
        from maestro.types import Call, Task

        task = Task(id="t", question="What does it say?", images=(images.put(Image.new("RGB", (9, 9), "red")),))
        async with Ensemble.load(folder, images) as ensemble:
            observation = await ensemble.perform(Call(expert="wide-model", skill="answer"), task, 5)
        assert (observation.status, observation.value) == ("ok", "STOP")
        [child] = observation.children
        assert (child.expert, child.input_tokens, child.output_tokens, child.cost_usd) == ("wide-model", 100, 10, pytest.approx(5e-5))
        assert server.chats[0].json["messages"][0] == {"role": "system", "content": "Answer on the last line."}


def test_what_is_encoded_is_the_image():
    from maestro.experts.data_urls import encode

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (33, 21, 3), dtype=np.uint8))
    assert digest(open_image(encode(image).data)) == digest(image)


def test_replies_without_news_are_stored_as_before():
    from maestro.experts.store import encode_reply

    assert b"reasoning" not in encode_reply(Reply("a", answered_by="b"))
    assert b"answered_by" not in encode_reply(Reply("a", answered_by="b"))
