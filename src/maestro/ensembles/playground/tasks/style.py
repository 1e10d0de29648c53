"""How pictures look: colours, fonts, surfaces to draw on and what happens to the finished drawing.

Two styles exist. `TRAIN` draws every split but one; `SHIFTED` draws `test-shifted` with fonts and shades that no other
split contains, and adds tints, rotation, blur, noise and JPEG blocks of its own.
"""

from __future__ import annotations

import io
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from maestro.ensembles.playground.tasks.drawing import RGB, Canvas
from maestro.ensembles.playground.tasks.fonts import SHIFTED_FONTS, TRAIN_FONTS, Fonts
from maestro.ensembles.playground.tasks.grounds import flat, framed, gradient, pattern
from maestro.ensembles.playground.tasks.palette import SHIFTED_SHADES, TRAIN_SHADES, luminance, mix

SurfaceKind = Literal["plain", "tinted", "textured", "coarse", "shaded", "faint", "dark", "noisy", "tilted", "framed"]


@dataclass(frozen=True)
class Finish:
    """What is done to the finished drawing, in this order: tilt, light, blur, specks, noise, JPEG."""

    tilt: float = 0.0
    """Degrees anticlockwise."""
    light: float = 0.0
    """Share of light lost on the darker side."""
    blur: float = 0.0
    """Radius in pixels."""
    specks: int = 0
    """Number of stray dark or light dots."""
    noise: float = 0.0
    """Standard deviation in grey levels."""
    jpeg: int = 0
    """JPEG quality; 0 leaves the pixels alone."""


@dataclass(frozen=True)
class Surface:
    """What a drawing starts on: the background pixels, its mean colour, an ink that shows on it, and the finish."""

    kind: SurfaceKind
    ground: Image.Image
    papers: tuple[RGB, ...]
    """The background's mean colour, then its extremes if it is not even."""
    ink: RGB
    finish: Finish

    @property
    def paper(self) -> RGB:
        """The background's mean colour."""
        return self.papers[0]

    def canvas(self, scale: int = 2) -> Canvas:
        """A canvas on this background."""
        return Canvas(self.ground, scale)


@dataclass(frozen=True)
class Style:
    """A family of looks: shades by colour name, fonts, and whether the shifts of `test-shifted` are added."""

    name: str
    shades: Mapping[str, tuple[RGB, ...]]
    fonts: Fonts
    shifted: bool

    def colour(self, rng: random.Random, name: str) -> RGB:
        """A shade of a named colour, slightly varied."""
        red, green, blue = (min(255, max(0, part + rng.randint(-5, 5))) for part in rng.choice(self.shades[name]))
        return red, green, blue

    def visible(self, surface: Surface, names: Sequence[str], distance: float = 95.0) -> list[str]:
        """Those colour names all of whose shades differ from the background by at least `distance` in RGB space.

        Never empty: when too few pass, the three that differ most are given.
        """

        def contrast(name: str) -> float:
            return min(math.dist(shade, paper) for shade in self.shades[name] for paper in surface.papers)

        passed = [name for name in names if contrast(name) >= distance]
        return passed if len(passed) >= min(3, len(names)) else sorted(names, key=contrast)[-3:]

    def surface(self, rng: random.Random, size: tuple[int, int], kind: SurfaceKind, *, most_tilt: float = 8.0) -> Surface:
        """A background of a kind with ink and finish; `most_tilt` (degrees) bounds the rotation where content is close to the edge."""
        papers, ground = self._ground(rng, size, kind)
        finish = self._finish(rng, kind)
        if self.shifted:
            finish = _shift(rng, finish)
        tilt = max(-most_tilt, min(most_tilt, finish.tilt))
        return Surface(kind, ground, papers, self._ink(rng, kind, papers[0]), replace(finish, tilt=tilt))

    def _ground(self, rng: random.Random, size: tuple[int, int], kind: SurfaceKind) -> tuple[tuple[RGB, ...], Image.Image]:
        tint = _pastel(rng, self.shifted)
        white: RGB = (rng.randint(246, 255),) * 3
        if self.shifted and rng.random() < 0.5:
            white = mix(white, tint, rng.uniform(0.2, 0.6))
        if kind in {"plain", "faint", "tilted"}:
            return (white,), flat(size, white)
        if kind == "framed":
            return (white,), framed(rng, size, white, _pale(rng))
        if kind == "tinted":
            paper = mix(tint, (128, 128, 128), rng.uniform(0.05, 0.3))
            return (paper,), flat(size, paper)
        if kind == "dark":
            paper = mix(tint, (20, 20, 30), rng.uniform(0.8, 0.95))
            return (paper,), flat(size, paper)
        if kind == "shaded":
            far = mix(tint, (110, 110, 120), rng.uniform(0.3, 0.6))
            near = mix(tint, white, 0.6)
            return (mix(near, far, 0.5), near, far), gradient(rng, size, near, far)
        if kind == "noisy":
            paper = mix(tint, white, rng.uniform(0.2, 0.6))
            return (paper,), flat(size, paper)
        paper = mix(tint, (128, 128, 128), rng.uniform(0.0, 0.2))
        strength = rng.uniform(46, 74) if kind == "coarse" else rng.uniform(16, 44)
        return (paper, mix(paper, (0, 0, 0), strength / 300), mix(paper, (255, 255, 255), strength / 300)), pattern(
            rng, size, paper, strength
        )

    def _ink(self, rng: random.Random, kind: SurfaceKind, paper: RGB) -> RGB:
        dark: RGB = (rng.randint(0, 45), rng.randint(0, 45), rng.randint(0, 55))
        if kind == "dark":
            return mix((255, 255, 255), paper, rng.uniform(0.0, 0.2))
        if kind == "faint":
            return mix(dark, paper, rng.uniform(0.55, 0.72))
        if kind in {"textured", "tinted", "shaded", "coarse"}:
            coloured = mix(self.colour(rng, rng.choice(("red", "green", "blue", "purple", "brown"))), dark, rng.uniform(0.3, 0.7))
            return coloured if luminance(paper) - luminance(coloured) > 85 else dark
        return dark

    @staticmethod
    def _finish(rng: random.Random, kind: SurfaceKind) -> Finish:
        sign = rng.choice((-1, 1))
        mild = rng.uniform(0, 2.0)
        if kind == "noisy":
            return Finish(noise=rng.uniform(14, 26), blur=rng.uniform(0.2, 0.7), specks=rng.randint(20, 90), tilt=sign * rng.uniform(0, 1))
        if kind in {"textured", "coarse"}:
            return Finish(noise=rng.uniform(2, 8), tilt=sign * rng.uniform(0, 3.5))
        if kind == "tilted":
            return Finish(noise=mild, tilt=sign * rng.uniform(3.5, 8))
        if kind == "shaded":
            return Finish(noise=rng.uniform(2, 6), light=rng.uniform(0.2, 0.45))
        if kind == "tinted":
            return Finish(noise=rng.uniform(1, 6), tilt=sign * rng.uniform(0, 1))
        return Finish(noise=mild, tilt=sign * rng.uniform(0.2, 0.8) if rng.random() < 0.3 else 0.0)


