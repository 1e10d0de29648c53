"""Thin strokes that cross a drawing of solid shapes: how to see that they are there, and how to take them off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask


def without_strokes(lab: NDArray[np.float32], mask: Mask) -> tuple[Mask, NDArray[np.float32] | None]:
    """The mask less stray strokes, cuts through shapes healed, and the strokes' Lab colour; the mask itself and None without any."""
    import cv2

    side = max(5, 2 * round(0.01 * min(mask.shape)) + 1)  # strokes are thin beside the picture, whatever its size
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel), dtype=np.uint8)
    if (opened > 0).sum() < 0.1 * (mask > 0).sum():
        return mask, None  # outlines only: the strokes are the drawing
    colour = _stray_colour(lab, mask, opened)
    if colour is None:
        return mask, None
    away = np.linalg.norm(lab - colour, axis=2) > 20.0
    kept = np.where((mask > 0) & away, 255, 0).astype(np.uint8)
    # Rims of strokes are half paper: an opening takes them; what an opening of the whole would have kept is given back.
    kept = cv2.morphologyEx(kept, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    healed = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, kernel)
    return np.asarray(cv2.bitwise_and(healed, mask), dtype=np.uint8), colour


def _stray_colour(lab: NDArray[np.float32], mask: Mask, opened: Mask) -> NDArray[np.float32] | None:
    """Median Lab colour of long thin remains of the mask outside shapes; None when there are fewer than two."""
    import cv2

    rest = cv2.bitwise_and(mask, cv2.bitwise_not(cv2.dilate(opened, np.ones((5, 5), np.uint8))))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(rest), connectivity=8)
    extent = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    long = np.nonzero(extent > 0.07 * max(mask.shape))[0] + 1
    if count < 3 or len(long) < 2:
        return None
    inside = np.isin(labels, long)
    pixels = lab[inside]
    paper = np.median(lab[mask == 0], axis=0)
    strength = np.linalg.norm(pixels - paper, axis=1)
    strong = strength >= np.percentile(strength, 60)
    return np.asarray(np.median(pixels[strong], axis=0), dtype=np.float32)
