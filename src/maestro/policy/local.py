"""A policy in this process: a Transformers model that decides for many episodes at once."""

from __future__ import annotations

import hashlib
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy import vocabulary
from maestro.policy.batch import Batcher
from maestro.policy.dialect_maestro import STOPS, MaestroDialect, information
from maestro.policy.local_generate import Generator, Row, RowCache, Sampled
from maestro.policy.local_images import ImageEncoder
from maestro.policy.local_model import load_model, save_model
from maestro.policy.prompt import write_messages
from maestro.policy.protocol import Opening
from maestro.policy.tokens import TokenBuffer, audit_placeholders
from maestro.types import Decision, Observation, Tokens, Turn


@dataclass(frozen=True)
class Sampling:
    """How a policy decides."""

    temperature: float = 1.0
    """Of the distribution that is drawn from, and whose log-probs are reported."""
    seed: int = 0
    """With the task, the sample number and the turn, all that a draw depends on."""
    max_new_tokens: int = 96
    """Of one decision."""
    greedy: bool = False
    """Take the likeliest token instead of drawing."""

    def __post_init__(self) -> None:
        if self.temperature <= 0 or self.max_new_tokens < 1:
            raise ConfigError(
                f"temperature {self.temperature} must be above 0 (set greedy for the likeliest token) "
                f"and max_new_tokens {self.max_new_tokens} at least 1."
            )

    def uniforms(self, task: str, sample: int, turn: int) -> torch.Tensor:
        """The uniform numbers of one decision, float64."""
        key = f"{self.seed}/{task}/{sample}/{turn}".encode()
        generator = torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1)
        return torch.rand(self.max_new_tokens, dtype=torch.float64, generator=generator)


