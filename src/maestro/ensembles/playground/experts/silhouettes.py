"""A blob's outline finer than its pixels: the enlarged contrast map cut at half the blob's own contrast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask


def sharpened(distance: NDArray[np.float32], part: Mask, box: tuple[int, int, int, int]) -> Mask:
    """Filled silhouette of `part` (a mask cut to `box`), enlarged up to four times when it is small.

    `distance` is how far each pixel of the picture is from the background. Where that varies too much inside the part
    (several colours), the part itself is returned.
    """
    import cv2

    left, top, right, bottom = box
    margin = 3
    padded = cv2.copyMakeBorder(part, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(0,))
    core = cv2.erode(padded, np.ones((3, 3), np.uint8)) > 0
    if core.sum() < 12:
        return part
    source = np.pad(distance, margin)[top : bottom + 2 * margin, left : right + 2 * margin]
    level = float(np.median(source[core]))
    scale = int(np.clip(round(72 / max(right - left, bottom - top)), 1, 4))
    near = cv2.dilate(padded, np.ones((5, 5), np.uint8))
    size = (source.shape[1] * scale, source.shape[0] * scale)
    fine = cv2.resize(np.where(near > 0, source, 0).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    inside = cv2.resize(cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=2), size, interpolation=cv2.INTER_NEAREST) > 0
    cut = np.where((fine > 0.5 * level) | inside, 255, 0).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cut, connectivity=8)
    if count < 2:
        return part
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    outlines, _ = cv2.findContours(np.where(labels == largest, 255, 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    solid = np.zeros_like(cut)
    cv2.drawContours(solid, outlines, -1, 255, -1)
    share = (solid > 0).sum() / max(scale * scale * int((part > 0).sum()), 1)
    return solid if 0.55 < share < 1.4 else part
