"""What the forest sees of a blob: a small picture of it, its gradient directions, the radius around its centre, and a few ratios."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask, outline, solidity

SIDE = 12
"""The silhouette is sampled on a square of this many pixels."""


def blob_features(solid: Mask, ink: int) -> NDArray[np.float32]:
    """Feature row of a filled silhouette; `ink` is the number of pixels before holes were filled.

    Sampled pixels (SIDE * SIDE), gradient directions in 4 x 4 cells of 6 bins, 10 harmonics of the radius, 6 ratios.
    """
    import cv2

    contour = outline(solid)
    area = max(float((solid > 0).sum()), 1.0)
    _, (width, height), _ = cv2.minAreaRect(contour)
    longer, shorter = max(width, height, 1.0), max(min(width, height), 1.0)
    distance = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), cv2.DIST_L2, 5)
    triangle, _ = cv2.minEnclosingTriangle(contour)
    length = max(cv2.arcLength(contour, True), 1.0)
    ratios = [
        longer / shorter,
        area / (longer * shorter),
        solidity(contour),
        4 * np.pi * area / length**2,
        float(np.pi * distance.max() ** 2 / area),
        min(area / max(triangle, 1.0), 1.5),
        ink / area,
    ]
    pixels = cv2.resize(_squared(solid), (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32).reshape(-1) / 255.0
    return np.concatenate([pixels, _directions(solid), _harmonics(contour), np.array(ratios)]).astype(np.float32)


def _squared(solid: Mask) -> Mask:
    """The silhouette in the middle of a square."""
    import cv2

    height, width = solid.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return np.asarray(cv2.copyMakeBorder(solid, top, side - height - top, left, side - width - left, cv2.BORDER_CONSTANT, value=(0,)))


def _directions(solid: Mask) -> NDArray[np.float64]:
    """Histogram of oriented gradients: 4 x 4 cells of 6 unsigned directions, each cell's share of all gradient."""
    import cv2

    patch = cv2.resize(_squared(solid), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    patch = cv2.GaussianBlur(patch, (0, 0), 1.0)
    across, down = cv2.Sobel(patch, cv2.CV_32F, 1, 0), cv2.Sobel(patch, cv2.CV_32F, 0, 1)
    strength = np.hypot(across, down)
    bins = np.minimum(((np.arctan2(down, across) % np.pi) / np.pi * 6).astype(int), 5)
    ys, xs = np.mgrid[0:32, 0:32] // 8
    histogram = np.bincount(((ys * 4 + xs) * 6 + bins).reshape(-1), weights=strength.reshape(-1), minlength=96)
    return np.asarray(histogram / max(float(histogram.sum()), 1e-6))


def _harmonics(contour: NDArray[np.int32]) -> NDArray[np.float64]:
    """Amplitudes 1..10 of the radius over the angle around the centroid, relative to the mean radius."""
    import cv2

    moments = cv2.moments(contour)
    weight = max(moments["m00"], 1e-6)
    points = contour[:, 0, :].astype(np.float64) - (moments["m10"] / weight, moments["m01"] / weight)
    angles = np.arctan2(points[:, 1], points[:, 0])
    order = np.argsort(angles)
    grid = np.linspace(-np.pi, np.pi, 96, endpoint=False)
    radii = np.interp(grid, angles[order], np.hypot(points[:, 0], points[:, 1])[order], period=2 * np.pi)
    return np.asarray(np.abs(np.fft.rfft(radii / max(float(radii.mean()), 1e-6)))[1:11] * 2 / len(grid))
