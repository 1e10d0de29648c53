"""A policy behind verl's rollout servers: token ids in, token ids and log-probs out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from maestro.errors import InfrastructureFault
from maestro.images import ImageStore
from maestro.policy.codec import TokenizerCodec
from maestro.policy.history import History
from maestro.policy.local_images import ImageEncoder
from maestro.policy.protocol import Opening, TokenDialect
from maestro.policy.tokens import audit_placeholders
from maestro.policy.vocabulary import IMAGE, PICTURE_TOKENS, SPECIALS
from maestro.types import Decision, Tokens, Turn

FORBIDDEN_BIAS = -100.0
"""Added to the logit of an id that must not be sampled."""


class EnginePolicy:
    """Sessions over one `server`, verl's `LLMServerClient` or whatever has its `generate`."""

    def __init__(
        self,
        server: Any,
        processor: Any,
        images: ImageStore,
        dialect: TokenDialect,
        sampling: Mapping[str, Any],
        *,
        name: str,
        max_new_tokens: int,
        max_tokens: int,
        observation_tokens: int,
        reserve: int | None = None,
        blank_images: bool = False,
        ends: Iterable[int] = (),
    ) -> None:
        """`sampling` is what verl samples with. `max_tokens` bounds a whole row, `reserve` tokens stay free behind an observation.

        `ends` are the ids that end a message besides the tokenizer's own.
        """
        self.server = server
        self.processor = processor
        self.dialect = dialect
        self.sampling = dict(sampling)
        self.name = name
        self.max_new_tokens = max_new_tokens
        self.max_tokens = max_tokens
        self.observation_tokens = observation_tokens
        self.reserve = max_new_tokens if reserve is None else reserve
        self.codec = TokenizerCodec.of_transformers(processor.tokenizer)
        self.encoder = ImageEncoder(processor, images, blank=blank_images)
        self.image_token: int = processor.tokenizer.convert_tokens_to_ids(IMAGE)
        self.versions: set[int] = set()
        """Of the weights that have sampled for this policy, where the server says so."""
        self._ends = {processor.tokenizer.eos_token_id, *ends}

    def open(self, opening: Opening) -> EngineSession:
        """Begin an episode. Raises ImageError when an image cannot be looked at."""
        return EngineSession(self, opening)

    def encode_prompt(self, opening: Opening) -> list[int]:
        """The prompt's ids, every image's placeholder repeated as often as the image has features."""
        text = self.processor.apply_chat_template(self.dialect.messages(opening), add_generation_prompt=True, tokenize=False)
        head, *rest = text.split(IMAGE)
        counts = [self.encoder.encode(name).tokens for name in opening.task.images]
        expanded = head + "".join(IMAGE * count + piece for count, piece in zip(counts, rest, strict=True))
        ids: list[int] = self.processor.tokenizer.encode(expanded, add_special_tokens=False)
        audit_placeholders(ids, self.image_token, counts)
        return ids

    def request(self, generation: int, room: int) -> dict[str, Any]:
        """The sampling parameters of one generation of at most `room` tokens."""
        return {
            **self.sampling,
            "max_tokens": min(self.max_new_tokens, room),
            "stop": list(self.dialect.stops_at(generation)),
            "include_stop_str_in_output": True,
            "skip_special_tokens": False,
            "logit_bias": dict.fromkeys(self._forbidden(), FORBIDDEN_BIAS),
        }

    def _forbidden(self) -> list[int]:
        """Ids that must not be sampled: all special ones, or only pictures' where the policy writes message headers itself."""
        tokenizer = self.processor.tokenizer
        ids = tokenizer.convert_tokens_to_ids
        texts = PICTURE_TOKENS if self.dialect.writes_headers else SPECIALS
        never = {ids(token) for token in texts} - {None, tokenizer.unk_token_id} - self._ends
        return sorted(never if self.dialect.writes_headers else {*never, *tokenizer.all_special_ids} - self._ends)


class EngineSession:
    """One episode of an `EnginePolicy`; owns its row of ids."""

    def __init__(self, policy: EnginePolicy, opening: Opening) -> None:
        self.policy = policy
        self.pictures = [policy.encoder.picture(name) for name in opening.task.images]
        self.request_id = uuid4().hex
        """The same for all turns, so that verl sends them to the server that remembers the row."""
        self.history = History(
            policy.encode_prompt(opening),
            policy.dialect,
            policy.codec,
            limit=policy.max_tokens,
            reserve=policy.reserve,
            observation_tokens=policy.observation_tokens,
        )

    async def decide(self) -> Decision:
        """One generation. Raises InfrastructureFault when the server fails or gives back what cannot be trained on."""
        started = time.monotonic()
        history, policy = self.history, self.policy
        before, room = len(history.buffer), history.buffer.room
        if room <= 0:
            return Decision(text="", prompt_tokens=before, truncated=True)
        request = policy.request(history.generation, room)
        try:
            made = await policy.server.generate(
                request_id=self.request_id,
                prompt_ids=list(history.buffer.ids),
                sampling_params=request,
                image_data=self.pictures or None,
            )
        except Exception as error:  # whatever Ray or the server raises is a fault of theirs, and its kind is kept
            raise InfrastructureFault(f"verl's rollout server: {type(error).__name__}: {error}") from error
        ids, logprobs = list(made.token_ids), made.log_probs
        if made.stop_reason == "aborted" or not ids:
            raise InfrastructureFault(f"verl's rollout server gave up a generation ({made.stop_reason if ids else 'no token came back'})")
        if logprobs is None or len(logprobs) != len(ids):
            raise InfrastructureFault("verl's rollout server gave no log-probs; set actor_rollout_ref.rollout.calculate_log_probs")
        if (version := made.extra_fields.get("global_steps")) is not None:
            policy.versions.add(int(version))
        cut = len(ids) >= request["max_tokens"] and ids[-1] not in policy._ends and not _stopped(policy, ids, request["stop"])  # noqa: SLF001
        return history.take(ids, list(logprobs), stopped=not cut, latency_seconds=time.monotonic() - started)

    def observe(self, turn: Turn) -> bool:
        """Append what came back; False when it does not fit."""
        return self.history.observe(turn)

    def tokens(self) -> Tokens:
        """The row so far."""
        return self.history.freeze()


def _stopped(policy: EnginePolicy, ids: list[int], stops: list[str]) -> bool:
    """Whether a stop has come up: behind it may stand what else the last token is the text of."""
    text = policy.codec.decode(ids[-24:])
    return any(stop in text for stop in stops)
