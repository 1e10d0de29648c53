"""Names of colours: by nearest fixed anchor (cheap, exact palettes only) or by ranges of hue, saturation and value (robust)."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ANCHORS: dict[str, tuple[int, int, int]] = {
    "red": (220, 40, 40),
    "orange": (245, 140, 30),
    "yellow": (245, 210, 40),
    "green": (40, 160, 70),
    "cyan": (40, 190, 200),
    "blue": (40, 80, 200),
    "purple": (130, 60, 180),
    "pink": (240, 120, 180),
    "brown": (130, 80, 40),
    "black": (20, 20, 20),
    "gray": (128, 128, 128),
    "white": (255, 255, 255),
}
"""One RGB anchor per name; what the fast expert compares with."""

_HUES: tuple[tuple[float, str], ...] = (
    (13, "red"),
    (42, "orange"),
    (66, "yellow"),
    (163, "green"),
    (196, "cyan"),
    (254, "blue"),
    (294, "purple"),
    (343, "pink"),
    (361, "red"),
)
"""Upper end of each hue range in degrees."""


def anchor_name(rgb: Sequence[float] | NDArray[np.floating]) -> tuple[str, float]:
    """Nearest anchor in plain RGB distance and a margin in 0..1 (0: two anchors are equally near)."""
    colour = np.asarray(rgb, dtype=np.float64)
    distances = sorted((float(np.linalg.norm(colour - np.array(anchor))), name) for name, anchor in ANCHORS.items())
    (first, name), (second, _) = distances[0], distances[1]
    return name, (second - first) / max(second + first, 1e-6)


def hue_name(rgb: Sequence[float] | NDArray[np.floating]) -> tuple[str, float]:
    """Name by hue range, with gray, brown and pink told by saturation and value, and a margin in 0..1 to the range's end."""
    red, green, blue = (float(channel) / 255.0 for channel in rgb)
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    hue *= 360.0
    chroma = saturation * value
    if value < 0.22 or (value < 0.32 and chroma < 0.08):
        return "black", min(1.0, 0.4 + 4 * max(0.0, 0.27 - value))
    if chroma < 0.10 or (saturation < 0.16 and chroma < 0.15):
        name = "white" if value > 0.86 else "gray"
        return name, min(1.0, 0.3 + 6 * max(0.0, 0.14 - chroma))
    return _chromatic_name(hue, saturation, value)


def _chromatic_name(hue: float, saturation: float, value: float) -> tuple[str, float]:
    upper = next(index for index, (end, _) in enumerate(_HUES) if hue < end)
    name = _HUES[upper][1]
    lower_end = _HUES[upper - 1][0] if upper else -17.0
    margin = min(hue - lower_end, _HUES[upper][0] - hue) / 12.0
    if name in {"red", "orange"} and hue < 300 and 8 < hue <= 45 and value < 0.68:
        return "brown", min(1.0, 0.35 + 2 * (0.68 - value))
    if name == "red" and saturation < 0.62 and value > 0.8 and (hue > 335 or hue < 8):
        return "pink", min(1.0, 0.3 + 2 * (0.62 - saturation))
    return name, float(min(1.0, 0.35 + max(0.0, margin)))


def saturation_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Chroma (largest minus smallest channel) of an RGB image, shape (height, width)."""
    return np.asarray(image.max(axis=2) - image.min(axis=2), dtype=np.uint8)


def hue_distance(first: Sequence[float], second: Sequence[float]) -> float:
    """Distance of two RGB colours in which lightness hardly counts: for telling which of a few colours a name means."""
    a, b = np.array(first, dtype=np.float64), np.array(second, dtype=np.float64)
    return float(np.linalg.norm((a - a.mean()) - (b - b.mean())) + abs(a.mean() - b.mean()) / 3)
