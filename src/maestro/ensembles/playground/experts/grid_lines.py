"""Rows and columns of a ruled grid: thin dark lines, the profile they leave, and the even comb that fits it best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask

Profile = NDArray[np.float64]


def count_runs(mask: Mask, share: float) -> tuple[int, int]:
    """Rows and columns by counting the stripes of pixels in which at least `share` of the grid's extent is dark."""
    counts = []
    for axis in (1, 0):
        profile = (mask > 0).sum(axis=axis)
        extent = max(int((mask > 0).any(axis=axis).sum()), 1)
        other = max(int((mask > 0).any(axis=1 - axis).sum()), 1)
        on = profile >= share * min(other, extent * 10)
        counts.append(int((np.diff(np.concatenate([[0], on.astype(int)])) == 1).sum()) - 1)
    return counts[0], counts[1]


def ridges(grey: NDArray[np.uint8], stroke: int) -> NDArray[np.float32]:
    """How much each pixel belongs to a line thinner than `stroke` pixels, dark on light or light on dark, in grey levels."""
    import cv2

    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * stroke + 1, 2 * stroke + 1))
    dark = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, kernel).astype(np.float32)
    light = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, kernel).astype(np.float32)
    stronger = dark if np.percentile(dark, 96) >= np.percentile(light, 96) else light
    return np.asarray(stronger, dtype=np.float32)


def profiles(strength: NDArray[np.float32]) -> tuple[Profile, Profile]:
    """Mean line strength along each row and along each column inside the grid's extent."""
    strong = strength > 0.35 * np.percentile(strength, 99)
    rows = np.nonzero(strong.mean(axis=1) > 0.25 * strong.mean(axis=1).max())[0]
    columns = np.nonzero(strong.mean(axis=0) > 0.25 * strong.mean(axis=0).max())[0]
    if len(rows) < 2 or len(columns) < 2:
        return np.zeros(0), np.zeros(0)
    capped = np.minimum(strength, np.percentile(strength, 98))
    across = capped[:, columns[0] : columns[-1] + 1].mean(axis=1)
    down = capped[rows[0] : rows[-1] + 1].mean(axis=0)
    return across.astype(np.float64), down.astype(np.float64)


def fit_comb(profile: Profile, most: int = 40) -> tuple[int, float]:
    """Number of equal steps between a profile's outermost peaks, and how well an even comb explains it (0..1; 0 steps without one).

    A comb with too many teeth has teeth on nothing; one with too few leaves peaks over.
    """
    if len(profile) < 8 or profile.max() <= 0:
        return 0, 0.0
    floor = float(np.median(profile))
    signal = np.clip((profile - floor) / max(float(np.percentile(profile, 99)) - floor, 1e-6), 0, 1)
    peaks = _peaks(signal)
    if len(peaks) < 2:
        return 0, 0.0
    best: tuple[float, int] = (-1.0, 0)
    scores: dict[int, float] = {}
    for first in peaks[:2]:
        for last in peaks[-2:]:
            for steps in range(1, most + 1):
                pitch = (last - first) / steps
                if pitch < 5:
                    break
                score = _comb_score(signal, peaks, first, last, steps)
                scores[steps] = max(scores.get(steps, 0.0), score)
                if score > best[0] + 1e-9:
                    best = (score, steps)
    rival = max((score for steps, score in scores.items() if steps != best[1]), default=0.0)
    return best[1], float(np.clip(best[0] * min(1.0, 0.5 + 2.5 * (best[0] - rival)), 0.0, 1.0))


def _peaks(signal: Profile) -> list[int]:
    """Local maxima above a third of the strongest, at least 4 pixels apart."""
    candidates = [i for i in range(len(signal)) if signal[i] > 0.33 and signal[i] >= signal[max(0, i - 3) : i + 4].max()]
    kept: list[int] = []
    for index in candidates:
        if not kept or index - kept[-1] >= 4:
            kept.append(index)
    return kept


def _comb_score(signal: Profile, peaks: list[int], first: int, last: int, steps: int) -> float:
    """Harmonic mean of the teeth that stand on a peak and the peaks that a tooth explains."""
    teeth = np.linspace(first, last, steps + 1)
    pitch = (last - first) / steps
    slack = max(1.5, min(0.12 * pitch, 4.0))
    at = np.array(peaks, dtype=np.float64)
    weights = signal[peaks]
    off = np.abs(teeth[:, None] - at[None, :])
    standing = float((off.min(axis=1) <= slack).mean())
    explained = float(weights[off.min(axis=0) <= slack].sum() / max(float(weights.sum()), 1e-9))
    return 2 * standing * explained / max(standing + explained, 1e-9)
