"""Frozen features of a picture: what a glance tells about light, colour, texture, lines and where things are.

All are computed at one size, so that they mean the same for large and small pictures; none is learned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maestro.errors import MissingDependency

Vector = NDArray[np.float32]
WIDTH, HEIGHT = 256, 192
_GRID = (6, 8)


def picture_vector(image: Image.Image | None) -> Vector:
    """Features of an RGB image, shape (SIZE,); zeros where there is no image."""
    if image is None:
        return np.zeros(SIZE, dtype=np.float32)
    small = np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), dtype=np.float32) / 255.0
    grey = small @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    parts = [
        _frame(image),
        _light(grey),
        _colour(small),
        _ground(small, grey),
        _texture(grey),
        _lines(grey),
        _grid(grey),
        _detail(image),
        _pieces(image),
    ]
    return np.nan_to_num(np.concatenate(parts).astype(np.float32))


def met_pictures(mean: Vector) -> bool:
    """Whether features with this mean are those of pictures, and not all of questions without any, whose features are zeros."""
    return bool(mean.any())


def _frame(image: Image.Image) -> Vector:
    """Shape and size."""
    return np.array([image.width / image.height / 4, np.log2(image.width) / 12, np.log2(image.height) / 12], dtype=np.float32)


def _light(grey: Vector) -> Vector:
    """Percentiles of brightness, and its slope across the picture (shading)."""
    rows, columns = grey.mean(axis=1), grey.mean(axis=0)
    slopes = [columns[-32:].mean() - columns[:32].mean(), rows[-32:].mean() - rows[:32].mean()]
    return np.concatenate([np.percentile(grey, [1, 5, 25, 50, 75, 95, 99]), [grey.std()], slopes]).astype(np.float32)


def _colour(small: Vector) -> Vector:
    """Histogram over 4 x 4 x 4 colours, and how colourful the picture is."""
    bins = np.clip((small * 4).astype(int), 0, 3)
    index = bins[..., 0] * 16 + bins[..., 1] * 4 + bins[..., 2]
    histogram = np.bincount(index.ravel(), minlength=64) / index.size
    spread = small.max(axis=2) - small.min(axis=2)
    used = float((histogram > 0.002).sum()) / 16
    return np.concatenate([np.sqrt(histogram), np.percentile(spread, [25, 50, 75, 90, 99]), [used]]).astype(np.float32)


def _ground(small: Vector, grey: Vector) -> Vector:
    """Colour and evenness of the border, and how much of the picture differs from it by how much."""
    border = np.concatenate(
        [small[:6].reshape(-1, 3), small[-6:].reshape(-1, 3), small[:, :6].reshape(-1, 3), small[:, -6:].reshape(-1, 3)]
    )
    ground = np.median(border, axis=0)
    distance = np.abs(small - ground).max(axis=2)
    shares = [float((distance > limit).mean()) for limit in (0.03, 0.06, 0.1, 0.2, 0.35, 0.6)]
    inside = distance > 0.15
    ink = grey[inside]
    contrast = [float(ink.mean() - grey[~inside].mean()), float(ink.std())] if 10 < inside.sum() < inside.size else [0.0, 0.0]
    return np.array([*ground, *border.std(axis=0), *shares, *contrast], dtype=np.float32)


def _texture(grey: Vector) -> Vector:
    """Noise (median absolute Laplacian), its quantiles, and energy in rings of the spectrum."""
    laplacian = np.abs(4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:])
    spectrum = np.abs(np.fft.rfft2(grey - grey.mean())) ** 2
    fy = np.fft.fftfreq(grey.shape[0])[:, None]
    fx = np.fft.rfftfreq(grey.shape[1])[None, :]
    ring = np.minimum((np.hypot(fy, fx) * 2 * 16).astype(int), 15)
    energy = np.log1p(np.bincount(ring.ravel(), weights=spectrum.ravel(), minlength=16)) / 12
    peak = np.log1p(spectrum.max()) / 16
    return np.concatenate([np.percentile(laplacian, [10, 50, 75, 90, 97]) * 8, energy[:16], [peak]]).astype(np.float32)


def _lines(grey: Vector) -> Vector:
    """Histogram of edge directions by strength (tilt shows as a shifted peak), and edge density."""
    gx = grey[1:-1, 2:] - grey[1:-1, :-2]
    gy = grey[2:, 1:-1] - grey[:-2, 1:-1]
    strength = np.hypot(gx, gy)
    angle = np.mod(np.arctan2(gy, gx), np.pi)
    histogram = np.bincount(np.minimum((angle / np.pi * 36).astype(int), 35).ravel(), weights=strength.ravel(), minlength=36)
    total = histogram.sum() or 1.0
    density = [float((strength > limit).mean()) for limit in (0.05, 0.1, 0.2, 0.4)]
    return np.concatenate([np.sqrt(histogram / total), density]).astype(np.float32)


def _grid(grey: Vector) -> Vector:
    """Where things are: brightness spread and edges in each of 6 x 8 cells."""
    rows, columns = _GRID
    cells = grey.reshape(rows, HEIGHT // rows, columns, WIDTH // columns).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    steps = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    edges = steps.reshape(rows, HEIGHT // rows, columns, WIDTH // columns).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
    return np.concatenate([cells.std(axis=1), edges.mean(axis=1) * 8]).astype(np.float32)


def _detail(image: Image.Image) -> Vector:
    """Sharpness and grain at the picture's own size, from its middle and its corner."""
    grey = np.asarray(image.convert("L"), dtype=np.float32) / 255.0
    height, width = grey.shape
    parts = [grey[height // 4 : height // 4 + 160, width // 4 : width // 4 + 160], grey[:48, :48]]
    values: list[float] = []
    for part in parts:
        steps = np.abs(np.diff(part, axis=1)) if part.shape[1] > 1 else np.zeros((1, 1), dtype=np.float32)
        values += [float(steps.mean()) * 8, float(np.median(steps)) * 16, float((steps > 0.2).mean()), float(part.std())]
    return np.array(values, dtype=np.float32)


def _opencv() -> Any:
    """OpenCV, loaded when a picture is first looked at. Raises MissingDependency."""
    try:
        import cv2
    except ModuleNotFoundError as error:
        message = "the picture's features need OpenCV; install it with: pip install 'maestro-orchestrator[playground]'"
        raise MissingDependency(message) from error
    return cv2


def _pieces(image: Image.Image) -> Vector:
    """Sizes of what stands out from its surroundings: how high letters and marks are in pixels, how many, how thick, how strong.

    A reader's chance depends on the height and contrast of the letters more than on anything else.
    """
    cv2 = _opencv()
    grey = np.asarray(image.convert("L"))
    apart = cv2.absdiff(grey, cv2.blur(grey, (31, 31), borderType=cv2.BORDER_REPLICATE))
    _, mask = cv2.threshold(apart, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    pieces = stats[1:count]
    pieces = pieces[pieces[:, cv2.CC_STAT_AREA] >= 4]
    if not len(pieces):
        return np.zeros(_PIECES, dtype=np.float32)
    heights, widths = pieces[:, cv2.CC_STAT_HEIGHT].astype(np.float32), pieces[:, cv2.CC_STAT_WIDTH].astype(np.float32)
    areas = pieces[:, cv2.CC_STAT_AREA].astype(np.float32)
    by_count = np.histogram(heights, bins=_HEIGHTS)[0] / len(heights)
    by_area = np.histogram(heights, bins=_HEIGHTS, weights=areas)[0] / areas.sum()
    thick = np.median(areas / np.maximum(heights, widths))
    marks = mask > 0
    rest = [
        np.log2(len(pieces)) / 8,
        np.log2(np.median(heights)) / 6,
        np.log2(np.median(widths / heights)) / 4,
        np.log2(thick) / 4,
        float(apart[marks].mean()) / 128,
        float(apart[~marks].mean()) / 32 if (~marks).any() else 0.0,
        float(marks.mean()),
    ]
    return np.concatenate([np.sqrt(by_count), np.sqrt(by_area), rest]).astype(np.float32)


_HEIGHTS = (0, 3, 5, 7, 9, 12, 15, 20, 27, 40, 64, 128, 100_000)
_PIECES = 2 * (len(_HEIGHTS) - 1) + 7
SIZE = sum((3, 10, 70, 14, 22, 40, 96, 8, _PIECES))
"""Length of `picture_vector`."""
