"""Which regular shape a silhouette is: overlap with ideal shapes of the same area and centroid in every rotation."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask

_SIDE = 56
_AREA = 700.0
"""Every silhouette is scaled to this many pixels on a square of `_SIDE`."""

_ASPECTS = (1.35, 1.6, 2.0, 2.6, 3.5)

Corners = NDArray[np.float64]


def template_kind(solid: Mask) -> tuple[str, float]:
    """Kind of shape and its sureness, as `best_template`."""
    return best_template(solid)[:2]


def best_template(solid: Mask) -> tuple[str, float, float]:
    """Kind of shape, its sureness (0..1: how well it fits and by how much it beats the next kind) and the overlap with the ideal.

    Kinds: circle, ellipse, triangle, square, diamond, rectangle, pentagon, hexagon, star, cross, or other when nothing fits.
    """
    patch = normalised(solid)
    if patch is None:
        return "other", 0.0, 0.0
    names, tilts, stack = _library()
    flat = patch.reshape(-1)
    inner = stack @ flat
    overlap = inner / (stack.sum(axis=1) + flat.sum() - inner)
    # A ragged circle is easily taken for a hexagon, and circles are far more common.
    overlap = overlap - np.where(np.array(names) == "hexagon", 0.015, 0.0)
    order = np.argsort(-overlap)
    best = int(order[0])
    kind, fit = names[best], float(overlap[best])
    rival = next((float(overlap[index]) for index in order if names[index] != kind), 0.0)
    if fit < 0.78:
        return "other", 0.3, fit
    if kind == "square" and tilts[best] > 30:
        kind = "diamond"
    return kind, float(np.clip(0.45 + 9.0 * (fit - rival) + 1.5 * (fit - 0.9), 0.2, 0.98)), fit


def normalised(solid: Mask) -> NDArray[np.float32] | None:
    """The silhouette at the common area with its centroid in the middle, values 0..1; None for fewer than 12 pixels."""
    import cv2

    ys, xs = np.nonzero(solid)
    if len(xs) < 12:
        return None
    scale = float(np.sqrt(_AREA / len(xs)))
    middle = (_SIDE - 1) / 2
    matrix = np.array([[scale, 0, middle - scale * xs.mean()], [0, scale, middle - scale * ys.mean()]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    source = (solid > 0).astype(np.float32)
    if scale < 0.7:
        source = cv2.GaussianBlur(source, (0, 0), 0.45 / scale)
    patch = cv2.warpAffine(source, matrix, (_SIDE, _SIDE), flags=flags)
    return np.asarray(patch > 0.5, dtype=np.float32)


@lru_cache(maxsize=1)
def _library() -> tuple[list[str], list[float], NDArray[np.float32]]:
    """Kind, tilt from upright (0..45, squares only) and pixels of each template; pixels as rows."""
    names: list[str] = []
    tilts: list[float] = []
    rows: list[NDArray[np.float32]] = []
    for kind, corners, period in _ideals():
        for degrees in np.arange(0.0, period, min(5.0, period)):
            rows.append(_drawn(corners, float(degrees)).reshape(-1))
            names.append(kind)
            tilts.append(abs(((degrees + 45.0) % 90.0) - 45.0) if kind == "square" else 0.0)
    return names, tilts, np.stack(rows)


def _ideals() -> list[tuple[str, Corners, float]]:
    """Kind, corner points and rotational period in degrees of each ideal shape."""
    box, disc, right = _polygon(4, turned=45.0), _polygon(72), np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    return [
        ("circle", disc, 5.0),
        ("square", box, 90.0),
        ("pentagon", _polygon(5), 72.0),
        ("hexagon", _polygon(6), 60.0),
        ("triangle", _polygon(3), 120.0),
        ("triangle", right, 360.0),
        *(("triangle", _polygon(3) * np.array([1.0, height]), 360.0) for height in (0.7, 1.35, 1.8)),
        *(("rectangle", box * np.array([aspect, 1.0]), 180.0) for aspect in _ASPECTS),
        *(("ellipse", disc * np.array([aspect, 1.0]), 180.0) for aspect in _ASPECTS),
        *(("star", _star(waist), 72.0) for waist in (0.38, 0.45, 0.53)),
        *(("cross", _cross(arm), 90.0) for arm in (0.28, 0.36, 0.45)),
    ]


def _polygon(count: int, turned: float = 0.0) -> Corners:
    angles = np.deg2rad(-90.0 + turned + 360.0 * np.arange(count) / count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _star(waist: float) -> Corners:
    angles = np.deg2rad(-90.0 + 36.0 * np.arange(10))
    radii = np.where(np.arange(10) % 2 == 0, 1.0, waist)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _cross(arm: float) -> Corners:
    a = arm
    return np.array(
        [[-a, -1], [a, -1], [a, -a], [1, -a], [1, a], [a, a], [a, 1], [-a, 1], [-a, a], [-1, a], [-1, -a], [-a, -a]], dtype=np.float64
    )


def _drawn(corners: Corners, degrees: float) -> NDArray[np.float32]:
    """A filled polygon of the common area with its centroid in the middle."""
    import cv2

    angle = np.deg2rad(degrees)
    turned = corners @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    x, y = turned[:, 0], turned[:, 1]
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    area = cross.sum() / 2
    centre = np.array([((x + np.roll(x, -1)) * cross).sum(), ((y + np.roll(y, -1)) * cross).sum()]) / (6 * area)
    placed = (turned - centre) * np.sqrt(_AREA / abs(area)) + (_SIDE - 1) / 2
    canvas = np.zeros((_SIDE, _SIDE), dtype=np.uint8)
    cv2.fillPoly(canvas, [np.round(placed * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(canvas > 127, dtype=np.float32)
