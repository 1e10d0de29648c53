"""Thick things and the thin lines between them: which markers a line touches, and where the line from a start dot ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maestro.ensembles.playground.experts.components import Blob, Mask, blobs

CLEARANCE = 3
"""Lines begin this many pixels away from markers."""


@dataclass(frozen=True)
class Linework:
    """A foreground parted into thick markers and thin lines."""

    markers: list[Blob]
    thick: Mask
    thin: Mask


def part_by_thickness(mask: Mask, width: int, least: int) -> Linework:
    """Markers are what survives an opening with a square of `width` pixels; the rest, away from markers, is lines."""
    import cv2

    thick = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((width, width), np.uint8))
    markers = blobs(np.asarray(thick, dtype=np.uint8), least)
    solid = np.zeros_like(mask)
    for marker in markers:
        left, top, right, bottom = marker.box
        solid[top:bottom, left:right] |= marker.mask
    # Corners of turned markers do not survive the opening: keep the lines clear of them.
    thin = cv2.bitwise_and(mask, cv2.bitwise_not(cv2.dilate(solid, np.ones((2 * CLEARANCE + 1, 2 * CLEARANCE + 1), np.uint8))))
    return Linework(markers, solid, np.asarray(thin, dtype=np.uint8))


def touched(line: Mask, marker: Blob, reach: int) -> int:
    """Pixels of a line within `reach` pixels of a marker, beyond the clearance around it."""
    import cv2

    reach += CLEARANCE
    left, top, right, bottom = marker.box
    height, width = line.shape
    x0, y0, x1, y1 = max(0, left - reach), max(0, top - reach), min(width, right + reach), min(height, bottom + reach)
    near = np.zeros((y1 - y0, x1 - x0), dtype=np.uint8)
    near[top - y0 : bottom - y0, left - x0 : right - x0] = marker.mask
    near = cv2.dilate(near, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return int(((near > 0) & (line[y0:y1, x0:x1] > 0)).sum())


def joined_to(line: Mask, marker: Blob, gap: int) -> Mask:
    """The part of the lines that hangs together with a marker when gaps up to `gap` pixels are bridged."""
    import cv2

    reach = max(2, gap // 2 + 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    bridged = np.asarray(cv2.dilate(line, kernel), dtype=np.uint8)
    _, labels = cv2.connectedComponents(bridged, connectivity=8)
    left, top, right, bottom = marker.box
    height, width = line.shape
    reach += CLEARANCE
    y0, y1, x0, x1 = max(0, top - reach), min(height, bottom + reach), max(0, left - reach), min(width, right + reach)
    near = labels[y0:y1, x0:x1]
    chosen = [int(label) for label in np.unique(near) if label]
    return np.where(np.isin(labels, chosen), line, 0).astype(np.uint8)


def middle(marker: Blob) -> tuple[float, float]:
    """Centre of a marker's box."""
    left, top, right, bottom = marker.box
    return (left + right - 1) / 2, (top + bottom - 1) / 2


def joining(line: Mask, first: Blob, second: Blob, reach: int, gap: int) -> int:
    """How many separate pieces of a line, gaps up to `gap` bridged, come near both markers; at least one when the line does.

    Where other lines cover it a line is in pieces of which none reaches both ends.
    """
    import cv2

    if min(touched(line, first, reach), touched(line, second, reach)) < 3:
        return 0
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap + 1, gap + 1))
    count, labels = cv2.connectedComponents(np.asarray(cv2.dilate(line, kernel), dtype=np.uint8), connectivity=8)
    pieces = [np.where((labels == index) & (line > 0), 255, 0).astype(np.uint8) for index in range(1, count)]
    return max(1, sum(1 for piece in pieces if min(touched(piece, first, reach), touched(piece, second, reach)) >= 3))
