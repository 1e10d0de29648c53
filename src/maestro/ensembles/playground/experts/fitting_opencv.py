"""OpenCV model fitting: circles and arcs by random sample consensus, line segments by a detector, each with verified edge support."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.background import grain
from maestro.ensembles.playground.experts.circle_cover import Circle, cover, edges_of, merge_concentric, without_redundant
from maestro.ensembles.playground.experts.colours import hue_name
from maestro.ensembles.playground.experts.components import Blob, Mask, Shape, blobs, outline, solidity
from maestro.ensembles.playground.experts.contacts import contacts_of_circles
from maestro.ensembles.playground.experts.flat_mask import flat_mask
from maestro.ensembles.playground.experts.grid_lines import fit_comb
from maestro.ensembles.playground.experts.line_segments import grid_profiles, segments_of
from maestro.ensembles.playground.experts.silhouettes import sharpened
from maestro.ensembles.playground.experts.stray_strokes import without_strokes
from maestro.ensembles.playground.experts.templates import best_template
from maestro.experts.protocol import Pixels


class FittingOpenCv:
    """The expert `fitting-opencv`: sees through overlap, at the price of a flat background model."""

    def do_shapes(self, images: list[Pixels]) -> dict[str, Any]:
        """Lone convex blobs by their outline; every other blob as a cover of circles."""
        import cv2

        image = _smooth(images[0])
        height, width = image.shape[:2]
        mask, distance, clear = flat_mask(image)
        mask, _ = without_strokes(cv2.cvtColor(image.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), mask)
        least = max(30, round(0.0006 * height * width))
        found = [shape for blob in blobs(mask, least) for shape in _part(image, distance, blob)]
        return {"width": width, "height": height, "shapes": [shape.reply() for shape in found], "clarity": clear}

    def do_rings(self, images: list[Pixels]) -> dict[str, Any]:
        """Circles that cover the edges of the whole picture, stroke edges merged."""
        circles, explained = circles_in(images[0])
        weak = sum(1 for circle in circles if circle.support < 0.6)
        confidence = explained * (1.0 - 0.5 * weak / max(len(circles), 1))
        return {"count": len(circles), "circles": [circle.reply() for circle in circles], "confidence": confidence if circles else 0.0}

    def do_contacts(self, images: list[Pixels]) -> dict[str, Any]:
        """Gaps between fitted circles, each paired with its nearest."""
        circles, explained = circles_in(images[0])
        found = contacts_of_circles([circle for circle in circles if circle.support > 0.5], 1.5)
        return {**found, "confidence": found["confidence"] * (0.4 + 0.6 * explained)}

    def do_grid(self, images: list[Pixels]) -> dict[str, Any]:
        """Even combs fitted to the positions of straight segments along the two main directions."""
        import cv2

        grey = cv2.cvtColor(_smooth(images[0]), cv2.COLOR_RGB2GRAY)
        segments = segments_of(grey, 5.0)
        if len(segments) < 4:
            return {"rows": 0, "columns": 0, "confidence": 0.0}
        across, down, aligned = grid_profiles(segments)
        (rows, sure_rows), (columns, sure_columns) = fit_comb(across), fit_comb(down)
        return {"rows": rows, "columns": columns, "confidence": min(sure_rows, sure_columns) * aligned}


def circles_in(image: Pixels) -> tuple[list[Circle], float]:
    """Circles of an RGB picture, the two edges of a stroke merged, and the share of edge points they explain."""
    noise = grain(image)
    edges = edges_of(_smooth(image), 1.0 if noise < 4 else 1.6)
    if edges is None:
        return [], 0.0
    size = min(image.shape[:2])
    found, explained = cover(edges, max(5.0, 0.03 * size), 0.55 * size)
    return without_redundant(merge_concentric(found, 0.05 * size), edges), explained


def _smooth(image: Pixels) -> Pixels:
    import cv2

    noise = grain(image)
    return np.asarray(cv2.medianBlur(image, 3 if noise < 8 else 5), dtype=np.uint8) if noise > 1.5 else image


def _part(image: Pixels, distance: NDArray[np.float32], blob: Blob) -> list[Shape]:
    """One regular shape or several circles, whichever fits the blob's filled outline better; inner edges speak for circles."""
    solid = blob.filled
    kind, certain, fit = best_template(sharpened(distance, solid, blob.box))
    dense = solidity(outline(solid))
    inked = _inner_edges(image, blob)
    if fit > 0.86 and inked < 0.3 and (dense > 0.95 or kind in {"star", "cross"}):
        return [_whole(image, blob, kind, certain)]
    circles, explained = _circles_of_blob(image, blob)
    covered = _cover_fit(solid, blob.box, circles)
    if circles and covered > (0.8 if inked > 0.3 else fit):
        return [_disc(image, circle, min(explained + 0.2, covered)) for circle in circles]
    return [_whole(image, blob, kind, certain * 0.7)]


