"""A policy behind vLLM: token ids in, token ids and log-probs out, images beside them.

The server's endpoint `/inference/v1/generate` (vLLM started with `--enable-scale-out`) takes the row of ids as it stands, one
placeholder per image, and gives back the row as it read it, with every placeholder repeated as often as the image has features. That
row is kept, and what is sent next is checked against it, so that the recorded ids are the ones that the model saw.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from maestro.errors import ConfigError, InfrastructureFault
from maestro.images import ImageStore
from maestro.policy.codec import Wording
from maestro.policy.endpoint import Endpoint
from maestro.policy.history import History
from maestro.policy.protocol import Opening, TokenDialect
from maestro.policy.sampling import SamplingSettings
from maestro.policy.vocabulary import IMAGE, PICTURE_TOKENS
from maestro.types import Decision, Tokens, Turn

GENERATE = "/inference/v1/generate"
NO_ENDPOINT = "start vLLM with --enable-scale-out, which adds this endpoint"
FORBIDDEN_BIAS = -100.0
"""Added to the logit of an id that must not be sampled; log-probs are taken before it."""


@dataclass(frozen=True)
class RowLimits:
    """Bounds in tokens."""

    row: int = 16_384
    """A session's whole row."""
    observation: int = 1024
    reserve: int = 1024
    """Kept free behind an observation."""


class ServedPolicy:
    """A checkpoint on a vLLM server, asked over HTTP; any number of sessions at once. Close it when done."""

    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        wording: Wording,
        images: ImageStore,
        dialect: TokenDialect,
        sampling: SamplingSettings | None = None,
        limits: RowLimits | None = None,
        *,
        name: str = "served",
    ) -> None:
        """`model` is the served name, `wording` its tokenizer and chat template. Raises ConfigError when it knows no images."""
        self.endpoint = endpoint
        self.model = model
        self.wording = wording
        self.images = images
        self.dialect = dialect
        self.sampling = sampling or SamplingSettings(max_new_tokens=2048)
        self.limits = limits or RowLimits()
        self.name = name
        if IMAGE not in wording.vocabulary:
            raise ConfigError(f"the tokenizer of {model} has no {IMAGE}; the policy `served` speaks to models of the Qwen-VL family.")
        self.image_token = wording.vocabulary[IMAGE]
        self._forbidden = self._never()

    def open(self, opening: Opening) -> ServedSession:
        """Begin an episode. Raises ImageError when an image is not in the store, ConfigError when the template drops one."""
        return ServedSession(self, opening)

    async def close(self) -> None:
        """Close the connections."""
        await self.endpoint.close()

    def encode_prompt(self, opening: Opening) -> list[int]:
        """The prompt's ids with one placeholder per image, as they are sent."""
        ids = self.wording.codec.encode(self.wording.render(self.dialect.messages(opening)))
        if (found := ids.count(self.image_token)) != len(opening.task.images):
            raise ConfigError(f"the chat template of {self.model} writes {found} placeholders for {len(opening.task.images)} images.")
        return ids

    def request(self, row: Sequence[int], opening: Opening, generation: int, room: int) -> dict[str, Any]:
        """The body of a request for one generation of at most `room` tokens."""
        sampling = self.sampling
        task = opening.task
        return {
            "model": self.model,
            "token_ids": collapse(row, self.image_token),
            "content_parts": [{"type": "image_url", "url": self.data_url(name), "uuid": name} for name in task.images] or None,
            "sampling_params": {
                "temperature": 0.0 if sampling.greedy else sampling.temperature,
                "seed": sampling.draw_seed(task.id, opening.sample, generation),
                "max_tokens": min(sampling.max_new_tokens, room),
                "stop": list(self.dialect.stops_at(generation)),
                "stop_token_ids": sorted(self.wording.ends),
                "logprobs": 0,
                "logit_bias": {str(token): FORBIDDEN_BIAS for token in self._forbidden},
                "skip_special_tokens": False,
            },
            "return_token_ids": True,
            "stream": False,
        }

    def data_url(self, name: str) -> str:
        """An image as a data URL."""
        return "data:image/png;base64," + base64.b64encode(self.images.png(name)).decode()

    def _never(self) -> list[int]:
        """Ids that must not be sampled: all special ones, or only pictures' where the policy writes message headers itself."""
        texts = PICTURE_TOKENS if self.dialect.writes_headers else self.wording.specials
        vocabulary = self.wording.vocabulary
        return sorted({vocabulary[text] for text in texts if text in vocabulary} - self.wording.ends)


