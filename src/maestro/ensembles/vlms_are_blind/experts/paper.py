"""What is drawn and what it is drawn on: the paper's colour, and how far every pixel is from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.experts.protocol import Pixels

_LEAST_SIDE = 16
_FAINT = 14.0
"""Colour distances (RGB, 0..441) below this are no ink, however clean the picture."""

_ENOUGH = 600_000
"""Pixels that tell the paper's colour; of pictures with more, every second (third, ...) row and column is taken."""


@dataclass(frozen=True)
class Ink:
    """A picture as depths over its paper."""

    paper: NDArray[np.float32]
    """Colour of the paper, RGB, shape (3,)."""
    depth: NDArray[np.float32]
    """Euclidean RGB distance of each pixel from the paper, shape (height, width)."""
    threshold: float
    """Depth from which a pixel is inked: above the grain, and a fraction of what is usual in the drawing."""
    usual: float
    """Depth of the fainter strokes at full coverage: from here on a pixel is surely covered."""
    grain: float
    """Standard deviation of the paper's colour."""

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Which pixels are inked."""
        return np.asarray(self.depth > self.threshold)

    @property
    def coverage(self) -> NDArray[np.float32]:
        """Depth scaled so that 0 is paper and 1 is surely covered."""
        return np.asarray(np.clip(self.depth / self.usual, 0.0, 1.0), dtype=np.float32)


def ink_of(image: Pixels) -> Ink | None:
    """The ink of an RGB picture, shape (height, width, 3). None when the picture is too small or nothing is drawn on it."""
    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < _LEAST_SIDE:
        return None
    colours = image.astype(np.float32)
    paper = _paper(image)
    offset = colours - paper
    depth = np.sqrt(np.einsum("ijk,ijk->ij", offset, offset))
    near = depth < 40.0
    grain = float(np.sqrt(np.mean(depth[near] ** 2) / 3.0)) if near.any() else 0.0
    return _with_levels(paper, depth, grain)


def edge_ink(image: Pixels) -> Ink | None:
    """The outlines of flat areas as ink: strength of the colour's change instead of distance from the paper. None when nothing is drawn."""
    import cv2

    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < _LEAST_SIDE:
        return None
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.8)
    along = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=0.25)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=0.25)
    strength = np.sqrt((along**2 + down**2).sum(axis=2))
    quiet = strength[strength < 20.0]
    grain = float(np.sqrt(np.mean(quiet**2) / 3.0)) if quiet.size else 0.0
    return _with_levels(_paper(image), strength, grain)


def _paper(image: Pixels) -> NDArray[np.float32]:
    """The most frequent colour, pixels near the border counting as much together as all others. Large pictures are looked at in part."""
    import cv2

    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / _ENOUGH)))
    image = np.ascontiguousarray(image[::step, ::step])
    height, width = image.shape[:2]
    margin = max(1, round(0.04 * min(height, width)))
    red, green, blue = (image[..., channel].astype(np.uint16) >> 4 for channel in range(3))
    code = (red << 8) | (green << 4) | blue
    inner = code[margin:-margin, margin:-margin]
    everywhere, within = (np.bincount(part.ravel(), minlength=4096) for part in (code, inner))
    border = everywhere - within
    share = max(1.0, inner.size / max(code.size - inner.size, 1))
    best = int((within + share * border).argmax())
    start = np.median(_some(image[code == best]), axis=0).astype(np.int16)
    near = cv2.inRange(image, np.clip(start - 23, 0, 255).astype(np.float64), np.clip(start + 23, 0, 255).astype(np.float64))
    return np.asarray(np.median(_some(image[near > 0]), axis=0), dtype=np.float32)


def _some(colours: Pixels) -> NDArray[np.float32]:
    """At most some thousands of many colours (n, 3), evenly spread: enough for a median."""
    return colours[:: max(1, len(colours) // 20_000)].astype(np.float32)


def _with_levels(paper: NDArray[np.float32], depth: NDArray[np.float32], grain: float) -> Ink | None:
    """Choose the thresholds from the depths on the crests of what is drawn."""
    import cv2

    floor = max(_FAINT, 6.0 * grain)
    highest = cv2.dilate(depth, np.ones((5, 5), np.uint8))
    crests = depth[(depth >= highest) & (depth > floor)]
    if crests.size < 12:
        return None
    usual = max(float(np.percentile(crests, 20)), 0.25 * float(np.percentile(crests, 90)))
    return Ink(paper, depth.astype(np.float32), max(floor, 0.4 * usual), usual, grain)
