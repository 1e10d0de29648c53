"""The fonts of the playground, found among the system's fonts by file name."""

from __future__ import annotations

import functools
import os
import random
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageFont

from maestro.errors import MissingDependency

PACKAGES = {
    "DejaVu": "fonts-dejavu-core",
    "Liberation": "fonts-liberation",
    "LiberationSansNarrow": "fonts-liberation (or fonts-liberation-sans-narrow)",
    "Free": "fonts-freefont-ttf",
    "ComicNeue": "fonts-comic-neue",
}
"""Debian package of the fonts whose file name starts so."""


@dataclass(frozen=True)
class Fonts:
    """File stems of the fonts a style may use, by kind."""

    regular: tuple[str, ...]
    bold: tuple[str, ...]
    mono: tuple[str, ...]

    @property
    def stems(self) -> frozenset[str]:
        """All of them."""
        return frozenset((*self.regular, *self.bold, *self.mono))

    def choose(self, rng: random.Random, kind: str = "any") -> str:
        """A font of a kind: `regular`, `bold`, `mono` or `any` (regular or bold)."""
        pools = {"regular": self.regular, "bold": self.bold, "mono": self.mono, "any": self.regular + self.bold}
        return rng.choice(pools[kind])


TRAIN_FONTS = Fonts(
    regular=("DejaVuSans", "DejaVuSerif", "LiberationSans-Regular", "LiberationSerif-Regular"),
    bold=("DejaVuSans-Bold", "DejaVuSerif-Bold", "LiberationSans-Bold", "LiberationSerif-Bold"),
    mono=("DejaVuSansMono", "DejaVuSansMono-Bold", "LiberationMono-Regular", "LiberationMono-Bold"),
)
SHIFTED_FONTS = Fonts(
    regular=("FreeSerif", "ComicNeue-Regular", "LiberationSansNarrow-Regular"),
    bold=("FreeSerifBold", "ComicNeue-Bold", "LiberationSansNarrow-Bold"),
    mono=("FreeMonoBold", "FreeMono"),
)


def _roots() -> list[Path]:
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return [
        root for root in (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / "fonts", Path.home() / ".fonts") if root.is_dir()
    ]


@functools.cache
def _installed() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for root in _roots():
        for path in sorted(root.rglob("*.[to]tf")):
            found.setdefault(path.stem, path)
    return found


def missing(fonts: Fonts) -> list[str]:
    """File stems of `fonts` that this system does not have."""
    return sorted(fonts.stems - _installed().keys())


@functools.cache
def require(fonts: Fonts) -> None:
    """Raise MissingDependency, naming the Debian packages, when a font of a style is not installed."""
    if absent := missing(fonts):
        longest = sorted(PACKAGES, key=len, reverse=True)
        packages = sorted({PACKAGES[next(prefix for prefix in longest if stem.startswith(prefix))] for stem in absent})
        raise MissingDependency(
            f"the playground's pictures need fonts that are not installed: {', '.join(absent)}. "
            f"Looked under {', '.join(map(str, _roots())) or 'the usual folders, none of which exists'}. "
            f"Install the Debian package(s): {', '.join(packages)}."
        )


@functools.lru_cache(maxsize=512)
def load(stem: str, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels. Basic layout, because complex layout differs between builds of Pillow."""
    path = _installed().get(stem)
    if path is None:
        raise MissingDependency(f"font {stem} is not installed. Debian packages: {', '.join(sorted(PACKAGES.values()))}.")
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
