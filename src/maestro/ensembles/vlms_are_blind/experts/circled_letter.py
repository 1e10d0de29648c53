"""The letter of a word that a coloured oval surrounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.vlms_are_blind.experts.backdrop import LEAST_SIDE, backdrop_of, enlarged, reduced, single_picture
from maestro.ensembles.vlms_are_blind.experts.glyphs import TextLine, line_at
from maestro.ensembles.vlms_are_blind.experts.letter_case import cased
from maestro.ensembles.vlms_are_blind.experts.oval import Oval, find_oval, text_without
from maestro.ensembles.vlms_are_blind.experts.recogniser import SIGNS, LineBelief, LineRecogniser
from maestro.experts.protocol import Pixels

_LONGEST = 2048
"""Pixels of the longer side that is looked at."""
_SHORTEST = 300
"""Pixels of the shorter side below which a picture is enlarged."""
_WEIGHTS = (1.0, 0.9, 0.5)
"""Of what is read in the whole line, around the oval, and of the glyph alone."""


class CircledLetter:
    """The expert `oval-reader`. Not safe for concurrent calls on one object."""

    def __init__(self, threads: int = 1) -> None:
        """`threads` are ONNX Runtime's. Raises MissingDependency."""
        self._recogniser = LineRecogniser(threads)

    def do_circled(self, images: list[Pixels]) -> dict[str, Any]:
        """The letter in the oval: {"letter", "confidence", "evidence"}; letter None and confidence 0 without oval or text."""
        image = reduced(single_picture(images, "the oval reader"), _LONGEST)
        if min(image.shape[:2]) < LEAST_SIDE:
            return _nothing(f"the picture is only {image.shape[1]}x{image.shape[0]} pixels")
        image = enlarged(image, _SHORTEST)
        backdrop = backdrop_of(image)
        oval = find_oval(image, backdrop)
        if oval is None:
            return _nothing("no coloured line that closes to an oval")
        grey = text_without(image, backdrop, oval)
        line = None if grey is None else line_at(grey, oval)
        if grey is None or line is None:
            return _nothing("an oval, but no text inside of it")
        return self._read(grey, line, oval)

    def _read(self, grey: NDArray[np.uint8], line: TextLine, oval: Oval) -> dict[str, Any]:
        x, width = _place(line, oval)
        views = [_whole(line), _around(line, 2), _around(line, 0)]
        beliefs: list[LineBelief] = []
        chances = np.zeros(len(SIGNS), np.float32)
        for (left, right), weight in zip(views, _WEIGHTS, strict=True):
            part, start = _cut(grey, line, left, right)
            belief = self._recogniser.read(part)
            beliefs.append(belief)
            seen = belief.near(x - start, width)
            chances += weight * seen
        chances /= sum(_WEIGHTS)
        best = SIGNS[int(chances.argmax())]
        letter = cased(best, line, beliefs[0], _cut(grey, line, *views[0])[1])
        both = float(chances[SIGNS.index(best.lower())] + chances[SIGNS.index(best.upper())]) if best.isalpha() else float(chances.max())
        rival = float(max((chance for sign, chance in zip(SIGNS, chances, strict=True) if sign.lower() != best.lower()), default=0.0))
        sure = float(np.clip(min(1.0, both) * (1.0 - 0.6 * rival) * min(1.0, oval.cover + 0.1), 0.0, 0.99))
        if sure < 0.02:
            return _nothing(f"an oval in {beliefs[0].text!r}, but nothing legible inside of it")
        evidence = f"glyph {line.marked + 1} of {len(line.glyphs)} in {beliefs[0].text!r}, alone {beliefs[2].text!r}"
        return {"letter": letter, "confidence": round(sure, 2), "evidence": evidence}


def _nothing(reason: str) -> dict[str, Any]:
    return {"letter": None, "confidence": 0.0, "evidence": f"no circled letter: {reason}"}


def _place(line: TextLine, oval: Oval) -> tuple[float, float]:
    """Middle and width, pixels, of the letter inside: its glyph's, or the oval's where letters touch."""
    glyph = line.glyphs[line.marked]
    left, right = max(glyph.left, oval.x - oval.across), min(glyph.right, oval.x + oval.across)
    if glyph.right - glyph.left > 2 * oval.across + 2:
        return oval.x, min(right - left, 1.2 * oval.across)
    return glyph.middle, float(glyph.right - glyph.left)


def _whole(line: TextLine) -> tuple[int, int]:
    """From the first glyph to the last."""
    return min(glyph.left for glyph in line.glyphs), max(glyph.right for glyph in line.glyphs)


def _around(line: TextLine, reach: int) -> tuple[int, int]:
    """The glyph and `reach` of its neighbours on both sides."""
    near = line.glyphs[max(0, line.marked - reach) : line.marked + reach + 1]
    return min(glyph.left for glyph in near), max(glyph.right for glyph in near)


def _cut(grey: NDArray[np.uint8], line: TextLine, left: int, right: int) -> tuple[NDArray[np.uint8], int]:
    """The line from `left` to `right`, neighbours blanked, at the line's full height with white air; and where it begins."""
    air = max(3, round(0.18 * (line.bottom - line.top)))
    part = grey[line.top : line.bottom, left:right]
    padded = np.full((part.shape[0] + 2 * air, part.shape[1] + 4 * air), 255, np.uint8)
    padded[air : air + part.shape[0], 2 * air : 2 * air + part.shape[1]] = part
    return padded, left - 2 * air


__all__ = ["CircledLetter"]
