"""Backgrounds: flat, graded and patterned."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image

from maestro.ensembles.playground.tasks.drawing import RGB


def flat(size: tuple[int, int], colour: RGB) -> Image.Image:
    """One colour everywhere."""
    return Image.new("RGB", size, colour)


def gradient(rng: random.Random, size: tuple[int, int], first: RGB, second: RGB) -> Image.Image:
    """A linear blend from `first` to `second` in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1])
    share = ((np.cos(angle) * x[None, :] + np.sin(angle) * y[:, None]) / 1.42 + 1) / 2
    low, high = np.array(first, dtype=np.float32), np.array(second, dtype=np.float32)
    return _as_image(low + (high - low) * share[:, :, None])


def pattern(rng: random.Random, size: tuple[int, int], paper: RGB, strength: float) -> Image.Image:
    """Stripes, checks, dots or blotches around a paper colour; `strength` is the swing in grey levels."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    kind = rng.choice(("stripes", "checks", "dots", "blotches"))
    period, angle = rng.uniform(9, 26), rng.uniform(0, np.pi)
    turned = np.cos(angle) * x + np.sin(angle) * y
    across = -np.sin(angle) * x + np.cos(angle) * y
    if kind == "stripes":
        swing = np.sign(np.sin(2 * np.pi * turned / period)) * 0.5
    elif kind == "checks":
        swing = np.sign(np.sin(2 * np.pi * turned / period) * np.sin(2 * np.pi * across / period)) * 0.5
    elif kind == "dots":
        swing = (np.cos(2 * np.pi * turned / period) + np.cos(2 * np.pi * across / period) > 1.0) * 1.0 - 0.2
    else:
        noise = np.random.Generator(np.random.PCG64(rng.getrandbits(63)))
        coarse = noise.standard_normal((height // 12 + 2, width // 12 + 2)).astype(np.float32)
        swing = np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)) * 0.45
    colour = np.array(paper, dtype=np.float32) - strength * 0.3
    return _as_image(colour + strength * swing[:, :, None] * np.array([1.0, 0.95, 0.85], dtype=np.float32))


def framed(rng: random.Random, size: tuple[int, int], paper: RGB, margin: RGB) -> Image.Image:
    """A sheet of `paper` on a margin of another colour, as wide as 5 to 8 % of the picture's height."""
    width = round(size[1] * rng.uniform(0.05, 0.08))
    image = Image.new("RGB", size, margin)
    image.paste(paper, (width, width, size[0] - width, size[1] - width))
    return image


def _as_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
