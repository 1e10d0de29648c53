"""The client of a token server, against one on this machine that keeps to vLLM's format; the real one is in test_served_vllm.py."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maestro.errors import CheckpointError, ConfigError, ImageError, InfrastructureFault
from maestro.images import ImageStore
from maestro.policy.codec import Wording
from maestro.policy.dialect_maestro_4b import Maestro4bDialect
from maestro.policy.endpoint import Endpoint
from maestro.policy.prompt_maestro_4b import PlannerPrompt
from maestro.policy.protocol import Opening
from maestro.policy.remote import load_served
from maestro.policy.sampling import SamplingSettings
from maestro.policy.served import RowLimits, ServedPolicy, collapse
from maestro.registry.menu import Menu
from maestro.rollout.episode import run_episode
from maestro.rollout.limits import Limits
from maestro.types import Answer, Call, Episode, Observation, StopReason, Task
from tests.policy.loopback import Loopback, listening
from tests.policy.qwen import save_wording

SEARCH = "<search> page-reader@@read: the sign </search>"
ANSWER = "<answer>7</answer>"
SEEN = "<|im_start|>user<information>a 7</information><|im_end|>"
PATCHES = 3
"""Placeholders per image of this server."""


class Ensemble:
    name = "fake@0"

    def __init__(self, menu: Menu) -> None:
        self.menu = menu

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        return Observation(text="a 7")


@pytest.fixture(scope="module")
def wording(tmp_path_factory: pytest.TempPathFactory) -> Wording:
    return Wording.load(save_wording(tmp_path_factory.mktemp("wording")))


class Tokens:
    """Expands placeholders and samples a script, as far as the request's stops and limit allow."""

    def __init__(self, wording: Wording, *script: str, **changes: Any) -> None:
        self.wording = wording
        self.script = list(script)
        self.changes = changes

    def __call__(self, path: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        if path == "/v1/models":
            return 200, {"data": [{"id": "tiny", "root": "/nowhere", "max_model_len": 900}]}
        assert path == "/inference/v1/generate"
        assert body is not None
        image = self.wording.vocabulary["<|image_pad|>"]
        read = [token for given in body["token_ids"] for token in ([given] * PATCHES if given == image else [given])]
        wanted = self.wording.codec.encode(self.script.pop(0))
        sampling = body["sampling_params"]
        decode = self.wording.codec.decode
        ends = (n for n in range(1, len(wanted)) if any(stop in decode(wanted[:n]) for stop in sampling["stop"]))
        ids = wanted[: next(ends, len(wanted))][: sampling["max_tokens"]]
        choice = {
            "token_ids": ids,
            "logprobs": {"content": [{"token_id": token, "logprob": -0.25} for token in ids]},
            "finish_reason": "length" if len(ids) == sampling["max_tokens"] else "stop",
        }
        return 200, {"choices": [choice | self.changes.get("choice", {})], "prompt_token_ids": self.changes.get("read", read)}


def policy_at(server: Loopback, wording: Wording, menu: Menu, images: ImageStore, **changes: Any) -> ServedPolicy:
    made = ServedPolicy(
        Endpoint(server.url, attempts=1),
        "tiny",
        wording,
        images,
        Maestro4bDialect(menu, prompt=PlannerPrompt("SYSTEM", "REMINDER")),
        SamplingSettings(max_new_tokens=64),
        RowLimits(row=600, observation=64, reserve=32),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def conducted(policy: ServedPolicy, menu: Menu, task: Task, **limits: Any) -> Episode:
    try:
        return await run_episode(task, policy, Ensemble(menu), Limits(**limits))
    finally:
        await policy.close()


async def test_ids_go_in_collapsed_and_come_back_as_the_model_read_them(
    menu: Menu, images: ImageStore, wording: Wording, picture: Callable[..., str]
) -> None:
    names = (picture(1), picture(2))
    async with listening(Tokens(wording, SEARCH, ANSWER)) as server:
        episode = await conducted(policy_at(server, wording, menu, images), menu, Task(id="t", question="What?", images=names))
    assert (episode.stop, episode.answer) == (StopReason.ANSWERED, "7")
    pad = "<|vision_start|>" + "<|image_pad|>" * PATCHES + "<|vision_end|>"
    prompt = (
        f"<|im_start|>system\nSYSTEM<|im_end|>\n<|im_start|>user\n{pad}{pad}What?\n\nREMINDER<|im_end|>\n<|im_start|>assistant\n<think>\n"
    )
    assert episode.tokens is not None
    assert wording.codec.decode(episode.tokens.prompt_ids) == prompt
    assert wording.codec.decode(episode.tokens.completion_ids) == SEARCH + "<|im_end|>" + SEEN + ANSWER + "<|im_end|>"
    assert set(episode.tokens.logprobs) == {0.0, -0.25}

    first, second = (body for _, body in server.asked if body is not None)
    image = wording.vocabulary["<|image_pad|>"]
    assert first["token_ids"].count(image) == second["token_ids"].count(image) == 2
    row = [*episode.tokens.prompt_ids, *episode.tokens.completion_ids]
    assert second["token_ids"] == collapse(row, image)[: len(second["token_ids"])]
    assert [part["uuid"] for part in second["content_parts"]] == list(names)
    assert first["sampling_params"]["stop"] == ["</search>"]
    assert second["sampling_params"]["stop"] == ["</search>", "</answer>"]
    assert (first["stream"], first["return_token_ids"]) == (False, True)
    # Pictures that are not there cannot be sampled; message headers can, because this dialect's policies write them.
    biased = {int(token) for token in first["sampling_params"]["logit_bias"]}
    assert image in biased
    assert wording.vocabulary["<|im_start|>"] not in biased


async def test_seeds_differ_by_task_sample_and_turn_and_repeat(menu: Menu, images: ImageStore, wording: Wording) -> None:
    async with listening(lambda *_: (500, {})) as server:
        policy = policy_at(server, wording, menu, images)
    openings = [Opening(Task(id=name, question="?"), menu, sample) for name, sample in (("a", 0), ("b", 0), ("a", 1), ("a", 0))]
    seeds = [policy.request([1], opening, 0, 9)["sampling_params"]["seed"] for opening in openings]
    assert len(set(seeds)) == 3
    assert seeds[0] == seeds[3] != policy.request([1], openings[0], 1, 9)["sampling_params"]["seed"]
    policy.sampling = replace(policy.sampling, greedy=True)
    assert policy.request([1], openings[0], 0, 9)["sampling_params"]["temperature"] == 0.0


async def test_another_temperature_makes_no_training_row(menu: Menu, images: ImageStore, wording: Wording) -> None:
    async with listening(Tokens(wording, SEARCH, ANSWER)) as server:
        policy = policy_at(server, wording, menu, images, sampling=SamplingSettings(temperature=0.7, max_new_tokens=64))
        episode = await conducted(policy, menu, Task(id="t", question="?"))
    assert episode.tokens is not None
    assert episode.tokens.untrainable == "drawn at temperature 0.7, log-probs are those at 1"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"read": [1, 2, 3]}, "read another row of ids"),
        ({"choice": {"logprobs": None}}, "lacks what a policy needs"),
        ({"choice": {"logprobs": {"content": [{"token_id": 1, "logprob": 0.0}]}}}, "other ids than it sampled"),
        ({"choice": {"token_ids": None}}, "lacks what a policy needs"),
    ],
)
async def test_a_server_that_does_something_else_is_found_out(
    menu: Menu, images: ImageStore, wording: Wording, changes: dict[str, Any], said: str
) -> None:
    async with listening(Tokens(wording, SEARCH, ANSWER, **changes)) as server:
        episode = await conducted(policy_at(server, wording, menu, images), menu, Task(id="t", question="?"))
    assert episode.stop is StopReason.INFRASTRUCTURE
    assert episode.error is not None
    assert said in episode.error
    assert episode.tokens is None


