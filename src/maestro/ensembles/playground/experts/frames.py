"""Rectangular frames drawn in one colour: the blob whose four sides are there and whose inside is mostly free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask, blobs


@dataclass(frozen=True)
class Frame:
    """A frame's inner box (left, top, right, bottom; pixels) and how completely its sides are drawn (0..1)."""

    inner: tuple[int, int, int, int]
    sides: float
    colour: str = ""
    rgb: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def reply(self) -> dict[str, Any]:
        """As JSON."""
        return {"box": list(self.inner), "confidence": round(self.sides, 3), "colour": self.colour}


def frames_in(mask: Mask, least_side: int = 12) -> list[Frame]:
    """Frames among the blobs of `mask`, most complete first."""
    found = []
    for blob in blobs(mask, 4 * least_side):
        left, top, right, bottom = blob.box
        width, height = right - left, bottom - top
        if min(width, height) < least_side:
            continue
        frame = _measure(blob.mask, blob.box)
        if frame is not None:
            found.append(frame)
    return sorted(found, key=lambda frame: -frame.sides)


def smallest_group(mask: Mask, gap: int = 7, margin: int = 4) -> tuple[int, int, int, int] | None:
    """Box, with a margin, around the lowest group of marks; marks within `gap` pixels belong together. None on an empty mask."""
    import cv2

    joined = np.asarray(cv2.dilate(mask, np.ones((gap, 2 * gap + 1), np.uint8)), dtype=np.uint8)
    groups = [group for group in blobs(joined, 30) if min(group.box[2] - group.box[0], group.box[3] - group.box[1]) > gap + 2]
    if not groups:
        return None
    left, top, right, bottom = min(groups, key=lambda group: (group.box[3] - group.box[1]) * (group.box[2] - group.box[0])).box
    height, width = mask.shape
    edge_x, edge_y = gap - margin, gap // 2 - margin
    return max(0, left + edge_x), max(0, top + edge_y), min(width, right - edge_x), min(height, bottom - edge_y)


def _measure(mask: Mask, box: tuple[int, int, int, int]) -> Frame | None:
    on = mask > 0
    height, width = on.shape
    depth = max(2, round(0.2 * min(height, width)))
    # The frame may be a little tilted: a side is there where any of its first pixels is drawn.
    sides = (
        on[:depth].any(axis=0).mean(),
        on[-depth:].any(axis=0).mean(),
        on[:, :depth].any(axis=1).mean(),
        on[:, -depth:].any(axis=1).mean(),
    )
    middle = on[depth:-depth, depth:-depth]
    if min(sides) < 0.75 or (middle.size and middle.mean() > 0.35):
        return None
    insets = [_inset(view, depth) for view in (on, on[::-1], on.T, on.T[::-1])]
    left, top, right, bottom = box
    inner = (left + insets[2], top + insets[0], right - insets[3], bottom - insets[1])
    if inner[2] - inner[0] < 5 or inner[3] - inner[1] < 5:
        return None
    return Frame(inner, float(np.mean(sides)) * (1.0 - 0.5 * float(middle.mean() if middle.size else 0.0)))


def _inset(on: NDArray[np.bool_], depth: int) -> int:
    """Rows from the top until the stroke is over, judged in the middle three fifths."""
    core = on[:depth, round(0.2 * on.shape[1]) : max(round(0.8 * on.shape[1]), 1)]
    share = core.mean(axis=1)
    drawn = np.nonzero(share > 0.3)[0]
    return int(drawn.max()) + 1 if len(drawn) else 1
