"""What a drawing is drawn on: the paper's colour, its grain, and what differs from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from maestro.experts.protocol import Pixels

Mask = NDArray[np.bool_]
"""Shape (height, width)."""
LEAST_SIDE = 24
"""Pixels; nothing is looked for in a smaller picture."""


@dataclass(frozen=True)
class Backdrop:
    """The paper of one picture."""

    colour: NDArray[np.float32]
    """RGB, 0 to 255."""
    grain: float
    """Typical deviation of a paper pixel's worst channel, in grey levels."""

    @property
    def tolerance(self) -> float:
        """Grey levels by which a pixel must differ from the paper to be ink."""
        return max(22.0, 4.0 * self.grain)


def single_picture(images: list[Pixels], wanted: str) -> Pixels:
    """The one picture of a request. Raises ValueError when there is none, several, or it is too small for what is `wanted`."""
    if len(images) != 1:
        raise ValueError(f"{wanted} looks at exactly one picture; {len(images)} were given. Give one.")
    image = images[0]
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"{wanted} needs RGB pixels (height, width, 3), not an array of shape {image.shape}.")
    return image


def common_colours(image: Pixels, count: int = 2) -> list[NDArray[np.float32]]:
    """The `count` commonest colours that are well apart (RGB, most common first); fewer when the picture has fewer."""
    thinned = image[:: max(1, image.shape[0] // 512), :: max(1, image.shape[1] // 512)].reshape(-1, 3)
    keys = (thinned >> 4).astype(np.int32) @ np.array([256, 16, 1])
    tally = np.bincount(keys, minlength=4096)
    found: list[NDArray[np.float32]] = []
    for key in np.argsort(-tally, kind="stable"):
        if tally[key] == 0 or len(found) == count:
            break
        colour = np.median(thinned[keys == key], axis=0).astype(np.float32)
        if all(np.abs(colour - other).max() > 40 for other in found):
            found.append(colour)
    return found


def difference(image: Pixels, colour: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each pixel's worst channel is from a colour, grey levels, shape (height, width)."""
    away = np.abs(image[:, :, 0] - colour[0])
    for channel in (1, 2):  # plane by plane: numpy is slow at the maximum of an axis of three
        np.maximum(away, np.abs(image[:, :, channel] - colour[channel]), out=away)
    return np.asarray(away, dtype=np.float32)


def backdrop_of(image: Pixels, colour: NDArray[np.float32] | None = None) -> Backdrop:
    """The paper, taken to be the commonest colour unless one is given."""
    chosen = common_colours(image, 1)[0] if colour is None else colour
    away = difference(image, chosen)
    near = away[away < 40]
    return Backdrop(chosen, float(np.sqrt(np.mean(near**2))) if near.size else 0.0)


def ink_mask(image: Pixels, backdrop: Backdrop) -> Mask:
    """Everything that is not paper."""
    return difference(image, backdrop.colour) > backdrop.tolerance


def thin_kept(mask: Mask, longest: int) -> Mask:
    """The mask with its longer side at most `longest` pixels. Lines of one pixel stay whole, unlike in a picture made smaller."""
    import cv2

    height, width = mask.shape
    if max(height, width) <= longest:
        return mask
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Of a line of one pixel, `scale` wide, at least half lies in one pixel.
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.4 * scale, dtype=np.bool_)


def reduced(image: Pixels, longest: int) -> Pixels:
    """The picture with its longer side at most `longest` pixels."""
    import cv2

    height, width = image.shape[:2]
    if max(height, width) <= longest:
        return image
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def enlarged(image: Pixels, shortest: int) -> Pixels:
    """The picture, a small one doubled or trebled until its shorter side has `shortest` pixels: thin lines get an inside."""
    import cv2

    height, width = image.shape[:2]
    factor = min(3, -(-shortest // max(1, min(height, width))))
    if factor <= 1:
        return image
    return np.asarray(
        cv2.resize(np.ascontiguousarray(image), (width * factor, height * factor), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )
