"""Find a drawn ring (circle or oval outline) around something, and take it out of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.experts.protocol import Pixels

Mask = NDArray[np.uint8]
"""255 where something is, shape (height, width)."""


@dataclass(frozen=True)
class Ring:
    """An ellipse in pixels; angle in degrees as OpenCV has it."""

    x: float
    y: float
    wide: float
    """Axes as OpenCV has them, full lengths."""
    tall: float
    angle: float
    cover: float
    """0 to 1: share of the ellipse that is really drawn."""
    mask: Mask
    """The ring's own pixels."""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """left, top, right, bottom."""
        angle = np.radians(self.angle)
        half_x = np.hypot(self.wide / 2 * np.cos(angle), self.tall / 2 * np.sin(angle))
        half_y = np.hypot(self.wide / 2 * np.sin(angle), self.tall / 2 * np.cos(angle))
        return float(self.x - half_x), float(self.y - half_y), float(self.x + half_x), float(self.y + half_y)


def find_ring(pixels: Pixels) -> Ring | None:
    """The best ring in the picture: closed, thin and hollow; None when there is none.

    The ring may share its colour with the letters or not: foreground pixels are split into one, two, three and four
    colours, and every connected piece of each colour is tried.
    """
    import cv2

    smooth = cv2.medianBlur(pixels, 3)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float32)
    size = max(31, (min(pixels.shape[:2]) // 4) | 1)
    # Median over a window wider than any stroke: the paper with its shading, without text and ring.
    small = cv2.resize(smooth, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.medianBlur(small, min(size // 2 | 1, 101)), (pixels.shape[1], pixels.shape[0]))
    distance = np.linalg.norm(lab - cv2.cvtColor(paper, cv2.COLOR_RGB2LAB).astype(np.float32), axis=2)
    level = max(14.0, 0.3 * float(np.percentile(distance, 99)))
    ink = distance > level
    if int(ink.sum()) < 60:
        return None
    rings = [ring for mask in _colour_masks(lab, ink) for ring in _rings(mask) if _holds_something(ring, ink)]
    # A letter such as an O is a ring too, but holds nothing and is smaller than what is drawn around a letter.
    return max(rings, key=lambda ring: ring.cover * min(1.0, ring.wide * ring.tall / 1500), default=None)


def _holds_something(ring: Ring, ink: NDArray[np.bool_]) -> bool:
    """Whether foreground lies well inside the ring."""
    import cv2

    inner = np.zeros(ink.shape, np.uint8)
    cv2.ellipse(inner, ((ring.x, ring.y), (max(2.0, 0.62 * ring.wide), max(2.0, 0.62 * ring.tall)), ring.angle), 255, -1)
    inside = inner > 0
    return bool(inside.any()) and float(ink[inside].mean()) > 0.08


def _colour_masks(lab: NDArray[np.float32], ink: NDArray[np.bool_]) -> list[Mask]:
    """Masks of the foreground as a whole and of each of its colours."""
    import cv2

    masks = [(ink * 255).astype(np.uint8)]
    samples = lab[ink]
    # Hue tells ring from ink better than brightness, which varies along smoothed edges.
    samples = samples * np.array([0.5, 1.0, 1.0], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(7)
    for count in (2, 3, 4):
        if len(samples) < 20 * count:
            break
        _, labels, _ = cv2.kmeans(samples, count, None, criteria, 2, cv2.KMEANS_PP_CENTERS)
        for index in range(count):
            mask = np.zeros(ink.shape, np.uint8)
            mask[ink] = np.where(labels.ravel() == index, 255, 0)
            masks.append(mask)
    return masks


def _rings(mask: Mask) -> list[Ring]:
    """Rings among the connected pieces of a mask, small gaps closed."""
    import cv2

    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    found = []
    for index in range(1, count):
        _, _, width, height, area = stats[index]
        if min(width, height) < 12 or area < 40 or max(width, height) > 0.9 * max(mask.shape):
            continue
        piece = np.where((labels == index) & (mask > 0), 255, 0).astype(np.uint8)
        ring = _fit(piece)
        if ring is not None:
            found.append(ring)
    return found


def _fit(piece: Mask) -> Ring | None:
    """The ellipse of a piece's outer edge, if the piece runs along most of it and is hollow inside."""
    import cv2

    contours, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.concatenate(contours)
    hull = cv2.convexHull(points)
    if len(hull) < 5:
        return None
    (x, y), (wide, tall), angle = cv2.fitEllipse(hull)
    if min(wide, tall) <= 8 or max(wide, tall) > 4 * min(wide, tall):
        return None
    cover = _cover(piece, x, y, wide, tall, angle)
    inner = np.zeros_like(piece)
    cv2.ellipse(inner, ((x, y), (max(2.0, 0.7 * wide), max(2.0, 0.7 * tall)), angle), 255, -1)
    # A letter of the ring's own colour may touch it, so not empty but far from filled.
    if cover < 0.75 or float((piece[inner > 0] > 0).mean()) > 0.55:
        return None
    return Ring(float(x), float(y), float(wide), float(tall), float(angle), cover, _drawn(piece, x, y, wide, tall, angle))


def _cover(piece: Mask, x: float, y: float, wide: float, tall: float, angle: float) -> float:
    """Share of the ellipse's points with a pixel of the piece within about two pixels (looking inwards first)."""
    turns = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    hit = np.zeros(len(turns), bool)
    for shift in (-3.0, -2.0, -1.0, 0.0, 1.0):
        u, v = (wide / 2 + shift) * np.cos(turns), (tall / 2 + shift) * np.sin(turns)
        columns = np.clip(np.rint(x + u * cos - v * sin).astype(int), 0, piece.shape[1] - 1)
        rows = np.clip(np.rint(y + u * sin + v * cos).astype(int), 0, piece.shape[0] - 1)
        hit |= piece[rows, columns] > 0
    return float(hit.mean())


def _drawn(piece: Mask, x: float, y: float, wide: float, tall: float, angle: float) -> Mask:
    """The piece's pixels near the ellipse: what belongs to the ring and not to a letter that touches it."""
    import cv2

    band = np.zeros_like(piece)
    thickness = max(5, int(0.14 * min(wide, tall)))
    cv2.ellipse(band, ((x, y), (max(2.0, wide - 3), max(2.0, tall - 3)), angle), 255, thickness)
    return np.asarray(cv2.bitwise_and(piece, band), dtype=np.uint8)


def _letter_pixels(pixels: Pixels, ring: Ring, mask: Mask) -> NDArray[np.bool_]:
    """Pixels under the widened ring that have the colour of what the ring holds rather than its own."""
    import cv2

    inner = np.zeros(mask.shape, np.uint8)
    cv2.ellipse(inner, ((ring.x, ring.y), (max(2.0, 0.6 * ring.wide), max(2.0, 0.6 * ring.tall)), ring.angle), 255, -1)
    colours = pixels.astype(float)
    around = cv2.dilate(mask, np.ones((9, 9), np.uint8)) - mask
    paper = np.median(colours[around > 0], axis=0)
    held = colours[inner > 0]
    far = np.linalg.norm(held - paper, axis=1)
    letter, own = np.median(held[far >= np.percentile(far, 85)], axis=0), np.median(colours[ring.mask > 0], axis=0)
    if np.linalg.norm(letter - own) < 60:
        return np.zeros(mask.shape, bool)
    nearer = np.linalg.norm(colours - letter, axis=2) < 0.7 * np.minimum(
        np.linalg.norm(colours - own, axis=2), np.linalg.norm(colours - paper, axis=2)
    )
    return np.asarray(nearer & (mask > 0))


def without_ring(pixels: Pixels, ring: Ring) -> Any:
    """The picture with the ring's pixels filled from around them."""
    import cv2

    mask = cv2.dilate(ring.mask, np.ones((5, 5), np.uint8))
    mask[_letter_pixels(pixels, ring, mask)] = 0
    return cv2.inpaint(pixels, mask, 3, cv2.INPAINT_TELEA)


__all__ = ["Mask", "Ring", "find_ring", "without_ring"]