class ServedSession:
    """One episode of a `ServedPolicy`."""

    def __init__(self, policy: ServedPolicy, opening: Opening) -> None:
        self.policy = policy
        self.opening = opening
        self._prompt = policy.encode_prompt(opening)
        for name in opening.task.images:
            policy.images.pixels(name)
        self.history: History | None = None
        """From the first reply on: only the server knows how many tokens an image takes."""

    async def decide(self) -> Decision:
        """One generation. Raises InfrastructureFault when the server fails, or read another row than was sent."""
        started = time.monotonic()
        history, policy = self.history, self.policy
        row = history.buffer.ids if history else self._prompt
        room = history.buffer.room if history else policy.limits.row - len(row)
        if room <= 0:
            return Decision(text="", prompt_tokens=len(row), truncated=True)
        body = policy.request(row, self.opening, history.generation if history else 0, room)
        generated = read_generation(await policy.endpoint.post(policy.endpoint.root + GENERATE, body, missing=NO_ENDPOINT))
        self.history = history = self._checked(generated.prompt_ids, body["token_ids"])
        ids = generated.ids[: history.buffer.room]
        if policy.sampling.temperature != 1.0 and not policy.sampling.greedy:
            history.spoil(f"drawn at temperature {policy.sampling.temperature:g}, log-probs are those at 1")
        stopped = generated.stopped and len(ids) == len(generated.ids)
        return history.take(ids, generated.logprobs[: len(ids)], stopped=stopped, latency_seconds=time.monotonic() - started)

    def observe(self, turn: Turn) -> bool:
        """Append what came back; False when it does not fit."""
        return self.history is None or self.history.observe(turn)

    def tokens(self) -> Tokens | None:
        """The row so far; None before the first reply."""
        return self.history.freeze() if self.history else None

    def _checked(self, read: list[int], sent: list[int]) -> History:
        """The history, once the row that the server read is the one that was sent, and the one that is recorded."""
        policy = self.policy
        if collapse(read, policy.image_token) != sent or (self.history is not None and read != self.history.buffer.ids):
            raise InfrastructureFault(f"{policy.name}: the server read another row of ids than it was sent; is it another tokenizer?")
        if self.history is not None:
            return self.history
        limits = policy.limits
        return History(
            read, policy.dialect, policy.wording.codec, limit=limits.row, reserve=limits.reserve, observation_tokens=limits.observation
        )


@dataclass(frozen=True)
class Generation:
    """What the server gave."""

    prompt_ids: list[int]
    """The row as the model read it, placeholders repeated."""
    ids: list[int]
    logprobs: list[float]
    """Under the model at temperature 1, before anything was forbidden."""
    stopped: bool
    """False when a limit cut it."""


def read_generation(answer: dict[str, Any]) -> Generation:
    """One generation out of the server's JSON. Raises InfrastructureFault when something is missing."""
    try:
        (choice,) = answer["choices"]
        scored = choice["logprobs"]["content"]
        ids = list(choice["token_ids"])
        if [entry["token_id"] for entry in scored] != ids:
            raise InfrastructureFault("the server's log-probs are of other ids than it sampled")
        return Generation(
            prompt_ids=list(answer["prompt_token_ids"]),
            ids=ids,
            logprobs=[float(entry["logprob"]) for entry in scored],
            stopped=choice["finish_reason"] != "length",
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InfrastructureFault(f"the server's answer lacks what a policy needs ({type(error).__name__}: {error})") from error


def collapse(ids: Sequence[int], image_token: int) -> list[int]:
    """The ids with every run of placeholders as a single one."""
    return [ids[0], *(this for before, this in pairwise(ids) if not this == before == image_token)] if ids else []
