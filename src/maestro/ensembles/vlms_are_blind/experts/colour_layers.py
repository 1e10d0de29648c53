"""The colours that lines are drawn in, and one layer of pixels for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.vlms_are_blind.experts.backdrop import Backdrop, Mask, difference
from maestro.experts.protocol import Pixels

_RUN = 7
"""Pixels that a line must go on in one colour for the colour to count."""
_SHORT_RUN = 3
_NEAR = 70.0
"""How far a pixel may be from the colour of its layer, grey levels over all channels together."""
_SAME = 1.3
"""Strength against the paper up to which a colour on the same ray from it is the same one."""
_LEAST_SHARE = 0.006
"""Of all pixels in the middle of lines: how many a colour needs."""


@dataclass(frozen=True)
class Layer:
    """What is drawn in one colour."""

    colour: NDArray[np.float32]
    mask: Mask
    width: float
    """Usual width of its lines, pixels."""


def layers_of(image: Pixels, backdrop: Backdrop, ink: Mask) -> list[Layer]:
    """A layer for each colour of the lines in `ink`, the one with most pixels first."""
    import cv2

    core = _cores(image, backdrop, ink, _RUN)
    colours = _grouped(image[core].astype(np.float32), backdrop)
    if not colours:
        return []
    near = _nearest(image, ink, [*colours, backdrop.colour])
    # Corners and short pieces have no long run; once the colours are known, a shorter one will do.
    short = core | _cores(image, backdrop, ink, _SHORT_RUN)
    layers = []
    for index, colour in enumerate(colours):
        alike = near == index
        seed = (short & alike).astype(np.uint8)
        mask = (cv2.dilate(seed, np.ones((5, 5), np.uint8)) > 0) & alike
        mask = _without_specks(mask, seed > 0)
        if mask.any():
            layers.append(Layer(colour, mask, _width(mask)))
    return sorted(layers, key=lambda layer: -int(layer.mask.sum()))


def _cores(image: Pixels, backdrop: Backdrop, ink: Mask, run: int) -> Mask:
    """Pixels in the middle of a line: even colour along it for `run` pixels, and not fainter than those on either side."""
    import cv2

    away = difference(image, backdrop.colour)
    even = 14.0 + 3.0 * backdrop.grain
    found = np.zeros(ink.shape, dtype=bool)
    for across in (False, True):
        kernel = np.ones((run, 1) if across else (1, run), np.uint8)
        planes = cv2.split(cv2.subtract(cv2.dilate(image, kernel), cv2.erode(image, kernel)))
        spread = cv2.max(cv2.max(planes[0], planes[1]), planes[2])
        sides = np.roll(away, 1, axis=int(across)), np.roll(away, -1, axis=int(across))
        ridge = away >= np.maximum(*sides) - 0.5 * even
        found |= ink & (spread < even) & ridge
    return found


def _grouped(pixels: NDArray[np.float32], backdrop: Backdrop) -> list[NDArray[np.float32]]:
    """Colours that are common among `pixels` (n, 3) and apart from one another, each the median of its group."""
    reach = 34.0 + 3.0 * backdrop.grain
    least = max(8.0, _LEAST_SHARE * len(pixels))
    colours: list[NDArray[np.float32]] = []
    rest = pixels
    while len(rest) >= least and len(colours) < 24:
        keys = (rest.astype(np.int32) >> 3) @ np.array([1024, 32, 1])
        values, counts = np.unique(keys, return_counts=True)
        peak = np.median(rest[keys == values[counts.argmax()]], axis=0)
        inside = np.linalg.norm(rest - peak, axis=1) < reach
        if inside.sum() >= least:
            colours.append(np.asarray(np.median(rest[inside], axis=0), dtype=np.float32))
        rest = rest[~inside]
    return [colour for colour in colours if not _is_mixture(colour, colours, backdrop)]


def _is_mixture(colour: NDArray[np.float32], colours: list[NDArray[np.float32]], backdrop: Backdrop) -> bool:
    """Whether a colour is a commoner one with more paper in it, or a little less.

    As on the edge of a line; and the two pixels of a thin line that was drawn smoothly are seldom alike.
    """
    place = next(index for index, other in enumerate(colours) if other is colour)
    own = colour - backdrop.colour
    for stronger in colours[:place]:
        full = stronger - backdrop.colour
        share = float(own @ full) / float(full @ full)
        if 0.1 < share < _SAME and np.linalg.norm(own - share * full) < 14.0 + 2.0 * backdrop.grain:
            return True
    return False


def _nearest(image: Pixels, ink: Mask, colours: list[NDArray[np.float32]]) -> NDArray[np.int8]:
    """Index of the colour of each pixel of ink, -1 where none is near; shape (height, width)."""
    pixels = image[ink].astype(np.float32)
    away = np.stack([((pixels - colour) ** 2) @ np.ones(3, np.float32) for colour in colours])
    best = away.argmin(axis=0)
    near = np.full(ink.shape, -1, np.int8)
    near[ink] = np.where(away.min(axis=0) < _NEAR**2, best, -1)
    return near


def _without_specks(mask: Mask, seed: Mask) -> Mask:
    """The mask without pieces that have hardly any seed: mixtures along the edges of other lines."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    seeds = np.bincount(labels[seed], minlength=count)
    kept = (seeds >= 3) & (seeds > 0.12 * stats[:, 4])
    kept[0] = False
    return np.asarray(kept[labels], dtype=np.bool_)


def _width(mask: Mask) -> float:
    """Usual width of lines, pixels: a line of length l and width w has the area l * w and an outline of 2 * l."""
    outline = int((mask[1:] != mask[:-1]).sum() + (mask[:, 1:] != mask[:, :-1]).sum())
    return max(1.0, 2.0 * float(mask.sum()) / max(1, outline))


__all__ = ["Layer", "layers_of"]
