"""Rows that begin alike as one packed sequence: every stretch that several rows share stands in it once.

The members of a group share their whole prompt, the groups of a batch share the menu: a tree whose trunk is read once for all
that grows on it. A token attends to what stands before it in its own row, which is its own stretch and those above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHORTEST = 16
"""Fewer tokens saved are not worth a stretch of their own ..."""

_ABOVE = 16
"""... nor are fewer than this fraction of what stands above: its keys and values would be copied for the stretch."""

Keys = NDArray[np.int64]
"""What tells a row's tokens apart, (tokens,): ids, and for the placeholders of a picture something that stands for the picture."""

Span = tuple[int, int]
"""First packed position and the one behind the last."""


@dataclass(frozen=True)
class Block:
    """Neighbouring stretches that hang on the same stretches above them, attended to in one call."""

    above: tuple[Span, ...]
    """What all of them see, in order; neighbours joined."""
    start: int
    lengths: tuple[int, ...]
    """Of the stretches; each is causal in itself and does not see the others."""

    @property
    def stop(self) -> int:
        """Behind the last position."""
        return self.start + sum(self.lengths)

    @property
    def seen(self) -> int:
        """How many positions stand above."""
        return sum(stop - start for start, stop in self.above)

    @property
    def keys(self) -> tuple[Span, ...]:
        """Every position that some query here may see, in order, neighbours joined: a single span can be read without a copy."""
        return _joined(self.above, (self.start, self.stop))


@dataclass(frozen=True)
class PrefixTree:
    """The packed sequence of some rows."""

    blocks: tuple[Block, ...]
    """They cover the packed sequence from its beginning to its end."""
    rows: Keys
    """(packed,): a row that the token stands in; those that share it have the same token in the same place."""
    places: Keys
    """(packed,): which of that row's tokens it is."""
    packed: tuple[Keys, ...]
    """Of every row: the packed positions of its tokens."""

    @property
    def length(self) -> int:
        """Tokens that have to be read."""
        return len(self.rows)


def grow(rows: Sequence[Keys]) -> PrefixTree:
    """The tree over rows of keys. A row may begin another one, or equal it."""
    growth = _Growth(rows)
    growth.add(list(range(len(rows))), 0, ())
    joined = [np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in growth.packed]
    tokens = growth.rows or [np.zeros(0, np.int64)], growth.places or [np.zeros(0, np.int64)]
    return PrefixTree(tuple(growth.blocks), np.concatenate(tokens[0]), np.concatenate(tokens[1]), tuple(joined))


class _Growth:
    """The packed sequence while it is written."""

    def __init__(self, keys: Sequence[Keys]) -> None:
        self.keys = keys
        self.length = 0
        self.blocks: list[Block] = []
        self.rows: list[Keys] = []
        self.places: list[Keys] = []
        self.packed: list[list[Keys]] = [[] for _ in keys]

    def add(self, rows: list[int], at: int, above: tuple[Span, ...]) -> None:
        """Everything that `rows` have from `at` on, under what they share so far."""
        seen = sum(stop - start for start, stop in above)
        parts = list(self._parts([row for row in rows if len(self.keys[row]) > at], at, seen))
        # What nobody else hangs on goes first: it then stands beside its parent, whose keys and values need no copy.
        self._leaves([(part[0], len(self.keys[part[0]]) - at) for part, common in parts if not common], at, above)
        for part, common in parts:
            if common:
                start = self._write(part, at, common)
                self.blocks.append(Block(above, start, (common,)))
                self.add(part, at + common, _joined(above, (start, self.length)))

    def _parts(self, rows: list[int], at: int, seen: int) -> Iterator[tuple[list[int], int]]:
        """Rows with how much of the coming they share; single rows, and those for which it does not pay, with 0."""
        if len(rows) == 1:
            yield rows, 0
        elif rows:
            common = self._common(rows, at)
            if common * (len(rows) - 1) >= max(SHORTEST, seen // _ABOVE):
                yield rows, common
                return
            groups: dict[int, list[int]] = {}
            for row in rows:
                keys = self.keys[row]
                if len(keys) == at + common:
                    yield [row], 0
                else:
                    groups.setdefault(int(keys[at + common]), []).append(row)
            for group in groups.values():
                yield from self._parts(group, at, seen)

    def _common(self, rows: list[int], at: int) -> int:
        """How many keys all of `rows` have in common from `at` on."""
        shortest = min(len(self.keys[row]) for row in rows)
        stack = np.stack([self.keys[row][at:shortest] for row in rows])
        differ = (stack != stack[0]).any(0)
        return int(differ.argmax()) if differ.any() else shortest - at

    def _leaves(self, leaves: list[tuple[int, int]], at: int, above: tuple[Span, ...]) -> None:
        """Ends of rows. As many in a block as make it no longer than what they see above: what is masked out then costs little."""
        seen = sum(stop - start for start, stop in above)
        start, lengths = self.length, list[int]()
        for row, length in leaves:
            if lengths and sum(lengths) + length > seen:
                self.blocks.append(Block(above, start, tuple(lengths)))
                start, lengths = self.length, []
            self._write([row], at, length)
            lengths.append(length)
        if lengths:
            self.blocks.append(Block(above, start, tuple(lengths)))

    def _write(self, rows: list[int], at: int, length: int) -> int:
        """Put a stretch of `rows` behind what is there; where it begins."""
        start = self.length
        self.length += length
        self.rows.append(np.full(length, rows[0], np.int64))
        self.places.append(np.arange(at, at + length, dtype=np.int64))
        for row in rows:
            self.packed[row].append(np.arange(start, self.length, dtype=np.int64))
        return start


def _joined(spans: tuple[Span, ...], last: Span) -> tuple[Span, ...]:
    """With one more span behind the others; part of the last of them where they touch."""
    if spans and spans[-1][1] == last[0]:
        return (*spans[:-1], (spans[-1][0], last[1]))
    return (*spans, last)
