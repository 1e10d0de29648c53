"""Words on a page: what an OCR expert read, with the geometry (lines, gaps, tilt) that every reading skill needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np

from maestro.skills.protocol import Caller, SkillRequest

_STRAY = re.compile(r"[\s|\[\](){}<>_~^'\"`.,:;\-=*\\/!¦«»°]+")
"""A word of only these characters is most often a piece of a frame, rule or texture."""


@dataclass(frozen=True)
class Word:
    """One word; coordinates in pixels, y downward."""

    text: str
    confidence: float
    """0 to 1."""
    left: float
    top: float
    right: float
    bottom: float
    line: int = 0
    """Index of the engine's own line."""

    @property
    def x(self) -> float:
        """Centre."""
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        """Centre."""
        return (self.top + self.bottom) / 2

    @property
    def width(self) -> float:
        """In pixels, at least 1."""
        return max(1.0, self.right - self.left)

    @property
    def height(self) -> float:
        """In pixels, at least 1."""
        return max(1.0, self.bottom - self.top)

    @property
    def stray(self) -> bool:
        """Whether it is only punctuation, as a piece of a frame reads."""
        return _STRAY.fullmatch(self.text) is not None


@dataclass(frozen=True)
class Line:
    """Words beside each other, left to right."""

    words: tuple[Word, ...]

    @cached_property
    def text(self) -> str:
        """Words joined by one space."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """Mean over the words, weighted by their letters."""
        return mean_confidence(self.words)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """left, top, right, bottom."""
        return bounding_box(self.words)

    @property
    def height(self) -> float:
        """Median height of its words, in pixels."""
        return median(word.height for word in self.words)

    @property
    def letter(self) -> float:
        """Median width of one letter in pixels."""
        return median(word.width / len(word.text) for word in self.words)

    def segments(self, gap: float = 1.8) -> list[Line]:
        """The line cut where two words are further apart than `gap` letters, or a third of that if the engine saw two lines."""
        parts: list[list[Word]] = [[self.words[0]]]
        for before, after in pairwise(self.words):
            if after.left - before.right > (gap if before.line == after.line else gap / 3) * self.letter:
                parts.append([])
            parts[-1].append(after)
        return [Line(tuple(part)) for part in parts]


@dataclass(frozen=True)
class Page:
    """Everything an expert read in one image."""

    words: tuple[Word, ...]
    width: int
    height: int
    slope: float = 0.0
    """Tilt of the text as rise over run; positive lines fall to the right."""

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Words grouped into lines by height along the tilt, top to bottom."""
        return _group(self.words, self.slope)

    @property
    def text(self) -> str:
        """All lines, one per row."""
        return "\n".join(line.text for line in self.lines)

    @property
    def text_height(self) -> float:
        """Median height of the words in pixels; 1 on an empty page."""
        return median(word.height for word in self.words) if self.words else 1.0

    def without_strays(self) -> Page:
        """The page less words that are only punctuation."""
        return replace(self, words=tuple(word for word in self.words if not word.stray))

    def where(self, words: Iterable[Word]) -> Page:
        """The same page with only these words."""
        return replace(self, words=tuple(words))


def _word(item: dict[str, Any]) -> Word:
    left, top, right, bottom = (float(edge) for edge in item["box"])
    return Word(item["text"], float(item["confidence"]), left, top, right, bottom, int(item.get("line", 0)))


def page_of(reply: dict[str, Any]) -> Page:
    """The page in an OCR expert's reply to `ocr`."""
    words = tuple(_word(item) for item in reply["words"] if item["text"].strip())
    slope = float(reply.get("slope", 0.0)) or row_slope(words)
    # Less than half a degree is the jitter of box corners, more than 25 degrees a misread line.
    return Page(words, int(reply["width"]), int(reply["height"]), slope if 0.01 < abs(slope) < 0.5 else 0.0)


