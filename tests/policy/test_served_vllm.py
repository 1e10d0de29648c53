"""The policies behind HTTP against a real vLLM server on this machine's processor.

The server's environment is a second one: `make vllm` builds it, `make test-vllm` runs this. The checkpoint is a tiny Qwen3-VL in the
layout of the released one that has learnt a conversation by heart, in both dialects; its start takes a minute or two.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests.policy.conftest import SIZES
from tests.policy.qwen import save_checkpoint
from tests.policy.vllm_server import ENVIRONMENT, learn, rows_of, serving

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.slow,
    pytest.mark.skipif(not (ENVIRONMENT / "bin" / "python").exists(), reason=f"no vLLM environment in {ENVIRONMENT}: make vllm builds it"),
]
torch = pytest.importorskip("torch", reason="the extra `train` is not installed")

from maestro.images import ImageStore  # noqa: E402
from maestro.policy.dialect_maestro import MaestroDialect  # noqa: E402
from maestro.policy.dialect_maestro_4b import Maestro4bDialect  # noqa: E402
from maestro.policy.dialect_tools import ToolsDialect  # noqa: E402
from maestro.policy.endpoint import Endpoint  # noqa: E402
from maestro.policy.local import LocalPolicy, Sampling  # noqa: E402
from maestro.policy.local_score import score  # noqa: E402
from maestro.policy.prompt_maestro_4b import PlannerPrompt  # noqa: E402
from maestro.policy.protocol import Opening, TokenDialect  # noqa: E402
from maestro.policy.remote import load_chat, load_served  # noqa: E402
from maestro.policy.served import ServedPolicy  # noqa: E402
from maestro.registry.menu import Menu  # noqa: E402
from maestro.rollout.episode import run_episode  # noqa: E402
from maestro.rollout.limits import Limits  # noqa: E402
from maestro.types import Answer, Call, Episode, Expert, Observation, Skill, StopReason, Task  # noqa: E402

_log = logging.getLogger(__name__)
TOLERANCE = 1e-4
# vLLM's attention on a processor knows heads of 32 numbers and more.
SERVED_SIZES = {**SIZES, "head_width": 32}
MENU = Menu(
    (Expert(id="eye-model", summary="sees", kind="openai"), Expert(id="ear-model", summary="hears", kind="openai")),
    (Skill(id="Read_Solver", summary="reads", experts=("eye-model", "ear-model")),),
)
THOUGHT = "A sign.\n</think>\n\n"
FIRST = "<search> eye-model@@Read_Solver: What does it say? </search>"
SECOND = "<search> ear-model@@Read_Solver: Again? </search>"
ANSWER = "<answer>42</answer><|im_end|>"
CALLED = '</think>\n<tool_call>\n{"name": "Read_Solver", "arguments": {"expert": "eye-model", "query": "it"}}\n</tool_call><|im_end|>'
SAID = "</think>\n42<|im_end|>"
REPLIES = (
    "forty two",
    "x y z q",
    "answer: 3\nconfidence: 0.5",
    "A sign.",
    "A sign.\n</think>\n\n<search> eye-model",
    "</think>\n<tool_call>\n{",
)
"""Also what the model itself will say when it is asked as an expert."""
PROMPT = PlannerPrompt("SYSTEM", "REMINDER")


class Server(NamedTuple):
    """The running server and the same checkpoint on disk."""

    url: str
    folder: Path


def picture(images: ImageStore, seed: int, width: int = 128, height: int = 96) -> str:
    rng = np.random.default_rng(seed)
    return images.put(Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)))


class ToolsAsTokens(MaestroDialect):
    """For teaching: the prompts that the server renders for the dialect `tools`, before a call and after its result."""

    def messages(self, opening: Opening) -> list[dict[str, Any]]:
        messages = ToolsDialect(MENU).messages(opening)
        if opening.task.id == "before":
            return messages
        # What a server leaves of the text around the call it has parsed is its own affair.
        return [*messages, {"role": "assistant", "content": opening.task.id}, {"role": "tool", "content": REPLIES[0]}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("vllm")
    images = ImageStore()
    name = picture(images, 0)
    policy = LocalPolicy.load(save_checkpoint(root / "published", SERVED_SIZES), images, max_tokens=2048)
    pictured = Opening(Task(id="a", question="What is it?", images=(name,)), MENU)
    plain = Opening(Task(id="b", question="What is it?"), MENU)
    policy.dialect = Maestro4bDialect(MENU, prompt=PROMPT)
    batches = [rows_of(policy, (pictured, plain), [THOUGHT + FIRST, SECOND, ANSWER], REPLIES)]
    policy.dialect = ToolsAsTokens()
    asked = [Opening(Task(id=name, question="What is it?"), MENU) for name in ("before", "", "</think>", "</think>\n")]
    batches += [rows_of(policy, asked[:1], [CALLED], ("",)), rows_of(policy, asked[1:], [SAID], ("",))]
    learn(policy, batches)
    policy.save(root / "taught")
    with serving(root / "taught", root / "server.log") as url:
        yield Server(url, root / "taught")


@pytest.fixture
def images() -> ImageStore:
    return ImageStore()


class ServedExperts:
    """Two tiny served models as experts: every call is a chat with the server about the task's pictures."""

    name = "served@0"
    menu = MENU

    def __init__(self, url: str, images: ImageStore) -> None:
        self.endpoint = Endpoint(url)
        self.images = images
        self.calls: list[Call] = []

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        self.calls.append(call)
        content: list[dict[str, Any]] = [{"type": "text", "text": f"{call.expert}: {call.query}"}]
        for name in task.images:
            url = "data:image/png;base64," + base64.b64encode(self.images.png(name)).decode()
            content.append({"type": "image_url", "image_url": {"url": url}})
        body = {"model": "tiny", "messages": [{"role": "user", "content": content}], "max_tokens": 12, "temperature": 0.0}
        answer = await self.endpoint.post(f"{self.endpoint.base_url}/chat/completions", body)
        return Observation(text=answer["choices"][0]["message"]["content"] or "nothing")


