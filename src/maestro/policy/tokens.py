"""The append-only row of token ids behind an episode: what was sampled is what is trained, id for id."""

from __future__ import annotations

from collections.abc import Sequence

from maestro.types import Tokens


class TokenBuffer:
    """Prompt ids, then completion ids with a mask (1 sampled by the policy, 0 put there by an observation) and log-probs.

    `limit` bounds the whole row in tokens, prompt included; `reserve` tokens are kept free behind every observation, so that
    the decision after it is never cut short by the limit.
    """

    def __init__(self, prompt_ids: Sequence[int], limit: int, reserve: int = 0) -> None:
        self.prompt_ids = tuple(prompt_ids)
        self.limit = limit
        self.reserve = reserve
        self._completion: list[int] = []
        self._mask: list[int] = []
        self._logprobs: list[float] = []

    def __len__(self) -> int:
        return len(self.prompt_ids) + len(self._completion)

    @property
    def room(self) -> int:
        """Tokens that may still be sampled."""
        return max(0, self.limit - len(self))

    @property
    def ids(self) -> list[int]:
        """The whole row."""
        return [*self.prompt_ids, *self._completion]

    def append_policy(self, ids: Sequence[int], logprobs: Sequence[float]) -> None:
        """Take over sampled ids with their log-probs. Raises ValueError when these differ in number or do not fit."""
        if len(ids) != len(logprobs):
            raise ValueError(f"{len(ids)} ids with {len(logprobs)} log-probs")
        if len(ids) > self.room:
            raise ValueError(f"{len(ids)} sampled ids do not fit: {self.room} of {self.limit} tokens are free")
        self._append(ids, 1, logprobs)

    def append_kept(self, ids: Sequence[int], mask: Sequence[int], logprobs: Sequence[float]) -> None:
        """Take over what a dialect keeps of a generation: `mask` is 1 where the id was sampled, else its log-prob is 0.

        Raises ValueError when lengths differ. What is put behind the sampled ids, such as the end of the message, may go beyond
        the limit, because that is no more than a handful.
        """
        if not len(ids) == len(mask) == len(logprobs):
            raise ValueError(f"{len(ids)} ids with {len(mask)} marks and {len(logprobs)} log-probs")
        self._completion.extend(ids)
        self._mask.extend(mask)
        self._logprobs.extend(logprobs)

    def append_observation(self, ids: Sequence[int]) -> bool:
        """Append an observation's ids if they fit, together with the reserve; False, and nothing appended, if not."""
        if len(ids) + self.reserve > self.room:
            return False
        self._append(ids, 0, [0.0] * len(ids))
        return True

    def freeze(self) -> Tokens:
        """The row as the trainer sees it."""
        return Tokens(
            prompt_ids=self.prompt_ids,
            completion_ids=tuple(self._completion),
            mask=tuple(self._mask),
            logprobs=tuple(self._logprobs),
        )

    def _append(self, ids: Sequence[int], mask: int, logprobs: Sequence[float]) -> None:
        self._completion.extend(ids)
        self._mask.extend([mask] * len(ids))
        self._logprobs.extend(logprobs)


def audit_placeholders(ids: Sequence[int], image_token: int, features: Sequence[int]) -> None:
    """Make sure that the row has one placeholder per image feature. Raises ValueError.

    `features[i]` is the number of features (tokens) of image i; a row that fails here would fail, or silently shift, in training.
    """
    found = sum(token == image_token for token in ids)
    if found != sum(features):
        raise ValueError(f"the row has {found} image placeholders, but its {len(features)} images have {sum(features)} features")