def _pastel(rng: random.Random, shifted: bool) -> RGB:
    """A light tint; the shifted style takes its hues from between the training ones."""
    hue = rng.randrange(6) * 60 + (rng.uniform(25, 35) if shifted else rng.uniform(-10, 10))
    lightness, chroma = rng.uniform(180, 215), rng.uniform(25, 60)
    angles = (hue, hue - 120, hue + 120)
    red, green, blue = (int(min(255, max(0, lightness + chroma * float(np.cos(np.deg2rad(angle)))))) for angle in angles)
    return red, green, blue


def _pale(rng: random.Random) -> RGB:
    """A colour close to white, but clearly not grey."""
    low, high = rng.randint(221, 225), rng.randint(250, 255)
    return rng.choice(((low, high, low), (high, high, low), (high, low, high)))


def _shift(rng: random.Random, finish: Finish) -> Finish:
    """The degradations of the shifted style, each with some probability so that easy pictures stay among them."""
    tilt = finish.tilt + rng.choice((-1, 1)) * rng.uniform(1, 4) if rng.random() < 0.5 else finish.tilt
    blur = max(finish.blur, rng.uniform(0.3, 0.8)) if rng.random() < 0.5 else finish.blur
    noise = max(finish.noise, rng.uniform(4, 9)) if rng.random() < 0.6 else finish.noise
    return replace(finish, tilt=tilt, blur=blur, noise=noise, jpeg=rng.randint(30, 55) if rng.random() < 0.6 else 0)


def finished(rng: random.Random, canvas: Canvas, surface: Surface) -> Image.Image:
    """The picture on a canvas after the surface's finish."""
    finish, image = surface.finish, canvas.image()
    if abs(finish.tilt) >= 0.15:
        image = _turn(image, finish.tilt)
    if finish.blur >= 0.2:
        image = image.filter(ImageFilter.GaussianBlur(finish.blur))
    noise = np.random.Generator(np.random.PCG64(rng.getrandbits(63)))
    if finish.light or finish.specks or finish.noise >= 0.5:
        pixels = np.asarray(image, dtype=np.float32).copy()
        if finish.light:
            pixels *= _falloff(noise, image.size, finish.light)[:, :, None]
        if finish.specks:
            _speckle(noise, pixels, finish.specks)
        if finish.noise >= 0.5:
            pixels += finish.noise * noise.standard_normal(pixels.shape, dtype=np.float32)
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if finish.jpeg:
        buffer = io.BytesIO()
        image.save(buffer, format="JPEG", quality=finish.jpeg)
        image = Image.open(buffer).convert("RGB")
    return image


def _turn(image: Image.Image, degrees: float) -> Image.Image:
    """Rotate about the centre; what comes in at the corners continues the border pixels."""
    pad = 40
    padded = Image.fromarray(np.pad(np.asarray(image), ((pad, pad), (pad, pad), (0, 0)), mode="edge"))
    turned = padded.rotate(degrees, Image.Resampling.BILINEAR)
    return turned.crop((pad, pad, pad + image.width, pad + image.height))


def _falloff(noise: np.random.Generator, size: tuple[int, int], loss: float) -> np.ndarray:
    angle = noise.uniform(0, 2 * np.pi)
    x, y = np.linspace(-1, 1, size[0], dtype=np.float32), np.linspace(-1, 1, size[1], dtype=np.float32)
    ramp = (np.cos(angle) * x[None, :] + np.sin(angle) * y[:, None]) / 1.42
    return np.asarray(1 - loss * (ramp + 1) / 2, dtype=np.float32)


def _speckle(noise: np.random.Generator, pixels: np.ndarray, count: int) -> None:
    height, width = pixels.shape[:2]
    for x, y, side, level in zip(
        noise.integers(0, width - 2, count),
        noise.integers(0, height - 2, count),
        noise.integers(1, 3, count),
        noise.choice([30.0, 60.0, 250.0], count),
        strict=True,
    ):
        pixels[y : y + side, x : x + side] = level


TRAIN = Style("train", TRAIN_SHADES, TRAIN_FONTS, shifted=False)
SHIFTED = Style("shifted", SHIFTED_SHADES, SHIFTED_FONTS, shifted=True)
