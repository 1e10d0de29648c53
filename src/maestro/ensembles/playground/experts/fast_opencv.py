"""OpenCV with fixed thresholds: a few milliseconds a picture, right on flat, separate shapes over something like white paper."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.colours import ANCHORS, anchor_name, saturation_of
from maestro.ensembles.playground.experts.components import Blob, Mask, Shape, blobs, corner_kind, outline, solidity
from maestro.ensembles.playground.experts.contacts import contacts_in_mask
from maestro.ensembles.playground.experts.frames import frames_in, smallest_group
from maestro.ensembles.playground.experts.grid_lines import count_runs
from maestro.ensembles.playground.experts.headings import skewed_axis
from maestro.ensembles.playground.experts.links import joined_to, middle, part_by_thickness, touched
from maestro.experts.protocol import Pixels

PAPER = 215
"""A pixel whose darkest channel is below this is ink."""
VIVID = 90
"""A pixel whose channels differ by more than this is coloured."""


def ink(image: Pixels) -> Mask:
    """Everything that is not nearly white."""
    return np.where(image.min(axis=2) < PAPER, 255, 0).astype(np.uint8)


def clarity(image: Pixels) -> float:
    """How little of the picture lies close to the fixed threshold, 0..1: one on clean paper, low on tint and grain."""
    darkest = image.min(axis=2)
    doubtful = float(((darkest > PAPER - 50) & (darkest < PAPER + 10)).mean())
    covered = float((darkest < PAPER).mean())
    return float(np.clip(1.0 - 4.0 * doubtful - max(0.0, 2.0 * (covered - 0.6)), 0.05, 1.0))


class FastOpenCv:
    """The expert `fast-opencv`."""

    def do_shapes(self, images: list[Pixels]) -> dict[str, Any]:
        """Connected blobs of ink, named by their corners and the nearest anchor colour."""
        image = images[0]
        shapes = [_named(image, blob.filled, blob.mask, blob.box) for blob in blobs(ink(image), 25)]
        height, width = image.shape[:2]
        return {"width": width, "height": height, "shapes": [shape.reply() for shape in shapes], "clarity": clarity(image)}

    def do_rings(self, images: list[Pixels]) -> dict[str, Any]:
        """Rings by counting holes: n rings in a chain enclose 2n - 1 regions."""
        import cv2

        image = images[0]
        mask = ink(image)
        count = 0
        for blob in blobs(mask, 60):
            outlines, levels = cv2.findContours(blob.mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
            inner = [c for c, level in zip(outlines, levels[0], strict=True) if level[3] >= 0 and cv2.contourArea(c) > 12]
            count += (len(inner) + 1) // 2
        return {"count": count, "confidence": 0.8 * clarity(image)}

    def do_contacts(self, images: list[Pixels]) -> dict[str, Any]:
        """Gaps between paired discs of ink; one blob of two is a contact."""
        image = images[0]
        found = contacts_in_mask(ink(image), max(40, image.shape[0] * image.shape[1] // 1500))
        return {**found, "confidence": found["confidence"] * clarity(image)}

    def do_grid(self, images: list[Pixels]) -> dict[str, Any]:
        """Rows and columns of dark, upright lines."""
        image = images[0]
        dark = np.where(image.mean(axis=2) < 150, 255, 0).astype(np.uint8)
        counts = [count_runs(dark, share) for share in (0.55, 0.7)]
        return {"rows": counts[0][0], "columns": counts[0][1], "confidence": (0.9 if counts[0] == counts[1] else 0.4) * clarity(image)}

    def do_crossings(self, images: list[Pixels], colours: list[str] | None = None) -> dict[str, Any]:
        """Places where the two commonest anchor colours (or the two named) are next to each other."""
        import cv2

        image = images[0]
        names = _anchor_map(image)
        mask = ink(image) > 0
        wanted = [colour for colour in colours or [] if colour in ANCHORS]
        if len(wanted) < 2:
            tally = np.bincount(names[mask], minlength=len(ANCHORS))
            wanted = [list(ANCHORS)[index] for index in np.argsort(-tally)[:2]]
        kernel = np.ones((5, 5), np.uint8)
        first, second = (
            cv2.dilate(np.where(mask & (names == list(ANCHORS).index(name)), 255, 0).astype(np.uint8), kernel) for name in wanted
        )
        meeting = blobs(np.asarray(cv2.bitwise_and(first, second)), 4)
        return {"count": len(meeting), "confidence": 0.8 * clarity(image)}

    def do_pie(self, images: list[Pixels]) -> dict[str, Any]:
        """Shares of the anchor colours among all ink, legend and labels included."""
        image = images[0]
        mask = ink(image)
        names = _anchor_map(image)[mask > 0]
        tally = np.bincount(names, minlength=len(ANCHORS)).astype(float)
        tally[list(ANCHORS).index("black")] = tally[list(ANCHORS).index("white")] = 0.0
        total = max(float(tally.sum()), 1.0)
        slices = [
            {"colour": name, "share": round(float(tally[index] / total), 4)}
            for index, name in enumerate(ANCHORS)
            if tally[index] > 0.015 * total
        ]
        return {"slices": sorted(slices, key=lambda part: -float(str(part["share"]))), "confidence": 0.7 * clarity(image)}

    def do_frame(self, images: list[Pixels], colour: str | None = None) -> dict[str, Any]:
        """The most complete rectangle among vivid pixels, of the named anchor colour if one is named."""
        image = images[0]
        vivid = saturation_of(image) > VIVID
        if colour in ANCHORS:
            vivid = vivid & (_anchor_map(image) == list(ANCHORS).index(colour))
        frames = frames_in(np.where(vivid, 255, 0).astype(np.uint8))
        if not frames:
            return {"box": None, "confidence": 0.0}
        sure = frames[0].sides * (1.0 if len(frames) == 1 else 0.6)
        return {"box": list(frames[0].inner), "confidence": sure, "colour": colour}

    def do_smallest(self, images: list[Pixels]) -> dict[str, Any]:
        """The lowest group of ink, neighbours within a few pixels joined."""
        image = images[0]
        found = smallest_group(ink(image))
        return {"box": None, "confidence": 0.0} if found is None else {"box": list(found), "confidence": 0.7 * clarity(image)}

    def do_heading(self, images: list[Pixels]) -> dict[str, Any]:
        """The long axis of the largest blob, by where its mass lies."""
        image = images[0]
        found = blobs(ink(image), 40)
        if not found:
            return {"degrees": None, "confidence": 0.0}
        degrees, sure = skewed_axis(max(found, key=lambda blob: blob.area).filled)
        return {"degrees": round(degrees, 1), "confidence": sure * clarity(image)}

    def do_routes(self, images: list[Pixels], stations: list[str]) -> dict[str, Any]:
        """Anchor colours whose thin ink comes near both stations."""
        image = images[0]
        names = _anchor_map(image)
        mask = ink(image)
        work = part_by_thickness(mask, 13, 150)
        ends = [_of_colour(image, work.markers, station) for station in stations]
        if ends[0] is None or ends[1] is None:
            return {"count": None, "lines": 0, "confidence": 0.0}
        layers = [np.where((work.thin > 0) & (names == index), 255, 0).astype(np.uint8) for index in range(len(ANCHORS))]
        lines = [layer for layer in layers if int((layer > 0).sum()) > 0.06 * image.shape[1]]
        joining = [layer for layer in lines if all(touched(layer, end, 5) >= 3 for end in ends if end is not None)]
        return {"count": len(joining), "lines": len(lines), "confidence": 0.7 * clarity(image)}

    def do_path(self, images: list[Pixels], start: str = "black") -> dict[str, Any]:
        """The marker at the other end of the thin ink that hangs together with the start dot."""
        image = images[0]
        work = part_by_thickness(ink(image), 9, 60)
        origin = _of_colour(image, work.markers, start)
        if origin is None:
            return {"end": None, "confidence": 0.0}
        line = joined_to(work.thin, origin, 2)
        reached = [(touched(line, marker, 4), marker) for marker in work.markers if marker is not origin]
        count, best = max(reached, key=lambda pair: pair[0], default=(0, None))
        if best is None or count < 3:
            return {"end": None, "confidence": 0.0}
        colour, margin = _colour_of(image, best)
        x, y = middle(best)
        rivals = sum(1 for other, _ in reached if other >= 3)
        return {"end": colour, "at": [round(x), round(y)], "confidence": clarity(image) * (0.6 + 0.4 * margin) / rivals}


def _colour_of(image: Pixels, blob: Blob) -> tuple[str, float]:
    left, top, right, bottom = blob.box
    return anchor_name(np.median(image[top:bottom, left:right][blob.mask > 0], axis=0))


def _of_colour(image: Pixels, markers: list[Blob], colour: str) -> Blob | None:
    """The largest marker of an anchor colour."""
    return max((marker for marker in markers if _colour_of(image, marker)[0] == colour), key=lambda marker: marker.area, default=None)


def _anchor_map(image: Pixels) -> NDArray[np.uint8]:
    """Index into ANCHORS of the nearest anchor for each pixel, to 8 grey levels."""
    red, green, blue = (image[:, :, channel] >> 3 for channel in range(3))
    return np.asarray(_anchor_table()[red, green, blue], dtype=np.uint8)


@lru_cache(maxsize=1)
def _anchor_table() -> NDArray[np.uint8]:
    """Nearest anchor of every colour on a lattice of 32 levels a channel."""
    levels = np.arange(32) * 8 + 4
    lattice = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).astype(np.float32)
    distances = [((lattice - np.array(anchor, dtype=np.float32)) ** 2).sum(axis=-1) for anchor in ANCHORS.values()]
    return np.asarray(np.stack(distances).argmin(axis=0), dtype=np.uint8)


def _named(image: Pixels, solid: Mask, mask: Mask, box: tuple[int, int, int, int]) -> Shape:
    left, top, right, bottom = box
    contour = outline(solid)
    kind, certain = corner_kind(contour)
    if solidity(contour) < 0.9 and kind != "star":
        certain *= 0.5
    colour, margin = anchor_name(np.median(image[top:bottom, left:right][mask > 0], axis=0))
    centre = ((left + right) / 2, (top + bottom) / 2)
    return Shape(kind, colour, box, centre, float((solid > 0).sum()), certain * (0.6 + 0.4 * margin))
