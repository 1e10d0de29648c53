"""The frame in which a helper sees an image, and boxes from that frame on the image itself.

Qwen2.5-VL models (DeepEyes and Perception-R1 are such) give boxes in pixels of the picture after their processor has resized it.
They are sent a picture that the processor has no reason to resize, so that the frame is known here: both sides are multiples of 28
and the area is inside the processor's default bounds.
"""

from __future__ import annotations

import math
from typing import Any

from PIL import Image

from maestro.skills.region import Box

_STEP = 28
"""Pixels of a side that become one visual token."""
_LEAST_PIXELS = 56 * 56
_MOST_PIXELS = 16384 * _STEP * _STEP
_MOST_LOPSIDED = 200.0
"""The processor refuses pictures whose sides differ more than this."""

Size = tuple[int, int]
"""Width and height in pixels."""


def frame_size(size: Size) -> Size:
    """Size of the frame for an image of `size`. Raises ValueError for an image that the processor would refuse."""
    width, height = size
    if max(size) / min(size) > _MOST_LOPSIDED:
        raise ValueError(f"an image of {width}x{height} pixels is too narrow")
    framed = max(_STEP, round(width / _STEP) * _STEP), max(_STEP, round(height / _STEP) * _STEP)
    area = framed[0] * framed[1]
    if area > _MOST_PIXELS:
        shrink = math.sqrt(width * height / _MOST_PIXELS)
        return max(_STEP, int(width / shrink / _STEP) * _STEP), max(_STEP, int(height / shrink / _STEP) * _STEP)
    if area < _LEAST_PIXELS:
        grow = math.sqrt(_LEAST_PIXELS / (width * height))
        return math.ceil(width * grow / _STEP) * _STEP, math.ceil(height * grow / _STEP) * _STEP
    return framed


def framed(image: Image.Image) -> Image.Image:
    """The image as a helper is sent it. Raises ValueError as `frame_size` does."""
    size = frame_size(image.size)
    return image if size == image.size else image.resize(size, Image.Resampling.BICUBIC)


def box_on_image(corners: Any, frame: Size, image: Size) -> Box:
    """A box that a helper gave in its frame, in pixels of the image: corners put in order, scaled, cut at the edges.

    `corners` is whatever the helper's JSON held; (left, top, right, bottom) comes back. Raises ValueError when it is not four
    finite numbers or nothing of the box lies inside the image.
    """
    if not isinstance(corners, list) or len(corners) != 4:
        raise ValueError("a box is a list of four numbers")
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one) for one in corners):
        raise ValueError("a box has finite numbers only")
    across, down = image[0] / frame[0], image[1] / frame[1]
    left, right = sorted((corners[0] * across, corners[2] * across))
    top, bottom = sorted((corners[1] * down, corners[3] * down))
    inside = max(0, math.floor(left)), max(0, math.floor(top)), min(image[0], math.ceil(right)), min(image[1], math.ceil(bottom))
    if inside[2] - inside[0] < 2 or inside[3] - inside[1] < 2:
        raise ValueError(f"the box {[round(one) for one in corners]} has nothing inside the {frame[0]}x{frame[1]} picture")
    return inside
