"""Where each letter of a line stands: from the gaps between letters in the pixels, else in proportion to their widths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.procedures.words import Line
from maestro.experts.protocol import Pixels

_NARROW, _WIDE = "iljtfrI1!|.,:;'", "mwMW@"


def letter_places(line: Line, pixels: Pixels) -> list[tuple[str, float, bool]]:
    """(letter, x of its centre, whether measured) for every letter of the line, spaces left out."""
    text = "".join(word.text for word in line.words)
    spans = letter_spans(pixels, line.box)
    if len(spans) == len(text):
        return [(letter, (start + end) / 2, True) for letter, (start, end) in zip(text, spans, strict=True)]
    return [place for word in line.words for place in _in_proportion(word.text, word.left, word.right)]


def _in_proportion(text: str, left: float, right: float) -> list[tuple[str, float, bool]]:
    widths = [0.5 if letter in _NARROW else 1.45 if letter in _WIDE else 1.0 for letter in text]
    scale = (right - left) / sum(widths)
    places, start = [], left
    for letter, width in zip(text, widths, strict=True):
        places.append((letter, start + width * scale / 2, False))
        start += width * scale
    return places


def letter_spans(pixels: Pixels, box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
    """Left and right edges of the separate letters inside a box, in image pixels; dots above letters join them."""
    import cv2

    left, top, right, bottom = box
    height = bottom - top
    x0, x1 = max(0, int(left - 0.15 * height)), min(pixels.shape[1], int(right + 0.15 * height) + 1)
    y0, y1 = max(0, int(top)), min(pixels.shape[0], int(bottom) + 1)
    part = cv2.medianBlur(np.ascontiguousarray(pixels[y0:y1, x0:x1]), 3).astype(float)
    if part.size == 0:
        return []
    paper = np.median(part, axis=(0, 1))
    distance = np.linalg.norm(part - paper, axis=2)
    level = max(20.0, 0.4 * float(np.percentile(distance, 97)))
    mask = (distance > level).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    least = max(6.0, 0.004 * height * height)
    pieces = [(stats[i][0], stats[i][0] + stats[i][2], stats[i][3]) for i in range(1, count) if stats[i][4] >= least]
    return [(x0 + start, x0 + end) for start, end in _joined(pieces, height)]


def _joined(pieces: Sequence[tuple[int, int, int]] | NDArray[np.int32], height: float) -> list[tuple[float, float]]:
    """Spans of pieces that stand over each other (the dot of an i), left to right; low pieces alone are specks."""
    spans: list[list[float]] = []
    for start, end, tall in sorted(pieces, key=lambda piece: piece[0]):
        if spans and start < spans[-1][1] - 0.3 * min(end - start, spans[-1][1] - spans[-1][0]):
            spans[-1][1] = max(spans[-1][1], float(end))
            spans[-1][2] = max(spans[-1][2], float(tall))
        else:
            spans.append([float(start), float(end), float(tall)])
    return [(start, end) for start, end, tall in spans if tall > 0.25 * height]


__all__ = ["letter_places", "letter_spans"]
