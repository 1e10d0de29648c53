"""A policy in this process: a Transformers model that decides for many episodes at once."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy import vocabulary
from maestro.policy.batch import Batcher
from maestro.policy.codec import TokenizerCodec
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.history import History
from maestro.policy.local_cache import RowCache
from maestro.policy.local_generate import Generator, Row, Sampled
from maestro.policy.local_images import ImageEncoder
from maestro.policy.local_model import load_model, save_model
from maestro.policy.protocol import Opening, TokenDialect
from maestro.policy.sampling import SamplingSettings
from maestro.policy.stops import StopTexts
from maestro.policy.tokens import TokenBuffer, audit_placeholders
from maestro.types import Decision, Observation, Tokens, Turn


class Sampling(SamplingSettings):
    """How a policy in this process decides."""

    def uniforms(self, task: str, sample: int, turn: int) -> torch.Tensor:
        """The uniform numbers of one decision, float64."""
        generator = torch.Generator().manual_seed(self.draw_seed(task, sample, turn))
        return torch.rand(self.max_new_tokens, dtype=torch.float64, generator=generator)


class LocalPolicy:
    """A vision-language model in a dialect of token rows (`maestro` unless said otherwise), sampled in micro-batches on a worker thread.

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
        dialect: TokenDialect | None = None,
        max_tokens: int = 1024,
        observation_tokens: int = 128,
        reserve: int | None = None,
        blank_images: bool = False,
        threads: int = 1,
        image_capacity: int = 1024,
        largest_batch: int = 64,
        window_seconds: float = 0.005,
    ) -> None:
        """Wrap a loaded model.

        `max_tokens` bounds a session's row, `observation_tokens` one observation, and `reserve` tokens (None: a whole decision) stay
        free behind it; `threads` are PyTorch's, `image_capacity` is how many prepared pictures are kept (about 1 MB each).
        """
        self.model = model
        self.processor = processor
        self.sampling = sampling or Sampling()
        self.name = name
        self.dialect: TokenDialect = dialect or MaestroDialect()
        self.codec = TokenizerCodec.of_transformers(self.tokenizer)
        self.max_tokens = max_tokens
        self.observation_tokens = observation_tokens
        self.reserve = reserve
        self.encoder = ImageEncoder(processor, images, blank=blank_images, capacity=image_capacity)
        if observation_tokens < 8 or max_tokens < 64:
            raise ConfigError(f"observation_tokens {observation_tokens} and max_tokens {max_tokens} must be at least 8 and 64.")
        torch.set_num_threads(threads)
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="policy", initializer=torch.set_num_threads, initargs=(threads,))
        ends = _ends(model, self.tokenizer)
        single = {text: ids[0] for text in self._every_stop() if len(ids := self.encode(text)) == 1}
        self._single = frozenset(single)
        self.generator = Generator(model, [*single.values(), *ends], sorted(self._forbidden() - ends))
        self.stop_texts = StopTexts(self.codec, self.tokenizer.get_vocab().values())
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
        return self.dialect.messages(opening)

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
        """Ids of an observation as the dialect writes it, within the token limit."""
        return self.dialect.encode_observation(observation.text, self.codec, self.observation_tokens)

    def ended(self, generation: int) -> Callable[[Sequence[int]], bool] | None:
        """Whether sampled ids have reached a stop that is no single token; None when single tokens are all there is."""
        texts = [text for text in self.dialect.stops_at(generation) if text not in self._single]
        return self.stop_texts.ended(texts) if texts else None

    def _every_stop(self) -> list[str]:
        """The stops of every generation: those may stop it for being one token, the others by their text."""
        first, later = self.dialect.stops_at(0), self.dialect.stops_at(1)
        return [text for text in first if text in later]

    def _forbidden(self) -> set[int]:
        """Ids that must not be sampled: all special ones, or only pictures' where the policy writes message headers itself."""
        ids = self.tokenizer.convert_tokens_to_ids
        if self.dialect.writes_headers:
            return {ids(token) for token in vocabulary.PICTURE_TOKENS} - {None, self.tokenizer.unk_token_id}
        return {*self.tokenizer.all_special_ids, *(ids(token) for token in vocabulary.SPECIALS)} - {None}

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
        self.history = History(
            prompt,
            policy.dialect,
            policy.codec,
            limit=policy.max_tokens,
            reserve=self.sampling.max_new_tokens if policy.reserve is None else policy.reserve,
            observation_tokens=policy.observation_tokens,
        )
        self._forced: list[int] = []
        self._unread: list[int] = [*prompt]
        self._prompt = len(prompt)
        self._cache: RowCache | None = None
        self.force(first_ids)
        policy.batcher.opened()
        self._close = weakref.finalize(self, policy.batcher.closed)

    @property
    def buffer(self) -> TokenBuffer:
        """The row so far."""
        return self.history.buffer

    def force(self, ids: Sequence[int]) -> None:
        """Let the next decision start with these ids: how training explores. Without a decision in between, ids add up."""
        self._forced += ids
        self._unread = [*self._unread, *ids]

    async def decide(self) -> Decision:
        """Sample until a closing tag, the end of the message or a limit."""
        started = time.monotonic()
        before = len(self.buffer)
        task, sample = self.opening.task.id, self.opening.sample
        forced, self._forced = self._forced, []
        uniforms = self.sampling.uniforms(task, sample, self.history.generation)[: max(0, self.buffer.room - len(forced))]
        if not len(uniforms):
            return Decision(text="", prompt_tokens=before, truncated=True)
        sampled = await self.policy.batcher.submit(self._row(uniforms), (task, sample))
        # Forced ids count as the policy's; their log-prob under the sampling distribution, which had no choice, is 0.
        ids, logprobs = [*forced, *sampled.ids], [*([0.0] * len(forced)), *sampled.logprobs]
        decision = self.history.take(ids, logprobs, stopped=sampled.stopped, latency_seconds=time.monotonic() - started)
        assert sampled.cache is not None
        self._cache, self._unread = rewound(sampled.cache, before, ids, self.buffer.ids)
        return decision

    def observe(self, turn: Turn) -> bool:
        """Append what came back; False when it does not fit."""
        if turn.observation is None and not turn.decision.discarded:
            self._close()
            return True
        before = len(self.buffer)
        fits = self.history.observe(turn)
        self._unread = [*self._unread, *self.buffer.ids[before:]]
        return fits

    def tokens(self) -> Tokens:
        """The row so far. Asking for it ends the session for the micro-batcher, which then waits for it no longer."""
        self._close()
        return self.history.freeze()

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
            prompt=self._prompt if first else None,
            ended=self.policy.ended(self.history.generation),
        )


def rewound(cache: RowCache, before: int, sampled: Sequence[int], row: Sequence[int]) -> tuple[RowCache, list[int]]:
    """What of a cache still holds after a decision, and the ids of the row that it does not hold (at least one).

    The cache holds the `before` ids that stood there and all `sampled` ones but the last; `row` is what the dialect left.
    """
    held = before + len(sampled) - 1
    same = next((n for n, (one, other) in enumerate(zip(sampled, row[before:], strict=False)) if one != other), None)
    agreed = before + (min(len(sampled), len(row) - before) if same is None else same)
    cut = min(held, agreed, len(row) - 1)
    if cut < held:
        cache = cache.cut(cut)
    return cache, list(row[cut:])


def _ends(model: Any, tokenizer: Any) -> set[int]:
    """The ids that end a message: the checkpoint's own list, or the tokenizer's."""
    listed = getattr(model.generation_config, "eos_token_id", None)
    ends = {listed} if isinstance(listed, int) else set(listed or ())
    return ends | {tokenizer.eos_token_id}


__all__ = ["LocalPolicy", "LocalSession", "Sampling"]
