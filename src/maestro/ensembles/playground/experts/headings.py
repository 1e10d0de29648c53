"""Which way a drawn robot or arrow points: its mirror axis, and the end of that axis where it runs to a tip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask

_SIZE = 96


def skewed_axis(mask: Mask) -> tuple[float, float]:
    """Cheap heading (degrees clockwise from right) and its sureness: the longest axis, towards the end where the mass lies (the head)."""
    ys, xs = np.nonzero(mask)
    if len(xs) < 20:
        return 0.0, 0.0
    points = np.stack([xs - xs.mean(), ys - ys.mean()], axis=1)
    values, vectors = np.linalg.eigh(points.T @ points / len(points))
    along = points @ vectors[:, 1]
    skew = float((along**3).mean() / max(float((along**2).mean()) ** 1.5, 1e-9))
    direction = vectors[:, 1] * (-1 if skew >= 0 else 1)
    degrees = float(np.degrees(np.arctan2(direction[1], direction[0])) % 360)
    elongation = 1.0 - float(np.sqrt(max(values[0], 0.0) / max(values[1], 1e-9)))
    return degrees, float(np.clip(min(2.0 * abs(skew), 2.5 * elongation), 0.05, 0.95))


def pointed_axis(solid: Mask) -> tuple[float, float]:
    """Heading of a silhouette (degrees clockwise from right) by mirror symmetry and tapering, and its sureness (0..1)."""
    patch, centre = _patch(solid)
    if patch is None:
        return 0.0, 0.0
    angles = np.arange(0.0, 180.0, 3.0)
    scores = [_mirror(patch, centre, float(angle)) for angle in angles]
    best: tuple[float, float, float] = (-1.0, 0.0, 0.0)
    for index in _local_maxima(scores):
        axis = _polish(patch, centre, float(angles[index]))
        symmetry = _mirror(patch, centre, axis)
        front, back = _taper(patch, centre, axis), _taper(patch, centre, axis + 180.0)
        heading, contrast = (axis, front - back) if front > back else (axis + 180.0, back - front)
        score = symmetry + 0.45 * contrast
        if score > best[0]:
            best = (score, heading % 360.0, min(contrast * 1.6, 1.0) * min(1.0, max(0.0, symmetry - 0.55) * 3.0))
    return best[1], float(np.clip(best[2], 0.05, 0.97))


def inner_mark(silhouette: Mask, mark: Mask) -> tuple[float, float]:
    """Heading from the middle of a body to a mark on it (degrees clockwise from right), and how far out the mark lies (0..1)."""
    body, spot = np.argwhere(silhouette > 0), np.argwhere(mark > 0)
    if len(body) < 20 or len(spot) < 3:
        return 0.0, 0.0
    offset = spot.mean(axis=0) - body.mean(axis=0)
    reach = float(np.hypot(*offset) / max(np.sqrt(len(body) / np.pi), 1.0))
    return float(np.degrees(np.arctan2(offset[0], offset[1])) % 360), float(np.clip(2.0 * reach, 0.0, 0.97))


def _patch(solid: Mask) -> tuple[NDArray[np.float32] | None, tuple[float, float]]:
    """The silhouette scaled into a square, with its centroid."""
    import cv2

    ys, xs = np.nonzero(solid)
    if len(xs) < 20:
        return None, (0.0, 0.0)
    reach = max(float(np.hypot(xs - xs.mean(), ys - ys.mean()).max()), 1.0)
    scale = (_SIZE / 2 - 4) / reach
    matrix = np.array([[scale, 0, _SIZE / 2 - scale * xs.mean()], [0, scale, _SIZE / 2 - scale * ys.mean()]])
    patch = cv2.warpAffine((solid > 0).astype(np.float32), matrix, (_SIZE, _SIZE), flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return np.asarray(patch, dtype=np.float32), (_SIZE / 2, _SIZE / 2)


def _aligned(patch: NDArray[np.float32], centre: tuple[float, float], degrees: float) -> NDArray[np.float32]:
    """The patch turned so that `degrees` points right."""
    import cv2

    return np.asarray(cv2.warpAffine(patch, cv2.getRotationMatrix2D(centre, degrees, 1.0), (_SIZE, _SIZE)), dtype=np.float32)


def _mirror(patch: NDArray[np.float32], centre: tuple[float, float], degrees: float) -> float:
    turned = _aligned(patch, centre, degrees)[1:]
    flipped = turned[::-1]
    return float(np.minimum(turned, flipped).sum() / max(float(np.maximum(turned, flipped).sum()), 1e-6))


def _polish(patch: NDArray[np.float32], centre: tuple[float, float], degrees: float) -> float:
    return max((degrees + step for step in np.arange(-2.5, 2.6, 0.5)), key=lambda angle: _mirror(patch, centre, float(angle)))


def _taper(patch: NDArray[np.float32], centre: tuple[float, float], degrees: float) -> float:
    """How much the silhouette runs to a point towards `degrees`, 0..1."""
    turned = _aligned(patch, centre, degrees) > 0.5
    columns = np.nonzero(turned.any(axis=0))[0]
    if len(columns) < 8:
        return 0.0
    extent = np.array([np.ptp(np.nonzero(turned[:, column])[0]) + 1 for column in columns], dtype=np.float64)
    length, widest = len(columns), float(extent.max())
    tip, behind = (
        float(extent[-max(2, round(0.07 * length)) :].mean()),
        float(extent[-round(0.32 * length) : -max(3, round(0.16 * length))].mean()),
    )
    growth = np.clip((behind - tip) / widest, 0.0, 1.0)
    return float(growth)


def _local_maxima(scores: list[float]) -> list[int]:
    count = len(scores)
    peaks = [i for i in range(count) if scores[i] >= scores[i - 1] and scores[i] >= scores[(i + 1) % count]]
    return sorted(peaks, key=lambda i: -scores[i])[:4]