def row_slope(words: Sequence[Word]) -> float:
    """The tilt, up to nine degrees, at which most words stand level with each other; 0 unless clearly better than none.

    Short labels have no tilt that an engine could tell; the rows they form have.
    """
    if not 4 <= len(words) <= 150:
        return 0.0
    x, y = np.array([word.x for word in words]), np.array([word.y for word in words])
    height = float(np.median([word.height for word in words]))
    upper = np.triu_indices(len(words), 1)
    across, down = (x[:, None] - x)[upper], (y[:, None] - y)[upper]
    far = np.abs(across) > 2 * height
    across, down = across[far], down[far]
    slopes = np.round(np.arange(-0.16, 0.1601, 0.005), 3)
    scores = np.exp(-(((down - slopes[:, None] * across) / (0.15 * height)) ** 2)).sum(axis=1)
    level, best = float(scores[len(slopes) // 2]), int(np.argmax(scores))
    # Two words are level by chance, three hardly; among many words more chances count for less.
    return float(slopes[best]) if scores[best] > max(1.3 * level + 1.0, 2.6, 0.25 * len(words)) else 0.0


async def read_page(request: SkillRequest, caller: Caller) -> Page:
    """Let the expert read the request's first image. Raises ValueError when there is none."""
    return page_of(await caller.ask("ocr", images=(first_image(request),)))


def first_image(request: SkillRequest) -> str:
    """Hash of the image to look at. Raises ValueError when the request has none."""
    if not request.images:
        raise ValueError("this skill looks at an image and the task has none; use a skill that works on text")
    return request.images[0]


def mean_confidence(words: Sequence[Word]) -> float:
    """Mean confidence weighted by the number of letters; 0 without words."""
    letters = sum(len(word.text) for word in words)
    return sum(word.confidence * len(word.text) for word in words) / letters if letters else 0.0


def least_confidence(words: Sequence[Word]) -> float:
    """Confidence of the weakest word; 0 without words. What a value rests on that is wrong if one of its words is."""
    return min((word.confidence for word in words), default=0.0)


def bounding_box(words: Sequence[Word]) -> tuple[float, float, float, float]:
    """left, top, right, bottom of all words."""
    return (
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
    )


def _group(words: Sequence[Word], slope: float) -> tuple[Line, ...]:
    """Lines of words: the engine's own lines, joined where they are level with each other along the tilt."""
    pieces: dict[int, list[Word]] = {}
    for word in words:
        pieces.setdefault(word.line, []).append(word)
    usual = median([word.height for word in words]) if words else 1.0
    lines: list[list[Word]] = []
    levels: list[float] = []
    for piece in sorted(pieces.values(), key=lambda piece: _level(piece, slope)):
        level = _level(piece, slope)
        nearest = min(range(len(lines)), key=lambda index: abs(levels[index] - level), default=None)
        # A dash or dot alone is a small box; it still has the line height of its neighbours.
        height = max(median(word.height for word in piece), 0.6 * usual)
        if nearest is not None and abs(levels[nearest] - level) <= 0.55 * min(
            height, max(median(word.height for word in lines[nearest]), 0.6 * usual)
        ):
            lines[nearest] += piece
            levels[nearest] = _level(lines[nearest], slope)
        else:
            lines.append(list(piece))
            levels.append(level)
    order = sorted(range(len(lines)), key=lambda index: levels[index])
    return tuple(Line(tuple(sorted(lines[index], key=lambda word: word.left))) for index in order)


def _level(piece: Sequence[Word], slope: float) -> float:
    """Height of a line at x = 0 along the tilt: the median over its words, pieces of punctuation left out if there are others."""
    telling = [word for word in piece if not word.stray] or piece
    return median(word.y - slope * word.x for word in telling)


__all__ = [
    "Line",
    "Page",
    "Word",
    "bounding_box",
    "first_image",
    "least_confidence",
    "mean_confidence",
    "page_of",
    "read_page",
    "row_slope",
]