def served(server: Server, images: ImageStore, dialect: TokenDialect | None = None, *, greedy: bool = True) -> ServedPolicy:
    policy = load_served(f"served:{server.url}?max_new_tokens=64&max_tokens=1900", MENU, images, greedy=greedy, seed=5)
    assert policy.dialect.name == "maestro-4b"
    policy.dialect = dialect or Maestro4bDialect(MENU, prompt=PROMPT)
    return policy


class Instant:
    """Answers every call the same."""

    name = "fake@0"
    menu = MENU

    async def perform(self, call: Call, task: Task, deadline_seconds: float) -> Observation:
        return Observation(text="forty two")


@pytest.mark.parametrize("count", [0, 1, 2])
async def test_ids_both_ways_are_those_of_the_policy_in_this_process(server: Server, images: ImageStore, count: int) -> None:
    """Greedy, in the dialect maestro-4b: the same ids, the same mask, log-probs to 1e-4."""
    task = Task(id="a", question="What is it?", images=tuple(picture(images, seed, 128 + 64 * seed) for seed in range(count)))
    remote = await asyncio.to_thread(served, server, images)
    sampling = Sampling(max_new_tokens=64, greedy=True)
    here = LocalPolicy.load(server.folder, images, sampling, dialect=remote.dialect, max_tokens=1900, observation_tokens=1024, reserve=64)
    there = await run_episode(task, remote, Instant(), Limits(seconds=600))
    local = await run_episode(task, here, Instant(), Limits(seconds=600))
    await remote.close()
    assert there.error is None
    assert [turn.decision.text for turn in there.turns] == [turn.decision.text for turn in local.turns]
    assert there.tokens is not None
    assert local.tokens is not None
    assert there.tokens.model_copy(update={"logprobs": ()}) == local.tokens.model_copy(update={"logprobs": ()})
    assert np.abs(np.subtract(there.tokens.logprobs, local.tokens.logprobs)).max() < TOLERANCE
    if count < 2:
        assert (there.stop, there.answer, there.tokens.untrainable) == (StopReason.ANSWERED, "42", None)


