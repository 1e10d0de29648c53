"""How far a rectangular drawing is turned, and the picture turned back."""

from __future__ import annotations

import math

import numpy as np

from maestro.ensembles.vlms_are_blind.experts.backdrop import LEAST_SIDE, Mask, backdrop_of, common_colours, ink_mask
from maestro.experts.protocol import Pixels

_LEAST, _MOST = 0.2, 40.0
"""Degrees: less makes no difference, and near 45 nobody knows which lines are rows."""


def straightened(image: Pixels) -> Pixels | None:
    """The picture with its largest connected drawing turned upright; None when that stands upright or is too far turned.

    Which colour is the paper is not known: the commonest one that leaves a drawing which is turned.
    """
    for colour in common_colours(image):
        backdrop = backdrop_of(image, colour)
        degrees = _tilt(ink_mask(image, backdrop))
        if degrees is not None and _LEAST <= abs(degrees) <= _MOST:
            return _turned(image, degrees, tuple(float(value) for value in backdrop.colour))
    return None


def _tilt(ink: Mask) -> float | None:
    """Degrees from -45 to 45 by which the narrowest box about the most extended connected ink is turned, counter-clockwise in the array."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    label = 1 + max(range(count - 1), key=lambda place: int(stats[place + 1, 2]) * int(stats[place + 1, 3]))
    if min(stats[label, 2], stats[label, 3]) < LEAST_SIDE:
        return None
    ys, xs = np.nonzero(labels == label)
    _, _, degrees = cv2.minAreaRect(np.column_stack([xs, ys]).astype(np.float32))
    return float((degrees + 45.0) % 90.0 - 45.0)


def _turned(image: Pixels, degrees: float, paper: tuple[float, ...]) -> Pixels:
    """The picture turned about its middle by `degrees`, on a sheet that holds all of it."""
    import cv2

    height, width = image.shape[:2]
    cosine, sine = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    across, down = math.ceil(width * cosine + height * sine), math.ceil(width * sine + height * cosine)
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    turn[:, 2] += (across - width) / 2, (down - height) / 2
    turned = cv2.warpAffine(np.ascontiguousarray(image), turn, (across, down), flags=cv2.INTER_CUBIC, borderValue=paper)
    return np.asarray(turned, dtype=np.uint8)
