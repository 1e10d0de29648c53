"""Which pixels belong to which line: ink sorted by colour, independent of how much of a pixel a thin line covers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.vlms_are_blind.experts.paper import Ink
from maestro.experts.protocol import Pixels

_APART = 0.3
"""Features at least this far apart are two colours: an angle of 17 degrees between hues, or as much in depth."""
_MOST_COLOURS = 8
_NAMED: dict[str, tuple[int, int, int]] = {
    "red": (230, 30, 30), "blue": (30, 60, 230), "green": (30, 150, 50), "orange": (250, 140, 20), "purple": (130, 40, 150),
    "black": (0, 0, 0), "grey": (128, 128, 128), "gray": (128, 128, 128), "yellow": (240, 220, 30), "cyan": (20, 200, 220),
    "magenta": (230, 20, 230), "pink": (250, 130, 180), "brown": (140, 80, 40), "teal": (0, 128, 128), "white": (255, 255, 255),
}  # fmt: skip


@dataclass(frozen=True)
class ColouredInk:
    """The ink of one colour."""

    colour: tuple[int, int, int]
    """RGB at full coverage."""
    mask: NDArray[np.bool_]
    extent: int
    """Longer side in pixels of what it draws."""


def colours_of(image: Pixels, ink: Ink) -> list[ColouredInk]:
    """The colours that lines are drawn in, those that reach farthest first."""
    import cv2

    features, magnitude = _features(image, ink)
    highest = cv2.dilate(ink.depth, np.ones((3, 3), np.uint8))
    crest = ink.mask & (ink.depth >= 0.8 * highest)
    rows, columns = np.nonzero(crest)
    if len(rows) < 20:
        return []
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), 6000)).astype(np.intp)
    centres = _centres(features[rows[chosen], columns[chosen]])
    inked = np.nonzero(ink.mask)
    owner = np.linalg.norm(features[inked][:, None, :] - centres[None], axis=2).argmin(axis=1)
    labels = np.full(ink.mask.shape, -1, dtype=np.int8)
    labels[inked] = owner
    found = [_coloured(image, labels == index, magnitude) for index in range(len(centres))]
    return sorted((one for one in found if one is not None), key=lambda one: -one.extent)


def named_colours(text: str) -> list[str]:
    """Colour words of a question, in order."""
    words = "".join(letter if letter.isalpha() else " " for letter in text.lower()).split()
    return [word for word in dict.fromkeys(words) if word in _NAMED]


def choose_two(found: list[ColouredInk], names: list[str]) -> list[ColouredInk]:
    """The two colours that are asked about: by name where two are named and more are drawn, else those that reach farthest."""
    most = max((int(one.mask.sum()) for one in found), default=0)
    long = [one for one in found if one.extent >= 0.3 * found[0].extent and one.mask.sum() >= 0.15 * most]
    if len(long) <= 2 or len(names) < 2:
        return (long if len(long) >= 2 else found)[:2]
    chosen: list[ColouredInk] = []
    for name in names[:2]:
        rest = [one for one in long if one not in chosen]
        if rest:
            chosen.append(min(rest, key=lambda one: _difference(one.colour, _NAMED[name])))
    return chosen


def _features(image: Pixels, ink: Ink) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Direction away from the paper's colour and, weighed less, depth of the nearest full coverage; shape (height, width, 4)."""
    import cv2

    offset = image.astype(np.float32) - ink.paper
    # Chroma of compressed pictures is coarse and thin lines are faint: neighbours on the same line have a say.
    offset = cv2.GaussianBlur(offset * ink.mask[..., None], (0, 0), 1.0)
    direction = offset / np.maximum(np.linalg.norm(offset, axis=2, keepdims=True), 1e-6)
    magnitude = cv2.dilate(ink.depth, np.ones((5, 5), np.uint8))
    return np.concatenate([direction, (magnitude / 441.0 * 0.9)[..., None]], axis=2).astype(np.float32), magnitude


def _centres(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centres of the clusters of features: the fullest neighbourhood first, each then taken out; shape (colours, 4)."""
    left = features
    centres: list[NDArray[np.float32]] = []
    while len(left) > 0.03 * len(features) and len(centres) < _MOST_COLOURS:
        probes = left[np.linspace(0, len(left) - 1, min(len(left), 200)).astype(np.intp)]
        near = np.linalg.norm(left[None, :, :] - probes[:, None, :], axis=2) < _APART / 2
        centre = left[near[int(near.sum(axis=1).argmax())]].mean(axis=0)
        apart = np.linalg.norm(left - centre, axis=1)
        if all(np.linalg.norm(centre - other) > _APART for other in centres):
            centres.append(centre)
        left = left[apart > _APART]
    return np.stack(centres)


def _coloured(image: Pixels, mask: NDArray[np.bool_], magnitude: NDArray[np.float32]) -> ColouredInk | None:
    """One colour's ink without specks; None when only specks are left."""
    import cv2

    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    extent = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    # A crossing near a line's end leaves a short piece beyond it. It is as wide as the line; mixtures along an edge are thinner.
    inside = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    depth = np.bincount(labels[mask], weights=inside[mask], minlength=count)[1:] / stats[1:, cv2.CC_STAT_AREA]
    usual = float(depth[extent.argmax()])
    piece = (extent >= max(6.0, 8.0 * usual - 5.0)) & (depth > 0.75 * usual)
    kept = np.concatenate([[False], (extent >= max(4, 0.04 * extent.max())) | piece])
    clean = kept[labels]
    rows, columns = np.nonzero(clean)
    if not len(rows):
        return None
    colour = np.median(image[clean & (magnitude >= np.median(magnitude[clean]))], axis=0)
    longest = int(max(np.ptp(rows), np.ptp(columns))) + 1
    return ColouredInk((int(colour[0]), int(colour[1]), int(colour[2])), np.asarray(clean), longest)


def _difference(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Distance of two colours, hue counting more than brightness."""
    a, b = np.array(one, dtype=float), np.array(other, dtype=float)
    return float(np.linalg.norm((a - a.mean()) - (b - b.mean())) + 0.4 * abs(a.mean() - b.mean()))