def _cover_fit(solid: Mask, box: tuple[int, int, int, int], circles: list[Circle]) -> float:
    """Overlap (intersection over union) of the filled outline with the union of the circles."""
    import cv2

    drawn = np.zeros_like(solid)
    for circle in circles:
        cv2.circle(drawn, (round(circle.x) - box[0], round(circle.y) - box[1]), max(1, round(circle.radius)), 255, -1)
    return float(((drawn > 0) & (solid > 0)).sum() / max(int(((drawn > 0) | (solid > 0)).sum()), 1))


def _inner_edges(image: Pixels, blob: Blob) -> float:
    """Length of edges well inside the blob relative to its outline: near zero for one flat shape."""
    import cv2

    left, top, right, bottom = blob.box
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    inside = cv2.erode(cv2.copyMakeBorder(blob.filled, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), np.ones((9, 9), np.uint8))[1:-1, 1:-1]
    edge = cv2.Canny(cv2.GaussianBlur(grey, (0, 0), 1.2), 25, 60)
    return float(((edge > 0) & (inside > 0)).sum() / max(len(outline(blob.filled)), 1))


def _circles_of_blob(image: Pixels, blob: Blob) -> tuple[list[Circle], float]:
    import cv2

    margin = 6
    left, top = max(0, blob.box[0] - margin), max(0, blob.box[1] - margin)
    region = np.ascontiguousarray(image[top : blob.box[3] + margin, left : blob.box[2] + margin])
    _blank_others(region, blob, blob.box[0] - left, blob.box[1] - top)
    edges = edges_of(region, 1.0)
    if edges is None:
        return [], 0.0
    size = min(image.shape[:2])
    span = max(blob.box[2] - blob.box[0], blob.box[3] - blob.box[1])
    widest = float(
        cv2.distanceTransform(cv2.copyMakeBorder(blob.filled, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), cv2.DIST_L2, 5).max()
    )
    found, explained = cover(edges, max(5.0, 0.03 * size, 0.25 * widest), 0.55 * span)
    merged = without_redundant(merge_concentric(found, 0.05 * size), edges)
    return [Circle(c.x + left, c.y + top, c.radius, c.support, c.fresh, c.angles) for c in merged], explained


def _blank_others(region: Pixels, blob: Blob, x: int, y: int) -> None:
    """Paint paper over what lies away from the blob, which stands at (x, y) of the region: a neighbour's arcs are not its own."""
    import cv2

    solid = np.zeros(region.shape[:2], dtype=np.uint8)
    solid[y : y + blob.mask.shape[0], x : x + blob.mask.shape[1]] = blob.filled
    near = cv2.dilate(solid, np.ones((9, 9), np.uint8)) > 0
    rim = near & (cv2.dilate(solid, np.ones((5, 5), np.uint8)) == 0)
    if rim.any():
        region[~near] = np.median(region[rim], axis=0).astype(np.uint8)


def _disc(image: Pixels, circle: Circle, explained: float) -> Shape:
    """A circle of the cover as a shape; its colour is read just inside the part of its edge that is seen."""
    angles = np.array(circle.angles or np.linspace(0, 2 * np.pi, 24))
    height, width = image.shape[:2]
    radii = np.array([0.66, 0.74, 0.82])[:, None] * circle.radius
    xs = np.clip(np.round(circle.x + radii * np.cos(angles)), 0, width - 1).astype(int)
    ys = np.clip(np.round(circle.y + radii * np.sin(angles)), 0, height - 1).astype(int)
    colour, sure = _mode_colour(image[ys, xs].reshape(-1, 3))
    box = (
        round(circle.x - circle.radius),
        round(circle.y - circle.radius),
        round(circle.x + circle.radius) + 1,
        round(circle.y + circle.radius) + 1,
    )
    confidence = min(1.0, circle.support / 0.7) * (0.4 + 0.6 * explained) * (0.5 + 0.5 * sure)
    return Shape("circle", colour, box, (circle.x, circle.y), float(np.pi * circle.radius**2), confidence)


def _mode_colour(pixels: NDArray[np.uint8]) -> tuple[str, float]:
    """The most frequent colour name among some pixels and its share."""
    names = [hue_name(pixel)[0] for pixel in pixels]
    best = max(sorted(set(names)), key=names.count)
    return best, names.count(best) / len(names)


def _whole(image: Pixels, blob: Blob, kind: str, certain: float) -> Shape:
    left, top, right, bottom = blob.box
    colour, sure = hue_name(np.median(image[top:bottom, left:right][blob.mask > 0], axis=0))
    return Shape(
        kind, colour, blob.box, ((left + right) / 2, (top + bottom) / 2), float((blob.filled > 0).sum()), 0.5 * certain + 0.5 * sure
    )
