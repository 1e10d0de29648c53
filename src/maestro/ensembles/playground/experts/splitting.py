"""Blobs into shapes: touching ones are parted by their colours, then by the distance transform."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.background import Scene
from maestro.ensembles.playground.experts.colours import hue_name
from maestro.ensembles.playground.experts.components import Blob, Mask, Shape, blobs, outline, solidity
from maestro.ensembles.playground.experts.silhouettes import sharpened
from maestro.ensembles.playground.experts.stray_strokes import without_strokes
from maestro.ensembles.playground.experts.templates import template_kind


def shapes_of(scene: Scene, mask: Mask) -> list[Shape]:
    """Every shape in the foreground, touching ones parted."""
    height, width = mask.shape
    least = max(30, round(0.0006 * height * width))
    solid, strokes = without_strokes(scene.lab, mask)
    painted = [blob for blob in blobs(solid, least) if blob.area >= 0.6 * (blob.filled > 0).sum()]
    found: list[Shape]
    if painted:
        found = [shape for blob in painted for shape in _painted(scene, blob, blob.filled, least, strokes)]
    else:
        found = [shape for blob in blobs(mask, least) for shape in _drawn(scene, blob, blob.filled, least)]
    return _without_specks(found)


def _drawn(scene: Scene, blob: Blob, solid: Mask, least: int) -> list[Shape]:
    """Shapes that are outlines only: the filled outline is the shape, parted by width when it is not convex."""
    colour, sure = colour_of(scene, blob.mask, blob.box)
    return [_shape(scene, part, blob.box, colour, sure, ring=True) for part in _part_by_width(solid, least)]


def _painted(scene: Scene, blob: Blob, solid: Mask, least: int, strokes: NDArray[np.float32] | None) -> list[Shape]:
    """Filled shapes: parts of one colour first, dark outlines ignored, then parts of one width."""
    found: list[Shape] = []
    for part in _part_by_colour(scene, blob, solid, least, strokes):
        colour, sure = colour_of(scene, part, blob.box)
        found.extend(_shape(scene, piece, blob.box, colour, sure, ring=False) for piece in _part_by_width(part, least))
    return found


def colour_of(scene: Scene, mask: Mask, box: tuple[int, int, int, int]) -> tuple[str, float]:
    """Name of the median colour well inside the mask (cut to `box`), and how sure."""
    import cv2

    left, top, right, bottom = box
    region = scene.rgb[top:bottom, left:right]
    inner = cv2.erode(mask, np.ones((3, 3), np.uint8))
    inside = inner > 0 if (inner > 0).sum() >= 12 else mask > 0
    strong = scene.distance[top:bottom, left:right]
    # On thin strokes the rim is a mix with the background: take the pixels farthest from it.
    chosen = inside & (strong >= np.percentile(strong[inside], 40))
    return hue_name(np.median(region[chosen], axis=0))


def _part_by_colour(scene: Scene, blob: Blob, solid: Mask, least: int, strokes: NDArray[np.float32] | None) -> list[Mask]:
    import cv2

    left, top, right, bottom = blob.box
    inside = solid > 0
    core = cv2.erode(solid, np.ones((3, 3), np.uint8)) > 0
    pixels = scene.lab[top:bottom, left:right][core]
    if len(pixels) < 2 * least:
        return [solid]
    centres = dominant_colours(pixels)
    if strokes is not None and len(centres) > 1:
        # What is left of stray strokes across a shape belongs to the shape.
        centres = centres[np.linalg.norm(centres - strokes, axis=1) > 20.0]
    if len(centres) < 2:
        return [solid]
    labels = nearest(scene.lab[top:bottom, left:right], centres)
    labels[~inside] = -1
    parts: list[Mask] = []
    for index in range(len(centres)):
        layer = np.where(labels == index, 255, 0).astype(np.uint8)
        layer = cv2.morphologyEx(layer, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
        for part in blobs(layer, least):
            whole = np.zeros_like(solid)
            x0, y0, x1, y1 = part.box
            whole[y0:y1, x0:x1] = part.filled
            parts.append(whole)
    parts = _outermost(parts)
    covered = sum(int((part > 0).sum()) for part in parts)
    return parts if parts and covered > 0.35 * inside.sum() else [solid]


def _outermost(parts: list[Mask]) -> list[Mask]:
    """Drop a part that is a thin frame around others, or that lies inside a bigger one of nearly its size."""
    kept: list[Mask] = []
    for part in sorted(parts, key=lambda p: int((p > 0).sum()), reverse=True):
        area = int((part > 0).sum())
        if any(((part > 0) & (other > 0)).sum() > 0.9 * area and area > 0.45 * (other > 0).sum() for other in kept):
            continue
        kept.append(part)
    return kept


def dominant_colours(lab: NDArray[np.float32], separation: float = 17.0, least_share: float = 0.06) -> NDArray[np.float32]:
    """Cluster centres in Lab, shape (n, 3): the most common colour first, each at least `separation` from the others."""
    sample = lab[:: max(1, len(lab) // 4000)]
    remaining = sample
    centres: list[NDArray[np.float32]] = []
    while len(remaining) >= max(8, least_share * len(sample)) and len(centres) < 8:
        cells, counts = np.unique(np.round(remaining / 7).astype(np.int32), axis=0, return_counts=True)
        centre = (cells[counts.argmax()] * 7).astype(np.float32)
        for _ in range(3):
            near = np.linalg.norm(remaining - centre, axis=1) < separation * 0.6
            if not near.any():
                break
            centre = np.median(remaining[near], axis=0).astype(np.float32)
        near = np.linalg.norm(remaining - centre, axis=1) < separation
        if near.sum() >= least_share * len(sample) and all(np.linalg.norm(centre - other) >= separation for other in centres):
            centres.append(centre)
        if not near.any():
            break
        remaining = remaining[~near]
    return np.array(centres, dtype=np.float32).reshape(-1, 3)


def nearest(lab: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    """Index of the nearest centre for each pixel."""
    return np.asarray(np.linalg.norm(lab[..., None, :] - centres, axis=-1).argmin(axis=-1))


def _part_by_width(solid: Mask, least: int) -> list[Mask]:
    """Watershed on the distance transform when the outline is neither convex nor one regular star or cross."""
    import cv2

    contour = outline(solid)
    dense = solidity(contour)
    if dense > 0.93 or (dense < 0.82 and template_kind(solid)[0] in {"star", "cross"}):
        return [solid]
    distance = cv2.distanceTransform(cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), cv2.DIST_L2, 5)[1:-1, 1:-1]
    seeds = _peaks(distance)
    if len(seeds) < 2:
        return [solid]
    markers = np.zeros(solid.shape, dtype=np.int32)
    for index, (x, y, radius) in enumerate(seeds, start=2):
        cv2.circle(markers, (x, y), max(1, round(0.35 * radius)), index, -1)
    markers[solid == 0] = 1
    relief = cv2.cvtColor((255 - np.clip(distance / distance.max() * 255, 0, 255)).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    markers = cv2.watershed(relief, markers)
    parts = [np.where(markers == index, 255, 0).astype(np.uint8) for index in range(2, len(seeds) + 2)]
    parts = [part for part in parts if (part > 0).sum() >= least]
    return parts if len(parts) > 1 else [solid]


def _peaks(distance: NDArray[np.float32]) -> list[tuple[int, int, float]]:
    """Maxima (x, y, height) that are separated from every higher one by a neck clearly narrower than themselves."""
    import cv2

    relief = cv2.GaussianBlur(distance, (0, 0), 1.0)
    highest = float(relief.max())
    top = cv2.dilate(relief, np.ones((5, 5), np.uint8))
    ys, xs = np.nonzero((relief >= top - 1e-6) & (relief > 0.35 * highest))
    order = np.argsort(-relief[ys, xs])
    kept: list[tuple[int, int, float]] = []
    for x, y in zip(xs[order], ys[order], strict=True):
        height = float(relief[y, x])
        if all(_neck(relief, (int(x), int(y)), (other[0], other[1])) < 0.84 * height for other in kept):
            kept.append((int(x), int(y), height))
    return kept


def _neck(relief: NDArray[np.float32], start: tuple[int, int], end: tuple[int, int]) -> float:
    """Lowest width on the straight way between two peaks."""
    steps = max(2, round(float(np.hypot(start[0] - end[0], start[1] - end[1]))))
    xs = np.round(np.linspace(start[0], end[0], steps)).astype(int)
    ys = np.round(np.linspace(start[1], end[1], steps)).astype(int)
    return float(relief[ys, xs].min())


def _shape(scene: Scene, part: Mask, box: tuple[int, int, int, int], colour: str, sure: float, *, ring: bool) -> Shape:
    ys, xs = np.nonzero(part)
    left, top = box[0] + int(xs.min()), box[1] + int(ys.min())
    right, bottom = box[0] + int(xs.max()) + 1, box[1] + int(ys.max()) + 1
    kind, certain = template_kind(part if ring else sharpened(scene.distance, part, box))
    confidence = 0.5 * sure + 0.5 * certain
    centre = (box[0] + float(xs.mean()), box[1] + float(ys.mean()))
    return Shape("ring" if ring and kind == "circle" else kind, colour, (left, top, right, bottom), centre, float(len(xs)), confidence)


def _without_specks(shapes: list[Shape]) -> list[Shape]:
    """Leave out what is tiny beside the rest (grain, crumbs of a neighbour's outline)."""
    if not shapes:
        return shapes
    typical = float(np.median(sorted((shape.area for shape in shapes), reverse=True)[: max(3, len(shapes) // 2)]))
    return [shape for shape in shapes if shape.area >= 0.05 * typical]