class LocalPolicy:
    """A vision-language model in the dialect `maestro`, sampled in micro-batches on a worker thread.

    `model` may be trained between episodes: nothing that depends on the weights outlives a session. `sampling` may be
    replaced at any time and holds for sessions opened afterwards.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        images: ImageStore,
        sampling: Sampling | None = None,
        *,
        name: str = "local",
        max_tokens: int = 1024,
        observation_tokens: int = 128,
        blank_images: bool = False,
        threads: int = 1,
        image_capacity: int = 1024,
        largest_batch: int = 64,
        window_seconds: float = 0.005,
    ) -> None:
        """Wrap a loaded model.

        `max_tokens` bounds a session's row, `observation_tokens` one observation; `threads` are PyTorch's, `image_capacity` is how
        many prepared pictures are kept (about 1 MB each).
        """
        self.model = model
        self.processor = processor
        self.sampling = sampling or Sampling()
        self.name = name
        self.dialect = MaestroDialect()
        self.max_tokens = max_tokens
        self.observation_tokens = observation_tokens
        self.encoder = ImageEncoder(processor, images, blank=blank_images, capacity=image_capacity)
        if observation_tokens < 8 or max_tokens < 64:
            raise ConfigError(f"observation_tokens {observation_tokens} and max_tokens {max_tokens} must be at least 8 and 64.")
        torch.set_num_threads(threads)
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="policy", initializer=torch.set_num_threads, initargs=(threads,))
        ids = self.tokenizer.convert_tokens_to_ids
        stops = [*(ids(tag) for tag in STOPS), self.tokenizer.eos_token_id]
        never = {*self.tokenizer.all_special_ids, *(ids(token) for token in vocabulary.SPECIALS)} - {self.tokenizer.eos_token_id, None}
        self.generator = Generator(model, stops, sorted(never))
        self.batcher: Batcher[Row, Sampled] = Batcher(self.generator.sample, executor, largest=largest_batch, window_seconds=window_seconds)

    @classmethod
    def load(cls, folder: str | Path, images: ImageStore, sampling: Sampling | None = None, **settings: Any) -> LocalPolicy:
        """Load a Hugging Face folder; `settings` are those of the constructor. Raises CheckpointError."""
        model, processor = load_model(folder)
        return cls(model, processor, images, sampling, **{"name": Path(folder).name, **settings})

    @property
    def tokenizer(self) -> Any:
        """The processor's tokenizer."""
        return self.processor.tokenizer

    def open(self, opening: Opening, first_ids: Sequence[int] = ()) -> LocalSession:
        """Begin an episode; its first decision starts with `first_ids`. Raises ImageError when an image cannot be looked at."""
        return LocalSession(self, opening, first_ids)

    def messages(self, opening: Opening) -> list[dict[str, Any]]:
        """The prompt as chat messages; rendering them with the processor gives exactly `encode_prompt`."""
        return write_messages(opening)

    def encode_prompt(self, opening: Opening) -> list[int]:
        """The prompt's ids, every image's placeholder repeated as often as the image has features."""
        text = self.processor.apply_chat_template(self.messages(opening), add_generation_prompt=True, tokenize=False)
        head, *rest = text.split(vocabulary.IMAGE)
        counts = [self.encoder.encode(name).tokens for name in opening.task.images]
        expanded = head + "".join(vocabulary.IMAGE * count + piece for count, piece in zip(counts, rest, strict=True))
        ids: list[int] = self.encode(expanded)
        audit_placeholders(ids, self.model.config.image_token_id, counts)
        return ids

    def encode(self, text: str) -> list[int]:
        """Ids of a text as it stands; tags and special tokens in it count as such."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def encode_observation(self, observation: Observation) -> list[int]:
        """Ids of an observation between its tags: neutralised, and cut behind the last whole line within the token limit."""
        limit = self.observation_tokens
        # A token stands for at most a few dozen characters: what is far beyond the limit need not be encoded to know.
        lines = observation.text[: 64 * limit].splitlines()[:limit]
        fits, whole = 0, len(lines)
        while fits < whole:
            middle = (fits + whole + 1) // 2
            fits, whole = (middle, whole) if self._observed(lines[:middle])[1] else (fits, middle - 1)
        if fits or not lines:
            return self._observed(lines[:fits])[0]
        line = lines[0]
        while not self._observed([line])[1]:
            line = line[: len(line) * 3 // 4]
        return self._observed([line])[0]

    def _observed(self, lines: Sequence[str]) -> tuple[list[int], bool]:
        """Ids of an observation of these lines, and whether they are within the limit."""
        ids = self.encode(information("\n".join(lines)))
        return ids, len(ids) <= self.observation_tokens

    def image_inputs(self, hashes: Sequence[str]) -> dict[str, torch.Tensor]:
        """`pixel_values` and `image_grid_thw` of images by hash; empty when there are none."""
        return self.encoder.inputs(hashes)

    def save(self, folder: str | Path) -> None:
        """Write model, processor, tokenizer and chat template as a Hugging Face folder."""
        save_model(self.model, self.processor, folder)


class LocalSession:
    """One episode of a `LocalPolicy`; owns its token buffer and what the model remembers."""

    def __init__(self, policy: LocalPolicy, opening: Opening, first_ids: Sequence[int] = ()) -> None:
        self.policy = policy
        self.opening = opening
        self.sampling = policy.sampling
        prompt = policy.encode_prompt(opening)
        self.buffer = TokenBuffer(prompt, policy.max_tokens, reserve=self.sampling.max_new_tokens)
        self._forced: list[int] = []
        self._unread: list[int] = [*prompt]
        self._cache: RowCache | None = None
        self._turn = 0
        self.force(first_ids)
        policy.batcher.opened()
        self._close = weakref.finalize(self, policy.batcher.closed)

    def force(self, ids: Sequence[int]) -> None:
        """Let the next decision start with these ids: how training explores. Without a decision in between, ids add up."""
        self._forced += ids
        self._unread = [*self._unread, *ids]

    async def decide(self) -> Decision:
        """Sample until a closing tag, the end of the message or a limit."""
        started = time.monotonic()
        prompt_tokens = len(self.buffer)
        task, sample = self.opening.task.id, self.opening.sample
        forced, self._forced = self._forced, []
        uniforms = self.sampling.uniforms(task, sample, self._turn)[: max(0, self.buffer.room - len(forced))]
        if not len(uniforms):
            return Decision(text="", prompt_tokens=prompt_tokens, truncated=True)
        sampled = await self.policy.batcher.submit(self._row(uniforms), (task, sample))
        # Forced ids count as the policy's; their log-prob under the sampling distribution, which had no choice, is 0.
        sampled = Sampled([*forced, *sampled.ids], [*([0.0] * len(forced)), *sampled.logprobs], sampled.cache, sampled.stopped)
        self.buffer.append_policy(sampled.ids, sampled.logprobs)
        self._cache = sampled.cache
        self._unread = [sampled.ids[-1]]
        self._turn += 1
        return Decision(
            text=self.policy.tokenizer.decode(sampled.ids, skip_special_tokens=False),
            token_ids=tuple(sampled.ids),
            logprobs=tuple(sampled.logprobs),
            prompt_tokens=prompt_tokens,
            completion_tokens=len(sampled.ids),
            truncated=not sampled.stopped,
            latency_seconds=time.monotonic() - started,
        )

    def observe(self, turn: Turn) -> bool:
        """Append what came back; False when it does not fit."""
        if turn.observation is None:
            self._close()
            return True
        ids = self.policy.encode_observation(turn.observation)
        fits = self.buffer.append_observation(ids)
        if fits:
            self._unread = [*self._unread, *ids]
        return fits

    def tokens(self) -> Tokens:
        """The row so far. Asking for it ends the session for the micro-batcher, which then waits for it no longer."""
        self._close()
        return self.buffer.freeze()

    def _row(self, uniforms: torch.Tensor) -> Row:
        """The wish for the next decision."""
        first = self._cache is None
        names = self.opening.task.images if first else ()
        return Row(
            ids=self._unread,
            uniforms=uniforms,
            temperature=self.sampling.temperature,
            greedy=self.sampling.greedy,
            images=[self.policy.encoder.encode(name) for name in names],
            names=names,
            cache=self._cache,
        )


__all__ = ["LocalPolicy", "LocalSession", "Sampling"]
