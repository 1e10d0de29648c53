"""Named colours: the shades that training pictures use, and the withheld ones of the shifted style."""

from __future__ import annotations

from maestro.ensembles.playground.tasks.drawing import RGB

TRAIN_SHADES: dict[str, tuple[RGB, ...]] = {
    "red": ((214, 39, 40), (204, 20, 34), (228, 52, 48)),
    "orange": ((252, 127, 14), (245, 140, 30), (240, 120, 6)),
    "yellow": ((240, 210, 20), (250, 220, 50), (232, 202, 6)),
    "green": ((44, 160, 44), (30, 140, 60), (60, 172, 72)),
    "blue": ((31, 90, 205), (40, 110, 220), (24, 70, 185)),
    "purple": ((128, 50, 170), (112, 42, 152), (144, 70, 188)),
    "pink": ((242, 120, 180), (246, 140, 190), (236, 104, 166)),
    "brown": ((125, 75, 35), (112, 66, 32), (138, 84, 44)),
    "grey": ((128, 128, 128), (118, 120, 122), (138, 138, 140)),
    "black": ((20, 20, 20), (10, 10, 14), (28, 28, 32)),
}
SHIFTED_SHADES: dict[str, tuple[RGB, ...]] = {
    "red": ((182, 22, 48), (238, 72, 64), (176, 30, 20)),
    "orange": ((250, 152, 64), (226, 108, 24), (255, 165, 40)),
    "yellow": ((218, 190, 34), (252, 236, 96), (236, 222, 60)),
    "green": ((22, 112, 42), (96, 186, 62), (10, 146, 98)),
    "blue": ((78, 134, 232), (18, 52, 140), (52, 102, 172)),
    "purple": ((96, 44, 188), (160, 62, 180), (84, 30, 118)),
    "pink": ((250, 152, 172), (222, 92, 142), (255, 110, 196)),
    "brown": ((96, 60, 40), (150, 102, 62), (120, 84, 58)),
    "grey": ((100, 104, 110), (156, 156, 150), (148, 152, 160)),
    "black": ((42, 42, 48), (26, 20, 16), (34, 38, 34)),
}
COLOURS = tuple(TRAIN_SHADES)
"""Colour names that questions and answers use."""
VIVID = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
"""Colour names that stand out on white, grey and dark backgrounds alike."""


def mix(first: RGB, second: RGB, share: float) -> RGB:
    """`first` with `share` (0..1) of `second` mixed in."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def luminance(colour: RGB) -> float:
    """Perceived brightness, 0..255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