async def test_a_server_without_the_endpoint_says_what_to_do(menu: Menu, images: ImageStore, wording: Wording) -> None:
    async with listening(lambda *_: (404, {"detail": "Not Found"})) as server:
        episode = await conducted(policy_at(server, wording, menu, images), menu, Task(id="t", question="?"))
    assert episode.error is not None
    assert "--enable-scale-out" in episode.error


async def test_the_episodes_deadline_ends_a_request(menu: Menu, images: ImageStore, wording: Wording) -> None:
    runner = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)  # takes the request and never answers
    port = runner.sockets[0].getsockname()[1]
    policy = ServedPolicy(
        Endpoint(f"http://127.0.0.1:{port}/v1"), "tiny", wording, images, Maestro4bDialect(menu), SamplingSettings(), RowLimits()
    )
    episode = await conducted(policy, menu, Task(id="t", question="?"), seconds=0.3)
    runner.close()
    assert episode.stop is StopReason.TIME_LIMIT
    assert episode.turns == ()


async def test_a_full_row_ends_the_episode(menu: Menu, images: ImageStore, wording: Wording) -> None:
    async with listening(Tokens(wording, *[SEARCH] * 9)) as server:
        policy = policy_at(server, wording, menu, images)
        length = len(policy.encode_prompt(Opening(Task(id="t", question="?"), menu)))
        policy.limits = RowLimits(row=length + 120, observation=64, reserve=32)
        episode = await conducted(policy, menu, Task(id="t", question="?"))
        assert episode.stop is StopReason.TOKEN_LIMIT
        policy = policy_at(server, wording, menu, images, limits=RowLimits(row=length, observation=64, reserve=32))
        episode = await conducted(policy, menu, Task(id="t", question="?"))
        assert episode.turns[0].decision.truncated


