"""Foreground against one flat paper colour: cheap, and blind to gradients and texture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.components import Mask
from maestro.experts.protocol import Pixels


def flat_mask(image: Pixels) -> tuple[Mask, NDArray[np.float32], float]:
    """Mask of what differs from the rim's median colour by a share of Otsu's level, the Lab distances, and how clear-cut it is (0..1)."""
    import cv2

    lab = cv2.cvtColor(image.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    rim = np.concatenate([lab[:6].reshape(-1, 3), lab[-6:].reshape(-1, 3), lab[:, :6].reshape(-1, 3), lab[:, -6:].reshape(-1, 3)])
    paper = np.median(rim, axis=0)
    distance = np.linalg.norm(lab - paper, axis=2)
    level, _ = cv2.threshold(np.clip(distance * 2, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    limit = max(9.0, 0.25 * level)
    mask = np.where(distance > limit, 255, 0).astype(np.uint8)
    spread = float(np.percentile(np.linalg.norm(rim - paper, axis=1), 80))
    return mask, np.asarray(distance, dtype=np.float32), float(np.clip(1.3 - spread / limit, 0.1, 1.0))
