"""What every OCR expert returns, and the memory that lets several skills share one run on the same picture."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from typing import TypedDict

from maestro.experts.protocol import Pixels


class WordReading(TypedDict):
    """One word as an engine saw it."""

    text: str
    confidence: float
    """0 to 1."""
    box: list[int]
    """left, top, right, bottom in pixels of the image that was given."""
    line: int
    """Index of the engine's own text line; words of one line share it."""


class Reading(TypedDict):
    """All words of one image."""

    words: list[WordReading]
    width: int
    height: int
    slope: float
    """Tilt of the longer text lines as rise over run, y downward: positive lines fall to the right; 0 without longer lines."""


_LOOKALIKES = str.maketrans(
    {
        # Greek and Cyrillic letters that engines return for Latin ones
        **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαινορυχγκ", "ABEZHIKMNOPTYXaivopuxyk", strict=True)),
        **dict(zip("АВЕКМНОРСТУХаеорсухіѕј", "ABEKMHOPCTYXaeopcyxisj", strict=True)),
        # dashes, quotes, dots and degree signs
        **dict.fromkeys("‐‑‒–—―−﹣－一", "-"),
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("。·・•∙", "."),
        **dict.fromkeys("，、", ","),
        **dict.fromkeys("º˚", "°"),
        "【": "[",
        "】": "]",
        "Ø": "0",
        "∶": ":",
        "∠": "<",
        "…": "...",
    }
)


def fold(text: str) -> str:
    """`text` with look-alikes of ASCII characters replaced by them; signs with a meaning of their own (°, ×, ÷, Ω, √, π) stay."""
    kept = {"°", "×", "÷", "Ω", "√", "π", "€", "£"}
    folded = []
    for character in text.translate(_LOOKALIKES):
        if character in kept:
            folded.append(character)
            continue
        # The ohm sign and full-width forms become plain letters; rare marks ("ġ") are specks, those of Western Europe are meant.
        plain = unicodedata.normalize("NFKC", character) if ord(character) < 256 else unicodedata.normalize("NFKD", character)
        folded.extend(part for part in plain if not unicodedata.combining(part))
    return "".join(folded)


class ReadingMemory:
    """The last readings by image content, oldest forgotten first."""

    def __init__(self, capacity: int = 128) -> None:
        self.capacity = capacity
        self._readings: OrderedDict[bytes, Reading] = OrderedDict()

    def recall(self, image: Pixels, read: Callable[[Pixels], Reading]) -> Reading:
        """The reading of `image`, computed by `read` unless these exact pixels were read before."""
        key = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
        if key in self._readings:
            self._readings.move_to_end(key)
            return self._readings[key]
        reading = read(image)
        self._readings[key] = reading
        if len(self._readings) > self.capacity:
            self._readings.popitem(last=False)
        return reading


def common_slope(lines: list[tuple[float, float, float]]) -> float:
    """The tilt of most text: median over (slope, length, height) weighted by length; lines shorter than six heights do not tell."""
    lines = [line for line in lines if line[1] >= 6 * line[2]]
    half = sum(length for _, length, _ in lines) / 2
    seen = 0.0
    for slope, length, _ in sorted(lines):
        seen += length
        if seen >= half:
            return round(slope, 4)
    return 0.0


def single_image(images: list[Pixels]) -> Pixels:
    """The one image of an OCR request. Raises ValueError when there is none or more than one."""
    if len(images) != 1:
        raise ValueError(f"OCR reads exactly one image; {len(images)} were given. Give one image, or a region of it.")
    return images[0]


__all__ = ["Reading", "ReadingMemory", "WordReading", "common_slope", "fold", "single_image"]
