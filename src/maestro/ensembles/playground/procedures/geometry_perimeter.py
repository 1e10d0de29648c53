"""Write the perimeter of a labelled figure as a sum."""

from __future__ import annotations

import numpy as np
from PIL import Image

from maestro.ensembles.playground.procedures.geometry_labels import lengths
from maestro.ensembles.playground.procedures.words import Word, first_image, least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An expression such as `6+8+10`; None when fewer than three lengths were read and the figure is no rectangle."""
    page = await read_page(request, caller)
    found = lengths(page)
    words = [word for word, _ in found]
    if not found:
        return SkillResult(None, 0.0, "no lengths read", "expression")
    corners, upright = corner_count(caller.pixels(first_image(request)), page.words)
    sure = least_confidence(words)
    digits = [text for _, text in found]
    if len(found) == 2 and corners == 4 and upright:
        return SkillResult(f"2*({digits[0]}+{digits[1]})", round(0.9 * sure, 2), "rectangle", "expression")
    if len(found) < 3:
        return SkillResult(None, 0.1, f"{len(found)} lengths, {corners or 'unknown'} corners"[:40], "expression")
    # Too few corners are found where lines cross the figure, so only a full match proves that no label is missing.
    fit = 1.0 if corners == len(found) else 0.85 if corners is None else 0.45
    evidence = f"{len(found)} lengths, {corners or 'unknown'} corners"
    return SkillResult("+".join(digits), round(sure * fit, 2), evidence[:40], "expression")


def corner_count(image: Image.Image, words: tuple[Word, ...]) -> tuple[int | None, bool]:
    """Corners of the largest closed outline, None when none is found or it is no plain polygon, and whether it is a rectangle.

    Labels are left out.
    """
    import cv2

    grey = cv2.GaussianBlur(np.asarray(image.convert("L")), (0, 0), 1.0)
    # A wide closing is the paper without thin lines; an opening the same for light lines on dark.
    kernel = np.ones((15, 15), np.uint8)
    dark = cv2.subtract(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel), grey)
    light = cv2.subtract(grey, cv2.morphologyEx(grey, cv2.MORPH_OPEN, kernel))
    lines = dark if np.percentile(dark, 99) >= np.percentile(light, 99) else light
    for word in words:
        lines[max(0, int(word.top)) : int(word.bottom) + 1, max(0, int(word.left)) : int(word.right) + 1] = 0
    _, mask = cv2.threshold(lines, max(18.0, 0.45 * float(np.percentile(lines, 99.5))), 255, cv2.THRESH_BINARY)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if hierarchy is None:
        return None, False
    # The inside of a closed outline is a hole of the mask, free of what touches the outline from without.
    holes = [contour for contour, (_, _, _, parent) in zip(contours, hierarchy[0], strict=True) if parent >= 0]
    hole = max(holes, key=cv2.contourArea, default=None)
    if hole is None or cv2.contourArea(hole) < 0.04 * grey.size:
        return None, False
    around = cv2.arcLength(hole, closed=True)
    polygon = cv2.approxPolyDP(hole, 0.025 * around, closed=True)
    full = cv2.contourArea(hole) / max(1.0, cv2.contourArea(cv2.convexHull(hole)))
    _, (wide, tall), _ = cv2.minAreaRect(hole)
    corners = len(polygon) if 3 <= len(polygon) <= 8 and full > 0.85 else None
    return corners, corners == 4 and cv2.contourArea(hole) > 0.94 * wide * tall


__all__ = ["corner_count", "run"]
