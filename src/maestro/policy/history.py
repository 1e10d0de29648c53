"""The history of one episode as token ids: what a dialect keeps of each generation, and what came back."""

from __future__ import annotations

from collections.abc import Sequence

from maestro.policy.protocol import Codec, TokenDialect
from maestro.policy.tokens import TokenBuffer
from maestro.types import Decision, Tokens, Turn


class History:
    """Takes generations and observations in turn; owns the row of ids.

    A generation that the dialect keeps whole stays id for id. What it keeps in part is encoded again; where those ids are not the
    sampled ones, or something sampled before them is left out, the row is no record of what was sampled in this context, and
    `freeze` says so.
    """

    def __init__(
        self, prompt_ids: Sequence[int], dialect: TokenDialect, codec: Codec, *, limit: int, reserve: int, observation_tokens: int
    ) -> None:
        """`limit` bounds the row, `reserve` tokens are kept free behind an observation, which has at most `observation_tokens`."""
        self.buffer = TokenBuffer(prompt_ids, limit, reserve)
        self.dialect = dialect
        self.codec = codec
        self.observation_tokens = observation_tokens
        self.generation = 0
        """Generations so far, discarded ones included."""
        self._untrainable: str | None = None

    def take(self, ids: Sequence[int], logprobs: Sequence[float], *, stopped: bool, latency_seconds: float = 0.0) -> Decision:
        """Take over a generation as far as the dialect keeps it; the decision has all of it. `stopped` is False when a limit cut it."""
        prompt_tokens = len(self.buffer)
        text = self.codec.decode(ids)
        kept = self.dialect.keep(text, self.generation, self.codec)
        self.generation += 1
        if kept.text == text:
            self.buffer.append_policy(ids, logprobs)
            self._close(ids)
        elif kept.text:
            self._append(kept.text, ids, logprobs)
        return Decision(
            text=text,
            kept=None if kept.text == text else kept.text,
            final=kept.final,
            token_ids=tuple(ids),
            logprobs=tuple(logprobs),
            prompt_tokens=prompt_tokens,
            completion_tokens=len(ids),
            truncated=not stopped,
            latency_seconds=latency_seconds,
        )

    def observe(self, turn: Turn) -> bool:
        """Append what came back; False when it does not fit. Nothing comes back after an answer or a discarded generation."""
        if turn.observation is None:
            return True
        ids = self.dialect.encode_observation(turn.observation.text, self.codec, self.observation_tokens)
        return self.buffer.append_observation(ids)

    def freeze(self) -> Tokens:
        """The row, and why it cannot be trained on, if so."""
        return self.buffer.freeze().model_copy(update={"untrainable": self._untrainable})

    def _append(self, text: str, ids: Sequence[int], logprobs: Sequence[float]) -> None:
        """Append what is kept, encoded again, each id with its own log-prob where it is the sampled one."""
        body = self.codec.encode(text)
        end = self.codec.encode(self.dialect.closing) if self.dialect.closing else []
        start = _find(body, ids)
        number = self.generation
        if start is None:
            self.spoil(f"generation {number}: the ids of what was kept are not the sampled ones")
            self.buffer.append_kept([*body, *end], [0] * (len(body) + len(end)), [0.0] * (len(body) + len(end)))
            return
        if start > 0:
            self.spoil(f"generation {number}: {start} sampled ids before what was kept were dropped")
        behind = list(ids[start + len(body) :])
        sampled_end = bool(end) and behind[: len(end)] == end
        if behind[len(end) if sampled_end else 0 :]:
            self.spoil(f"generation {number}: sampled ids behind what was kept were dropped")
        stop = start + len(body) + (len(end) if sampled_end else 0)
        put = [] if sampled_end else end
        self.buffer.append_kept(
            [*ids[start:stop], *put], [1] * (stop - start) + [0] * len(put), [*logprobs[start:stop], *([0.0] * len(put))]
        )

    def _close(self, ids: Sequence[int]) -> None:
        """Put the end of the message behind a generation that did not sample it."""
        end = self.codec.encode(self.dialect.closing) if self.dialect.closing else []
        if end and list(ids[-len(end) :]) != end:
            self.buffer.append_kept(end, [0] * len(end), [0.0] * len(end))

    def spoil(self, reason: str) -> None:
        """Remember the first reason why the row cannot be trained on."""
        self._untrainable = self._untrainable or reason


def _find(wanted: Sequence[int], ids: Sequence[int]) -> int | None:
    """Where the ids have this run for the last time."""
    run = list(wanted)
    return next((start for start in range(len(ids) - len(run), -1, -1) if list(ids[start : start + len(run)]) == run), None)
