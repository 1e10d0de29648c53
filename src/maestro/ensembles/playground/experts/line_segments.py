"""Straight segments and the two directions of a grid among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.grid_lines import Profile

Segments = NDArray[np.float64]
"""Rows of x1, y1, x2, y2 in pixels."""


def segments_of(grey: NDArray[np.uint8], least_length: float) -> Segments:
    """Line segments of at least `least_length` pixels, shape (n, 4)."""
    import cv2

    found = cv2.createLineSegmentDetector().detect(grey)[0]
    if found is None:
        return np.zeros((0, 4))
    segments = np.asarray(found, dtype=np.float64).reshape(-1, 4)
    return segments[np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]) >= least_length]


def grid_profiles(segments: Segments) -> tuple[Profile, Profile, float]:
    """Length of segments at each position across the grid's two directions (rows, columns), and the share that follows them."""
    dx, dy = segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1]
    lengths = np.hypot(dx, dy)
    angles = np.degrees(np.arctan2(dy, dx)) % 90.0
    tally = np.bincount(np.round(angles * 4).astype(int) % 360, weights=lengths, minlength=360)
    smooth = sum(np.roll(tally, shift) for shift in range(-5, 6))
    tilt = float(np.asarray(smooth).argmax()) / 4.0
    tilt = tilt - 90.0 if tilt > 45.0 else tilt
    off = np.abs((angles - tilt + 45.0) % 90.0 - 45.0)
    aligned = off < 3.0
    flat = aligned & (np.abs(((np.degrees(np.arctan2(dy, dx)) - tilt + 90.0) % 180.0) - 90.0) < 45.0)
    turn = np.deg2rad(tilt)
    middle_x, middle_y = (segments[:, 0] + segments[:, 2]) / 2, (segments[:, 1] + segments[:, 3]) / 2
    across = -middle_x * np.sin(turn) + middle_y * np.cos(turn)
    along = middle_x * np.cos(turn) + middle_y * np.sin(turn)
    rows = _profile(across[flat], lengths[flat])
    columns = _profile(along[aligned & ~flat], lengths[aligned & ~flat])
    return rows, columns, float(lengths[aligned].sum() / max(float(lengths.sum()), 1e-6))


def _profile(positions: NDArray[np.float64], lengths: NDArray[np.float64]) -> Profile:
    """Length per pixel of position, blurred so that both edges of one line fall together."""
    if len(positions) == 0:
        return np.zeros(0)
    index = np.round(positions - positions.min()).astype(int) + 8
    counts = np.bincount(index, weights=lengths, minlength=int(index.max()) + 9)
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 1.8) ** 2)
    profile = np.convolve(counts, kernel / kernel.sum(), mode="same")
    # A line needs about a cell's worth of segments; how many of its cells are seen does not matter.
    return np.asarray(np.minimum(profile, np.percentile(profile[profile > 0], 92)) if (profile > 0).any() else profile)
