"""Strokes of one colour: their pixels, their course as y over x (or x over y), and where two of them cross."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.background import Scene
from maestro.ensembles.playground.experts.colours import hue_name
from maestro.ensembles.playground.experts.components import Mask
from maestro.ensembles.playground.experts.splitting import dominant_colours, nearest


@dataclass(frozen=True)
class Stroke:
    """All pixels of one line colour."""

    colour: str
    mask: Mask
    extent: float
    """Longer side of the bounding box in pixels."""


def strokes_of(scene: Scene, mask: Mask, separation: float = 20.0) -> list[Stroke]:
    """Line colours in the foreground, longest first. Pixels half-way to the background are left out of the colour estimate."""
    import cv2

    strong = (mask > 0) & (scene.distance > max(scene.threshold, 0.6 * float(np.percentile(scene.distance[mask > 0], 80)))) if mask.any() else mask > 0
    if strong.sum() < 30:
        return []
    centres = dominant_colours(scene.lab[strong], separation=separation, least_share=0.08)
    if len(centres) == 0:
        return []
    labels = nearest(scene.lab, centres)
    found = []
    for index in range(len(centres)):
        layer = np.where((mask > 0) & (labels == index), 255, 0).astype(np.uint8)
        core = strong & (labels == index)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(layer, connectivity=8)
        if count < 2 or core.sum() < 20:
            continue
        large = stats[1:, cv2.CC_STAT_AREA] >= 0.02 * stats[1:, cv2.CC_STAT_AREA].max()
        layer = np.where(np.isin(parts, np.nonzero(large)[0] + 1), 255, 0).astype(np.uint8)
        if not layer.any():
            continue
        ys, xs = np.nonzero(layer)
        name, _ = hue_name(np.median(scene.rgb[core], axis=0))
        found.append(Stroke(name, layer, float(max(np.ptp(xs), np.ptp(ys)) + 1)))
    return sorted(found, key=lambda stroke: -stroke.extent)


def course(mask: Mask) -> tuple[NDArray[np.float64], float]:
    """Middle height of the stroke in each column (NaN where there is none) and the share of columns with a single run."""
    height, width = mask.shape
    on = mask > 0
    count = on.sum(axis=0)
    rows = np.arange(height)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.where(count > 0, (on * rows).sum(axis=0) / np.maximum(count, 1), np.nan)
    starts = (on & ~np.vstack([np.zeros((1, width), bool), on[:-1]])).sum(axis=0)
    drawn = count > 0
    single = float((starts[drawn] == 1).mean()) if drawn.any() else 0.0
    return middle.astype(np.float64), single


def sign_changes(first: NDArray[np.float64], second: NDArray[np.float64], dead_zone: float) -> tuple[int, float]:
    """How often two courses swap sides, and the smallest clearance (in units of `dead_zone`) that decided it."""
    difference = _filled(first) - _filled(second)
    known = ~np.isnan(difference)
    values = difference[known]
    clear = values[np.abs(values) > dead_zone]
    if len(clear) == 0:
        return 0, 0.0
    signs = np.sign(clear)
    turns = int((signs[1:] != signs[:-1]).sum())
    # Each stretch on one side must reach away from the other line; the least such reach is what the count rests on.
    bounds = np.concatenate([[0], np.nonzero(signs[1:] != signs[:-1])[0] + 1, [len(clear)]])
    reach = min(float(np.abs(clear[a:b]).max()) for a, b in zip(bounds, bounds[1:], strict=False))
    return turns, reach / max(dead_zone, 1e-6)


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Short gaps (where the other line covers this one) are bridged; the ends stay NaN."""
    known = np.nonzero(~np.isnan(values))[0]
    if len(known) < 2:
        return values
    inside = np.arange(known[0], known[-1] + 1)
    result = np.full_like(values, np.nan)
    result[inside] = np.interp(inside, known, values[known])
    return result
