"""Blobs of a foreground mask: their outline, what regular shape it is, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]
"""255 on the foreground, 0 elsewhere, shape (height, width)."""


@dataclass(frozen=True)
class Shape:
    """One drawn shape: what it is, its colour, where it lies (pixels) and how sure the expert is (0..1)."""

    kind: str
    colour: str
    box: tuple[int, int, int, int]
    """left, top, right, bottom; right and bottom exclusive."""
    centre: tuple[float, float]
    area: float
    confidence: float

    def reply(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": self.kind,
            "colour": self.colour,
            "box": list(self.box),
            "centre": [round(self.centre[0], 1), round(self.centre[1], 1)],
            "area": round(self.area, 1),
            "confidence": round(self.confidence, 3),
        }


@dataclass(frozen=True)
class Blob:
    """One connected component."""

    mask: Mask
    """Cut to `box`."""
    box: tuple[int, int, int, int]
    area: int

    @property
    def filled(self) -> Mask:
        """The blob with its holes closed."""
        import cv2

        outlines, _ = cv2.findContours(self.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        solid = np.zeros_like(self.mask)
        cv2.drawContours(solid, outlines, -1, 255, -1)
        return solid


def blobs(mask: Mask, least_area: int) -> list[Blob]:
    """Connected components (8 neighbours) of at least `least_area` pixels, in reading order of their top-left corner."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for index in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[index])
        if area < least_area:
            continue
        cut = np.where(labels[top : top + height, left : left + width] == index, 255, 0).astype(np.uint8)
        found.append(Blob(cut, (left, top, left + width, top + height), area))
    return sorted(found, key=lambda blob: (blob.box[1], blob.box[0]))


def outline(solid: Mask) -> NDArray[np.int32]:
    """The longest outer contour, shape (points, 1, 2)."""
    import cv2

    padded = cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,))
    outlines, _ = cv2.findContours(padded, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(max(outlines, key=len), dtype=np.int32)


def solidity(contour: NDArray[np.int32]) -> float:
    """Area of the outline over the area of its convex hull, 0..1."""
    import cv2

    hull = cv2.convexHull(contour)
    return float(cv2.contourArea(contour) / max(cv2.contourArea(hull), 1.0))


def corner_kind(contour: NDArray[np.int32]) -> tuple[str, float]:
    """Shape by the number of corners of a polygon approximation: cheap, wrong on ragged outlines."""
    import cv2

    length = cv2.arcLength(contour, True)
    corners = len(cv2.approxPolyDP(contour, 0.03 * length, True))
    roundness = 4 * np.pi * cv2.contourArea(contour) / max(length * length, 1.0)
    if corners == 3:
        return "triangle", 0.9
    if corners == 4:
        return "square", 0.9 if roundness < 0.84 else 0.6
    if corners == 5:
        return "pentagon", 0.7
    if corners == 6 and roundness < 0.8:
        return "hexagon", 0.6
    if corners >= 9 and solidity(contour) < 0.75:
        return "star", 0.8
    return "circle", min(0.95, max(0.3, roundness))
