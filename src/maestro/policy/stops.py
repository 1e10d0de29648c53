"""Stops that are texts rather than single tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from maestro.policy.protocol import Codec

_WINDOW = 24
"""How many of the last ids are looked at: no stop has more characters, and a token has at least a part of one."""


class StopTexts:
    """Finds stop texts at the end of sampled ids; only an id whose text has a closing bracket is worth a look."""

    def __init__(self, codec: Codec, vocabulary: Iterable[int]) -> None:
        self.codec = codec
        self._ids = vocabulary
        self._closing: frozenset[int] | None = None

    def ended(self, texts: Sequence[str]) -> Callable[[Sequence[int]], bool]:
        """Whether ids have just come to the end of one of the texts, each of which ends with `>`."""
        if self._closing is None:
            self._closing = frozenset(number for number in self._ids if ">" in self.codec.decode([number]))
        closing = self._closing

        def check(ids: Sequence[int]) -> bool:
            if ids[-1] not in closing:
                return False
            tail = self.codec.decode(ids[-_WINDOW:])
            return any(text in tail for text in texts)

        return check
