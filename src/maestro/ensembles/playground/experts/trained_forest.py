"""A forest of randomised trees, trained on drawn blobs, that names what a flat threshold finds: one shape, several discs, a stroke."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from maestro.ensembles.playground.experts.blob_features import blob_features
from maestro.ensembles.playground.experts.colours import hue_name
from maestro.ensembles.playground.experts.components import Blob, Mask, Shape, blobs
from maestro.ensembles.playground.experts.contacts import Disc, paired_gaps
from maestro.ensembles.playground.experts.flat_mask import flat_mask
from maestro.ensembles.playground.experts.forest import Forest
from maestro.ensembles.playground.experts.forest_training import FOREST_FILE, GROUPS
from maestro.experts.protocol import Pixels


class TrainedForest:
    """The expert `trained-forest`: cheap, right where blobs look like those it was trained on."""

    @cached_property
    def forest(self) -> Forest:
        """The shipped forest, read on first use."""
        return Forest.load(FOREST_FILE)

    def do_shapes(self, images: list[Pixels]) -> dict[str, Any]:
        """Every blob by its most probable class; a group of discs counts as that many circles."""
        image = images[0]
        mask, clear = _cleaned(image)
        named = self._named(mask)
        shapes = [shape for blob, label, sure in named for shape in _shapes(image, blob, label, sure)]
        height, width = image.shape[:2]
        return {"width": width, "height": height, "shapes": [shape.reply() for shape in shapes], "clarity": clear}

    def do_contacts(self, images: list[Pixels]) -> dict[str, Any]:
        """A blob that looks like two discs is a pair in contact; lone discs pair with their nearest."""
        mask, _, clear = flat_mask(images[0])
        lone: list[Disc] = []
        gaps: list[float] = []
        sureness = []
        for blob, label, sure in self._named(mask):
            left, top, right, bottom = blob.box
            sureness.append(sure)
            if label in GROUPS:
                gaps += [-1.0] * ((GROUPS.index(label) + 2) // 2)
            elif label != "stroke":
                lone.append(((left + right - 1) / 2, (top + bottom - 1) / 2, float(np.sqrt((blob.filled > 0).sum() / np.pi))))
        gaps += [max(gap, 0.5) for gap in paired_gaps(lone)]
        return {"gaps": [round(gap, 2) for gap in gaps], "confidence": clear * min(sureness, default=0.0)}

    def _named(self, mask: Mask) -> list[tuple[Blob, str, float]]:
        """Blobs with class and probability."""
        found = blobs(mask, max(30, mask.size // 2500))
        if not found:
            return []
        probabilities = self.forest.predict(np.stack([blob_features(blob.filled, blob.area) for blob in found]))
        best = probabilities.argmax(axis=1)
        return [(blob, self.forest.classes[index], float(row[index])) for blob, index, row in zip(found, best, probabilities, strict=True)]


def _cleaned(image: Pixels) -> tuple[Mask, float]:
    """The flat foreground without thin strokes, unless there is nothing else, and how clear-cut it is."""
    import cv2

    mask, _, clear = flat_mask(np.asarray(cv2.medianBlur(image, 3), dtype=np.uint8))
    opened = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), dtype=np.uint8)
    outlines_only = (opened > 0).sum() < 0.1 * (mask > 0).sum()
    return (mask if outlines_only else opened), clear


def _shapes(image: Pixels, blob: Blob, label: str, sure: float) -> list[Shape]:
    if label == "stroke":
        return []
    left, top, right, bottom = blob.box
    colour, margin = hue_name(np.median(image[top:bottom, left:right][blob.mask > 0], axis=0))
    count, kind = (GROUPS.index(label) + 2, "circle") if label in GROUPS else (1, label)
    shape = Shape(kind, colour, blob.box, ((left + right) / 2, (top + bottom) / 2), blob.area / count, sure * (0.6 + 0.4 * margin))
    return [shape] * count
