"""Which circles meet: blobs of a mask that hold one disc or two, and the gap between the discs of each pair."""

from __future__ import annotations

from typing import Any

import numpy as np

from maestro.ensembles.playground.experts.circle_cover import Circle
from maestro.ensembles.playground.experts.components import Mask, blobs, outline, solidity

Disc = tuple[float, float, float]
"""x, y and radius in pixels."""


def contacts_in_mask(mask: Mask, least: int) -> dict[str, Any]:
    """Gaps between paired discs, negative in contact: a waisted blob is a pair in contact, lone discs pair with their nearest."""
    lone: list[Disc] = []
    gaps: list[float] = []
    doubts: list[float] = []
    for blob in blobs(mask, least):
        solid = blob.filled
        area = float((solid > 0).sum())
        left, top, right, bottom = blob.box
        if (area < 1.5 * least and not gaps and not lone) or min(right - left, bottom - top) < 6:
            continue
        stretch, dense = _stretch(solid), solidity(outline(solid))
        single = stretch < 1.3 and dense > 0.9
        doubts.append(min(1.0, abs(stretch - 1.3) / 0.25))
        if single:
            lone.append(((left + right - 1) / 2, (top + bottom - 1) / 2, float(np.sqrt(area / np.pi))))
        else:
            gaps.append(-2.0 * (2.0 - min(stretch, 2.0)) * np.sqrt(area / (2 * np.pi)))
    gaps += paired_gaps(lone)
    return {"gaps": [round(float(gap), 2) for gap in gaps], "confidence": float(np.clip(min(doubts, default=0.0), 0.1, 1.0))}


def contacts_of_circles(circles: list[Circle], contact: float) -> dict[str, Any]:
    """Gaps between each circle and the one nearest to it; up to `contact` pixels count as contact."""
    discs = [(circle.x, circle.y, circle.radius) for circle in circles]
    gaps = [gap - contact for gap in paired_gaps(discs)]
    near = min((abs(gap) for gap in gaps), default=0.0)
    support = min((circle.support for circle in circles), default=0.0)
    odd = 0.5 if len(circles) % 2 else 1.0
    return {"gaps": [round(gap, 2) for gap in gaps], "confidence": float(np.clip(min(1.0, 0.4 + near / 2.5) * support * odd, 0.0, 1.0))}


def paired_gaps(discs: list[Disc]) -> list[float]:
    """Gap of each pair when every disc is paired once, the nearest pairs first."""
    count = len(discs)
    options = sorted((_gap(discs[a], discs[b]), a, b) for a in range(count) for b in range(a + 1, count))
    taken: set[int] = set()
    gaps = []
    for gap, a, b in options:
        if a not in taken and b not in taken:
            taken |= {a, b}
            gaps.append(gap)
    return gaps


def _gap(first: Disc, second: Disc) -> float:
    return float(np.hypot(first[0] - second[0], first[1] - second[1]) - first[2] - second[2])


def _stretch(solid: Mask) -> float:
    """Ratio of the longer to the shorter side of the tightest box: 1 for a disc, 2 for two equal discs side by side."""
    import cv2

    (_, (width, height), _) = cv2.minAreaRect(outline(solid))
    return float(max(width, height) / max(min(width, height), 1.0))
