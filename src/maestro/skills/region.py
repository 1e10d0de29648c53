"""Regions of an image as a policy writes them: `left,top,right,bottom` in pixels."""

from __future__ import annotations

import re

from PIL import Image

_REGION = re.compile(r"\s*\[?\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*,\s*(\d{1,5})\s*\]?\s*")
SMALLEST_SIDE = 160
"""A crop is enlarged until its longer side has at least this many pixels."""

Box = tuple[int, int, int, int]


def parse_region(text: str) -> Box | None:
    """The box in `text`, or None when `text` is anything else."""
    match = _REGION.fullmatch(text)
    return (int(match[1]), int(match[2]), int(match[3]), int(match[4])) if match else None


def clip(box: Box, image: Image.Image) -> Box:
    """The part of `box` inside `image`. Raises ValueError when nothing of it is."""
    left, top, right, bottom = box
    inside = (max(0, left), max(0, top), min(image.width, right), min(image.height, bottom))
    if inside[2] - inside[0] < 2 or inside[3] - inside[1] < 2:
        raise ValueError(f"the region {left},{top},{right},{bottom} lies outside the {image.width}x{image.height} image")
    return inside


def enlargement(box: Box, smallest_side: int = SMALLEST_SIDE, most: float = 4.0) -> float:
    """How much a crop of `box` is enlarged: up to `most` times, never shrunk."""
    return max(1.0, min(most, smallest_side / max(box[2] - box[0], box[3] - box[1])))
