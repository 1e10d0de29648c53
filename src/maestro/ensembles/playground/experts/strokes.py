"""Strokes of one colour: their pixels, their course as y over x (or x over y), and where two of them cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.background import Scene
from maestro.ensembles.playground.experts.colours import ANCHORS, hue_distance, hue_name
from maestro.ensembles.playground.experts.components import Mask
from maestro.ensembles.playground.experts.splitting import dominant_colours


@dataclass(frozen=True)
class Stroke:
    """All pixels of one line colour."""

    colour: str
    rgb: tuple[float, float, float]
    mask: Mask
    extent: float
    """Longer side of the bounding box in pixels."""


def strokes_of(scene: Scene, mask: Mask, separation: float = 20.0, least_share: float = 0.05) -> list[Stroke]:
    """Line colours in the foreground, longest first.

    A pixel at the rim of a stroke is a mix with the background, so each pixel is judged by the strongest one near it.
    """
    import cv2

    if (mask > 0).sum() < 30:
        return []
    lab, rgb = _ridge_colours(scene, mask)
    inside = mask > 0
    centres = dominant_colours(lab[inside], separation=separation, least_share=least_share)
    if len(centres) == 0:
        return []
    labels = _nearest_ray(lab, centres, scene)
    found = []
    for index in range(len(centres)):
        layer = np.where(inside & (labels == index), 255, 0).astype(np.uint8)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(layer, connectivity=8)
        if count < 2:
            continue
        areas = stats[1:, cv2.CC_STAT_AREA]
        large = np.nonzero(areas >= max(4.0, 0.03 * float(areas.max())))[0] + 1
        layer = np.where(np.isin(parts, large), 255, 0).astype(np.uint8)
        ys, xs = np.nonzero(layer)
        if len(xs) < 20:
            continue
        colour = np.median(rgb[layer > 0], axis=0)
        extent = float(max(np.ptp(xs), np.ptp(ys)) + 1)
        found.append(Stroke(hue_name(colour)[0], (float(colour[0]), float(colour[1]), float(colour[2])), layer, extent))
    return sorted(found, key=lambda stroke: -stroke.extent)


def _ridge_colours(scene: Scene, mask: Mask) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Lab and RGB of the pixel farthest from the background in each pixel's 5 x 5 neighbourhood, within the mask."""
    height, width = mask.shape
    strength = np.where(mask > 0, scene.distance, 0).astype(np.float32)
    padded = np.pad(strength, 2)
    best = strength.copy()
    source = np.arange(height * width).reshape(height, width)
    index = np.pad(source, 2)
    chosen = source.copy()
    for dy in range(5):
        for dx in range(5):
            value = padded[dy : dy + height, dx : dx + width]
            better = value > best
            best[better] = value[better]
            chosen[better] = index[dy : dy + height, dx : dx + width][better]
    return scene.lab.reshape(-1, 3)[chosen], scene.rgb.reshape(-1, 3)[chosen]


def _nearest_ray(lab: NDArray[np.float32], centres: NDArray[np.float32], scene: Scene) -> NDArray[np.int64]:
    """Index of the line colour that each pixel is a mix of: the nearest way from the background to a colour, full colours preferred."""
    offset, targets = lab - scene.surface, centres - np.median(scene.surface.reshape(-1, 3), axis=0)
    costs = []
    for target in targets:
        along = np.clip((offset @ target) / max(float(target @ target), 1e-6), 0.0, 1.15)
        away = np.linalg.norm(offset - along[..., None] * target, axis=-1)
        costs.append(away + 0.3 * np.clip(1.0 - along, 0.0, 1.0) * float(np.linalg.norm(target)))
    return np.asarray(np.stack(costs).argmin(axis=0))


def pick(strokes: Sequence[Stroke], names: Sequence[str]) -> list[Stroke]:
    """The strokes of the named colours: by name, and for a name without a stroke the nearest colour that no name claims."""
    chosen = {name: next((stroke for stroke in strokes if stroke.colour == name), None) for name in names}
    for name, stroke in chosen.items():
        free = [other for other in strokes if other.colour not in names and all(other is not taken for taken in chosen.values())]
        if stroke is None and free and name in ANCHORS:
            chosen[name] = min(free, key=lambda other: hue_distance(other.rgb, ANCHORS[name]))
    return [stroke for stroke in chosen.values() if stroke is not None]


def course(mask: Mask) -> tuple[NDArray[np.float64], float]:
    """Middle height of the stroke in each column (NaN where there is none) and the share of columns with a single run.

    In a column with several runs the one nearest to the columns before it counts.
    """
    width = mask.shape[1]
    on = mask > 0
    edges = np.diff(np.vstack([np.zeros((1, width), np.int8), on.astype(np.int8), np.zeros((1, width), np.int8)]), axis=0)
    middle = np.full(width, np.nan)
    single = drawn = 0
    last = np.nan
    for column in np.nonzero(on.any(axis=0))[0]:
        starts, ends = np.nonzero(edges[:, column] == 1)[0], np.nonzero(edges[:, column] == -1)[0]
        runs = (starts + ends - 1) / 2
        drawn += 1
        # A gap where another line covers this one leaves two runs close to each other: that is one run.
        if len(runs) == 1 or ends[-1] - starts[0] < 2.5 * (ends - starts).sum() + 4:
            single += 1
            last = float((starts[0] + ends[-1] - 1) / 2)
        else:
            last = float(runs[np.argmin(np.abs(runs - last))]) if not np.isnan(last) else float(runs[0])
        middle[column] = last
    return middle, single / max(drawn, 1)


def sign_changes(first: NDArray[np.float64], second: NDArray[np.float64], dead_zone: float) -> tuple[int, float]:
    """How often two courses swap sides, and the least reach to one side between swaps, in units of `dead_zone`."""
    difference = _filled(first) - _filled(second)
    values = difference[~np.isnan(difference)]
    clear = values[np.abs(values) > dead_zone]
    if len(clear) == 0:
        return 0, 0.0
    signs = np.sign(clear)
    turns = np.nonzero(signs[1:] != signs[:-1])[0] + 1
    bounds = [0, *turns.tolist(), len(clear)]
    reach = min(float(np.abs(clear[a:b]).max()) for a, b in pairwise(bounds))
    return len(turns), reach / max(dead_zone, 1e-6)


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaps (where the other line covers this one) are bridged; the ends stay NaN."""
    known = np.nonzero(~np.isnan(values))[0]
    if len(known) < 2:
        return values
    inside = np.arange(known[0], known[-1] + 1)
    result = np.full_like(values, np.nan)
    result[inside] = np.interp(inside, known, values[known])
    return result