async def test_what_a_session_needs_is_checked_at_its_opening(menu: Menu, images: ImageStore, wording: Wording) -> None:
    async with listening(lambda *_: (500, {})) as server:
        policy = policy_at(server, wording, menu, images)
    with pytest.raises(ImageError):
        policy.open(Opening(Task(id="t", question="?", images=("nothing",)), menu))
    policy.wording = replace(wording, template="{{ messages[1].role }}")
    with pytest.raises(ConfigError, match="0 placeholders for 1 images"):
        policy.open(Opening(Task(id="t", question="?", images=("nothing",)), menu))
    with pytest.raises(ConfigError, match=r"has no <\|image_pad\|>"):
        ServedPolicy(policy.endpoint, "m", replace(wording, vocabulary={}), images, policy.dialect)


async def test_the_server_says_what_it_serves(menu: Menu, images: ImageStore, wording: Wording, tmp_path: Path) -> None:
    folder = save_wording(tmp_path / "wording")

    def load(name: str) -> ServedPolicy:
        return load_served(name, menu, images, greedy=True, seed=0)

    async with listening(Tokens(wording)) as server:
        policy = await asyncio.to_thread(load, f"served:{server.url}?tokenizer={folder}&dialect=maestro-4b")
        assert (policy.name, policy.model, policy.limits.row) == ("served:tiny", "tiny", 900)
        with pytest.raises(ConfigError, match=r"no model at .* 'huge'; there is tiny"):
            await asyncio.to_thread(load, f"served:{server.url}#huge")
        with pytest.raises(ConfigError, match=r"\?tokenizer=FOLDER"):
            await asyncio.to_thread(load, f"served:{server.url}#tiny")
        with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
            await asyncio.to_thread(load, f"served:{server.url}#tiny?tokenizer={tmp_path}")
    with pytest.raises(InfrastructureFault, match="no server answers"):
        await asyncio.to_thread(load, f"served:{server.url}#tiny")


def test_collapsing() -> None:
    assert collapse([], 9) == []
    assert collapse([9, 9, 1, 9, 9, 9, 2, 2], 9) == [9, 1, 9, 2, 2]


def test_an_answer_parses_in_either_dialect(menu: Menu) -> None:
    assert Maestro4bDialect(menu).parse(ANSWER) == Answer(text="7")
