"""A round scale with a needle: centre and scale from the numbers, the needle from the pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.procedures.words import Word
from maestro.experts.protocol import Pixels


@dataclass(frozen=True)
class Dial:
    """value = (angle - start) / pace, angles in degrees clockwise from the right."""

    x: float
    y: float
    radius: float
    """Distance of the numbers from the centre in pixels."""
    start: float
    """Angle of the value 0."""
    pace: float
    """Degrees per unit; negative for a scale that runs anticlockwise."""
    labels: tuple[tuple[Word, float], ...]

    def value(self, angle: float) -> float:
        """The value at an angle, on the turn of the scale that lies nearest to its numbers."""
        values = [value for _, value in self.labels]
        middle = (min(values) + max(values)) / 2
        turn = 360 / abs(self.pace)
        raw = (angle - self.start) / self.pace
        return raw - turn * round((raw - middle) / turn)


def find_dial(numbers: Sequence[tuple[Word, float]], size: tuple[int, int]) -> Dial | None:
    """The dial that most numbers agree on, in place and in order; None when fewer than three do. `size` is width, height."""
    best: Dial | None = None
    best_key = (0, -math.inf)
    for triple in combinations(numbers, 3):
        circle = _circle([(word.x, word.y) for word, _ in triple])
        if circle is None or not 0.1 * min(size) < circle[2] < max(size) or not _inside(circle, size):
            continue
        near = [item for item in numbers if abs(math.hypot(item[0].x - circle[0], item[0].y - circle[1]) - circle[2]) < 0.13 * circle[2]]
        for one, two in combinations(near, 2):
            dial, error = _agreement(circle, near, one, two)
            key = (len(dial.labels), -error) if dial is not None else (0, -math.inf)
            if dial is not None and key > best_key:
                best, best_key = dial, key
    if best is None or len(best.labels) < 3:
        return None
    return _refitted(best)


def _circle(points: Sequence[tuple[float, float]]) -> tuple[float, float, float] | None:
    """Centre and radius of the circle nearest to three or more points (least squares); None when they lie on a line."""
    matrix = np.array([[2 * x, 2 * y, 1.0] for x, y in points])
    right = np.array([x * x + y * y for x, y in points])
    solution, _, rank, _ = np.linalg.lstsq(matrix, right, rcond=None)
    square = solution[2] + solution[0] ** 2 + solution[1] ** 2
    return None if rank < 3 or square <= 0 else (float(solution[0]), float(solution[1]), math.sqrt(square))


def _inside(circle: tuple[float, float, float], size: tuple[int, int]) -> bool:
    x, y, _ = circle
    return 0 <= x <= size[0] and 0 <= y <= 1.25 * size[1]


def _angle(x: float, y: float, word: Word) -> float:
    return math.degrees(math.atan2(word.y - y, word.x - x))


def _agreement(
    circle: tuple[float, float, float], near: Sequence[tuple[Word, float]], one: tuple[Word, float], two: tuple[Word, float]
) -> tuple[Dial | None, float]:
    """The dial through two numbers with all others that agree, and its mean error in degrees."""
    x, y, radius = circle
    if one[1] == two[1]:
        return None, math.inf
    low, high = sorted((one, two), key=lambda item: item[1])
    spread = max(value for _, value in near) - min(value for _, value in near)
    chosen: tuple[Dial | None, float] = (None, math.inf)
    for direction in (1, -1):
        turn = (direction * (_angle(x, y, high[0]) - _angle(x, y, low[0]))) % 360
        pace = direction * turn / (high[1] - low[1])
        if pace == 0 or abs(pace) * spread > 350:
            continue
        start = _angle(x, y, low[0]) - pace * low[1]
        agreeing: list[tuple[Word, float]] = []
        errors: list[float] = []
        for word, value in near:
            off = abs((_angle(x, y, word) - start - pace * value + 180) % 360 - 180)
            if off < 8 and all(value != seen for _, seen in agreeing):
                agreeing.append((word, value))
                errors.append(off)
        dial = Dial(x, y, radius, start, pace, tuple(agreeing))
        error = sum(errors) / max(1, len(errors)) + (0.5 if direction < 0 else 0.0)
        if chosen[0] is None or (len(agreeing), -error) > (len(chosen[0].labels), -chosen[1]):
            chosen = (dial, error)
    return chosen


def _refitted(dial: Dial) -> Dial:
    """The dial by least squares over all numbers that agree."""
    circle = _circle([(word.x, word.y) for word, _ in dial.labels])
    x, y, radius = circle if circle is not None else (dial.x, dial.y, dial.radius)
    expected = [dial.start + dial.pace * value for _, value in dial.labels]
    angles = [near + (_angle(x, y, word) - near + 180) % 360 - 180 for (word, _), near in zip(dial.labels, expected, strict=True)]
    pace, start = np.polyfit([value for _, value in dial.labels], angles, 1)
    return Dial(x, y, radius, float(start), float(pace), dial.labels)


def needle_angle(pixels: Pixels, dial: Dial) -> tuple[float, float] | None:
    """Direction of the needle in degrees and how clearly it stands out (0 to 1); None when no direction does.

    The centre is known only to a few pixels, so each direction is tried from several centres.
    """
    standing_out = _distinct(pixels, dial)
    radii = np.linspace(0.2, 0.68, 40) * dial.radius
    angles = np.arange(0, 360, 1.0)
    best = np.zeros(len(angles))
    shifts = np.linspace(-0.06, 0.06, 5) * dial.radius
    for dx in shifts:
        for dy in shifts:
            xs = dial.x + dx + np.cos(np.radians(angles))[:, None] * radii
            ys = dial.y + dy + np.sin(np.radians(angles))[:, None] * radii
            best = np.maximum(best, _sampled(standing_out, xs, ys).mean(axis=1) - 0.15 * math.hypot(dx, dy) / dial.radius)
    peak = int(np.argmax(best))
    around = np.abs((angles - angles[peak] + 180) % 360 - 180)
    # The tail of a needle lies opposite, so what is compared is neither near the peak nor opposite to it.
    rivals = best[(around > 12) & (around < 168)]
    rival = float(np.max(rivals))
    if best[peak] < 0.35:
        return None
    near = around <= 8
    weights = np.where(near, np.clip(best - 0.6 * best[peak], 0, None), 0.0)
    offsets = (angles - angles[peak] + 180) % 360 - 180
    centre = float(angles[peak] + (weights * offsets).sum() / max(1e-9, weights.sum()))
    clear = min(1.0, 0.3 + 1.6 * float(best[peak] - rival))
    return centre, clear


def _distinct(pixels: Pixels, dial: Dial) -> NDArray[np.float64]:
    """0 to 1 per pixel: how far its colour is from the paper around it."""
    import cv2

    smooth = cv2.GaussianBlur(pixels, (0, 0), 0.8)
    size = int(0.35 * dial.radius) // 2 * 2 + 1
    paper = cv2.medianBlur(pixels, max(9, min(size, 41)))
    distance = np.linalg.norm(smooth.astype(float) - paper.astype(float), axis=2)
    inside = (np.hypot(*np.ogrid[-dial.y : pixels.shape[0] - dial.y, -dial.x : pixels.shape[1] - dial.x]) < 0.7 * dial.radius)[
        : pixels.shape[0], : pixels.shape[1]
    ]
    # The needle covers a few hundredths of the face, so the strongest hundredth of it is needle.
    strong = float(np.percentile(distance[inside], 98.5)) if inside.any() else 1.0
    return np.asarray(np.clip(distance / max(strong, 12.0), 0.0, 1.0), dtype=np.float64)


def _sampled(values: NDArray[np.float64], xs: NDArray[np.float64], ys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values at rounded coordinates; 0 outside."""
    columns, rows = np.rint(xs).astype(int), np.rint(ys).astype(int)
    inside = (columns >= 0) & (rows >= 0) & (columns < values.shape[1]) & (rows < values.shape[0])
    return np.where(inside, values[np.clip(rows, 0, values.shape[0] - 1), np.clip(columns, 0, values.shape[1] - 1)], 0.0)


__all__ = ["Dial", "find_dial", "needle_angle"]
