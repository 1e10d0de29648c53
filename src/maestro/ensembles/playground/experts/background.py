"""The robust expert's first look: denoise, model the background as a smooth surface, and measure how far each pixel is from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask


@dataclass(frozen=True)
class Scene:
    """A denoised picture with its background taken off."""

    rgb: NDArray[np.uint8]
    """Denoised."""
    lab: NDArray[np.float32]
    """CIE Lab of `rgb`, L 0..100."""
    surface: NDArray[np.float32]
    """Lab of the modelled background at each pixel."""
    distance: NDArray[np.float32]
    """Lab distance of each pixel from the modelled background, shortened along directions in which the background itself varies."""
    noise: float
    """Standard deviation of the grain in grey levels of the picture as given."""
    residual: float
    """Typical Lab distance of background pixels from the model."""
    threshold: float
    """Lab distance above which a pixel is foreground."""
    background: tuple[float, float, float]
    """Median RGB of the background."""

    @property
    def mask(self) -> Mask:
        """Foreground before any morphology."""
        return np.where(self.distance > self.threshold, 255, 0).astype(np.uint8)

    @property
    def clarity(self) -> float:
        """How well the foreground stands off the background, 0..1: the share of pixels that are not near the threshold."""
        near = np.abs(self.distance - self.threshold) < 0.35 * self.threshold
        foreground = max(float((self.distance > self.threshold).mean()), 1e-3)
        return float(np.clip(1.0 - 0.5 * near.mean() / foreground, 0.2, 1.0))


def grain(image: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise in grey levels, from second differences where the picture is flat."""
    import cv2

    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    second = cv2.filter2D(grey, cv2.CV_32F, np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32))
    return float(np.median(np.abs(second)) / 0.6745 / 6.0)


def denoise(image: NDArray[np.uint8], noise: float, *, thin: bool) -> NDArray[np.uint8]:
    """Smooth by as much as the noise asks for; `thin` keeps strokes of two pixels alive."""
    import cv2

    if noise < 1.0:
        return image
    if thin:
        return np.asarray(cv2.bilateralFilter(image, 5, 12 + 4 * noise, 2.0), dtype=np.uint8)
    smooth = cv2.medianBlur(image, 3 if noise < 4 else 5)
    return np.asarray(cv2.bilateralFilter(smooth, 7, 10 + 3 * noise, 3.0), dtype=np.uint8)


def look(image: NDArray[np.uint8], *, thin: bool = False) -> Scene:
    """Model the background of an RGB picture; `thin` for drawings made of lines."""
    import cv2

    noise = grain(image)
    smooth = denoise(image, noise, thin=thin)
    lab = np.asarray(cv2.cvtColor(smooth.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), dtype=np.float32)
    surface, covariance = background_surface(lab)
    distance = _whitened(lab - surface, covariance)
    residual = float(np.sqrt(np.trace(covariance)))
    threshold = float(np.clip(_otsu(distance) * 0.55, 8.5, 20.0))
    flat = distance < threshold
    median = np.median(smooth[flat], axis=0) if flat.any() else np.median(smooth.reshape(-1, 3), axis=0)
    return Scene(smooth, lab, surface, distance, noise, residual, threshold, (float(median[0]), float(median[1]), float(median[2])))