async def test_sampled_logprobs_are_those_of_a_plain_forward(
    server: Server, images: ImageStore, record_property: Callable[[str, object], None]
) -> None:
    """Drawn at temperature 1 after prompts that nobody taught, so that log-probs are spread: text, one and two images, many at once."""
    tasks = [
        Task(id=f"t{n}", question=f"Count the {n} ways" + " home" * n, images=tuple(picture(images, 10 * n + k) for k in range(n % 3)))
        for n in range(9)
    ]
    remote = await asyncio.to_thread(lambda: served(server, images, MaestroDialect(), greedy=False))
    episodes = await asyncio.gather(*(run_episode(task, remote, Instant(), Limits(turns=3, seconds=600)) for task in tasks))
    await remote.close()
    here = LocalPolicy.load(server.folder, images, dialect=MaestroDialect(), max_tokens=1900)
    worst, spread = 0.0, []
    for task, episode in zip(tasks, episodes, strict=True):
        assert episode.error is None
        tokens = episode.tokens
        assert tokens is not None
        assert tokens.untrainable is None
        with torch.no_grad():
            expected, mask = score(here.model, here.encoder, [(tokens, task.images)])
        ours = torch.tensor(tokens.logprobs) * mask[0]
        worst = max(worst, float((expected[0] * mask[0] - ours).abs().max()))
        spread += [logprob for logprob, sampled in zip(tokens.logprobs, tokens.mask, strict=True) if sampled]
        assert [*tokens.prompt_ids] == here.encode_prompt(Opening(task, MENU))
    record_property("largest_logprob_difference", worst)
    _log.info("largest log-prob difference %.2e over %d sampled ids, mean log-prob %.2f", worst, len(spread), np.mean(spread))
    assert worst < TOLERANCE
    assert len(spread) > 100
    assert np.mean(np.array(spread) < -0.5) > 0.1


async def test_a_draw_repeats_with_its_seed(server: Server, images: ImageStore) -> None:
    remote = await asyncio.to_thread(lambda: served(server, images, MaestroDialect(), greedy=False))
    task = Task(id="t", question="Something else")
    same, again, other = [await run_episode(task, remote, Instant(), Limits(turns=1, seconds=600), sample=sample) for sample in (0, 0, 1)]
    await remote.close()
    assert same.tokens == again.tokens
    assert same.turns[0].decision.token_ids != other.turns[0].decision.token_ids


async def test_episodes_with_two_served_experts_end_to_end(server: Server, images: ImageStore) -> None:
    """Orchestrator and experts are on the server; six episodes at once, with and without a picture."""
    tasks = [Task(id=f"t{n}", question="What is it?", images=(picture(images, 0),) if n % 2 else ()) for n in range(6)]
    remote = await asyncio.to_thread(served, server, images)
    experts = ServedExperts(server.url, images)
    episodes: list[Episode] = await asyncio.gather(*(run_episode(task, remote, experts, Limits(seconds=600)) for task in tasks))
    await remote.close()
    await experts.endpoint.close()
    for episode in episodes:
        assert episode.error is None
        assert episode.stop is StopReason.ANSWERED
        assert [call.expert for call in episode.calls] == ["eye-model", "ear-model"]
        assert all(turn.observation is not None and turn.observation.text for turn in episode.turns[:-1])
        assert Episode.model_validate_json(episode.model_dump_json()) == episode
    assert len(experts.calls) == 12


async def test_a_chat_model_with_native_tools(server: Server, images: ImageStore) -> None:
    """The same server as a chat API: it parses the tool call that the model writes, and reads the result as a tool message."""
    chat = await asyncio.to_thread(
        lambda: load_chat(f"chat:{server.url}?max_new_tokens=96&input_mtok_usd=2&output_mtok_usd=4", MENU, images, greedy=True, seed=0)
    )
    episode = await run_episode(Task(id="b", question="What is it?"), chat, Instant(), Limits(seconds=600))
    await chat.close()
    assert episode.error is None
    assert episode.calls == (Call(expert="eye-model", skill="Read_Solver", query="it"),)
    assert episode.turns[-1].action == Answer(text="42")
    decision = episode.turns[0].decision
    assert json.loads(decision.text)["finish_reason"] == "tool_calls"
    assert decision.cost_usd == pytest.approx((decision.prompt_tokens * 2 + decision.completion_tokens * 4) / 1e6)
    assert decision.cost_usd > 0