def background_surface(lab: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """A second-degree surface per channel (same shape as `lab`) and the 3x3 covariance of the background around it (grain, texture).

    Fitted to the rim first and then to everything that agrees with it.
    """
    height, width = lab.shape[:2]
    step = max(1, round(max(height, width) / 110))
    small = lab[::step, ::step].astype(np.float64)
    rows, columns = np.mgrid[0:height:step, 0:width:step]
    y, x = rows / height - 0.5, columns / width - 0.5
    basis = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1).reshape(-1, 6)
    values = small.reshape(-1, 3)
    chosen = _rim(small.shape[:2]).reshape(-1)
    # Shapes may cross the rim: begin with its most common colour.
    start = np.median(values[chosen], axis=0)
    near = np.linalg.norm(values - start, axis=1) < 22.0
    if (chosen & near).sum() > 0.4 * chosen.sum():
        chosen = chosen & near
    weights = np.zeros((6, 3))
    for widest in (24.0, 18.0, 14.0, 14.0):
        ridge = np.diag([0.0, 1.0, 1.0, 4.0, 4.0, 4.0]) * 1e-3 * chosen.sum()
        part = basis[chosen]
        weights = np.linalg.solve(part.T @ part + ridge, part.T @ values[chosen])
        distance = np.linalg.norm(values - basis @ weights, axis=1)
        tolerance = float(np.clip(2.6 * np.median(distance[chosen]), 8.0, widest))
        agreeing = distance < tolerance
        if agreeing.sum() < 60:
            break
        chosen = agreeing
    covariance = np.cov((values - basis @ weights)[chosen].T)
    grid_y, grid_x = np.mgrid[0:height, 0:width].astype(np.float32)
    v, u = grid_y / height - 0.5, grid_x / width - 0.5
    full = np.stack([np.ones_like(u), u, v, u * v, u * u, v * v], axis=-1)
    return np.asarray(full @ weights.astype(np.float32), dtype=np.float32), np.asarray(covariance, dtype=np.float64)


def _whitened(residual: NDArray[np.float32], covariance: NDArray[np.float64], floor: float = 2.5) -> NDArray[np.float32]:
    """Length of each residual in units where the background's own spread is `floor` in every direction; plain length on flat paper."""
    spread = covariance + floor**2 * np.eye(3)
    root = np.linalg.cholesky(np.linalg.inv(spread)) * floor
    return np.asarray(np.linalg.norm(residual @ root.astype(np.float32), axis=2), dtype=np.float32)


def deskew_angle(mask: Mask, limit_degrees: float = 12.0) -> tuple[float, float]:
    """Rotation (degrees, counter-clockwise) that makes the strokes of `mask` upright, and how sharply it shows (0..1).

    Tries angles and keeps the one under which row and column sums are most uneven.
    """
    import cv2

    height, width = mask.shape
    scale = min(1.0, 320.0 / max(height, width))
    small = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else mask
    ys, xs = np.nonzero(small > 64)
    if len(xs) < 20:
        return 0.0, 0.0
    scores: dict[float, float] = {}

    def sharpness(degrees: float) -> float:
        if degrees not in scores:
            angle = np.deg2rad(degrees)
            along = np.round(xs * np.cos(angle) + ys * np.sin(angle)).astype(int)
            across = np.round(-xs * np.sin(angle) + ys * np.cos(angle)).astype(int)
            sums = [np.bincount(line - line.min()).astype(np.float64) for line in (along, across)]
            scores[degrees] = float(sum((line**2).sum() for line in sums))
        return scores[degrees]

    coarse = max(np.arange(-limit_degrees, limit_degrees + 0.1, 1.0), key=lambda d: sharpness(float(d)))
    fine = max(np.arange(coarse - 0.9, coarse + 0.91, 0.1), key=lambda d: sharpness(round(float(d), 2)))
    peak = sharpness(round(float(fine), 2))
    ordinary = float(np.median(list(scores.values())))
    return float(fine), float(np.clip(1.5 * (1.0 - ordinary / peak), 0.0, 1.0))


def rotate(image: NDArray[np.uint8], degrees: float, fill: tuple[float, ...]) -> NDArray[np.uint8]:
    """Turn the picture so that strokes lying at `degrees` (as `deskew_angle` gives) become upright."""
    import cv2

    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill)
    return np.asarray(turned, dtype=np.uint8)


def _rim(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The outer five per cent of a picture of this shape."""
    height, width = shape[:2]
    margin = max(2, round(0.05 * min(height, width)))
    rim = np.ones((height, width), dtype=bool)
    rim[margin:-margin, margin:-margin] = False
    return rim


def _otsu(distance: NDArray[np.float32]) -> float:
    import cv2

    level, _ = cv2.threshold(np.clip(distance * 2.0, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(level) / 2.0
