"""Boxes and points in pictures: overlap, hit, and whether a click lands.

Boxes are `x1, y1, x2, y2`. A prediction is in the space that `coords` names; a reference is in pixels, and is brought there when
`image_size` is given. Without `image_size` both are compared as they stand. A reference that lies within 0 and 1 is taken as fractions of
the picture, as no box in pixels is that small.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from maestro.errors import TaskError, not_found
from maestro.scoring.boxed import tail
from maestro.scoring.score import Score

COORDS = ("pixel", "0-1", "0-1000", "auto")
"""Spaces of a prediction; `auto` guesses as VLMEvalKit does, and misreads pixels in small pictures."""
_THRESHOLD = re.compile(r"acc(?:@(0?\.\d{1,6}|0|1|1\.0+))?", re.IGNORECASE)
_NO_GOLD = "no reference is a box [x1, y1, x2, y2]"
_POINT_METRICS = ("center_in_box", "point_in_box")
_N = r"([-+]?(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})(?:[eE][-+]?\d{1,3})?)"
_GAP = r"(?:\s{0,9}[,;]\s{0,9}|\s{1,9})"
_FOUR = re.compile(rf"[\[(<{{]\s{{0,9}}{_N}{_GAP}{_N}{_GAP}{_N}{_GAP}{_N}\s{{0,9}}[\])>}}]")
_TWO_POINTS = re.compile(rf"[\[(]\s{{0,9}}{_N}{_GAP}{_N}\s{{0,9}}[\])][\s,;]{{0,9}}(?:to\s)?[\[(]\s{{0,9}}{_N}{_GAP}{_N}\s{{0,9}}[\])]")
_POINT = re.compile(rf"[\[(<{{]\s{{0,9}}{_N}{_GAP}{_N}\s{{0,9}}[\])>}}]")
_NAMED = re.compile(rf"\bx\s{{0,9}}[=:]\s{{0,9}}{_N}[\s,;]{{1,9}}[\"']?y[\"']?\s{{0,9}}[=:]\s{{0,9}}{_N}", re.IGNORECASE)
_KEY = r"[\"']?\b(?:{})[\"']?\s{{0,9}}[=:]\s{{0,9}}[\"']?" + _N.replace("{", "{{").replace("}", "}}") + r"[\"']?"
_JOINT = r"[\s,;]{0,9}"
_CORNERS = re.compile(
    _JOINT.join(map(_KEY.format, ("x_?1|x_?min|left", "y_?1|y_?min|top", "x_?2|x_?max|right", "y_?2|y_?max|bottom"))), re.IGNORECASE
)
_SIZED = re.compile(_JOINT.join(map(_KEY.format, ("x", "y", "w|width", "h|height"))), re.IGNORECASE)
_BOXES = (_FOUR, _TWO_POINTS, _CORNERS, _SIZED)
_ANY = re.compile(rf"(?<![\w.]){_N}(?![\w])")


@dataclass(frozen=True)
class Box:
    """Corners in order, whichever way round they were written."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Box:
        """From two opposite corners."""
        x1, y1, x2, y2 = numbers
        return cls(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))

    @property
    def area(self) -> float:
        """Zero for a box that is a line or a point."""
        return (self.right - self.left) * (self.bottom - self.top)

    @property
    def center(self) -> tuple[float, float]:
        """Horizontal, then vertical."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def contains(self, point: tuple[float, float]) -> bool:
        """Edges included."""
        return self.left <= point[0] <= self.right and self.top <= point[1] <= self.bottom

    def iou(self, other: Box) -> float:
        """Intersection over union; 0 when either has no area."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0 or not self.area or not other.area:
            return 0.0
        return width * height / (self.area + other.area - width * height)


def refcoco(
    prediction: str,
    references: tuple[str, ...],
    *,
    metric: str = "acc@0.5",
    image_size: Sequence[float] | None = None,
    coords: str = "pixel",
) -> Score:
    """Overlap of the first box in the reply with a reference: `iou` itself, or 1 when it is at least T (`acc@T`).

    Raises TaskError for parameters that make no sense.
    """
    threshold = _threshold(metric)
    size = _size(image_size)
    golds = _gold_boxes(references, size)
    if not golds:
        return Score(score=0.0, rule="refcoco", reason=_NO_GOLD)
    numbers = _first(tail(prediction), _BOXES, 4)
    if numbers is None:
        return Score(score=0.0, rule="refcoco", reason="no box in the reply")
    box = Box.of(_placed(numbers, coords, size))
    best = max(box.iou(gold) for gold in golds)
    value = best if threshold is None else float(best >= threshold)
    return Score(score=min(1.0, value), extracted=_shown(numbers), rule="refcoco", reason=f"{metric}: intersection over union {best:.4f}")


def screenspot(
    prediction: str,
    references: tuple[str, ...],
    *,
    metric: str = "center_in_box",
    image_size: Sequence[float] | None = None,
    coords: str = "pixel",
) -> Score:
    """1 when the first point in the reply, or the centre of the first box, lies in a reference box, edges included.

    Raises TaskError as `refcoco` does.
    """
    if metric not in _POINT_METRICS:
        raise TaskError(not_found("metric", metric, _POINT_METRICS, "Say it in params."))
    size = _size(image_size)
    golds = _gold_boxes(references, size)
    if not golds:
        return Score(score=0.0, rule="screenspot", reason=_NO_GOLD)
    numbers = _first(tail(prediction), (*_BOXES, _POINT, _NAMED), 2)
    if numbers is None:
        return Score(score=0.0, rule="screenspot", reason="no point in the reply")
    placed = _placed(numbers, coords, size)
    if len(placed) == 4 and not Box.of(placed).area:
        return Score(score=0.0, extracted=_shown(numbers), rule="screenspot", reason="a box without area")
    point = Box.of(placed).center if len(placed) == 4 else (placed[0], placed[1])
    hit = any(gold.contains(point) for gold in golds)
    where = "inside" if hit else "outside"
    return Score(
        score=float(hit), extracted=_shown(numbers), rule="screenspot", reason=f"{metric}: ({point[0]:g}, {point[1]:g}) is {where}"
    )


def point_in_mask(
    prediction: str, references: tuple[str, ...], *, image_size: Sequence[float] | None = None, coords: str = "pixel"
) -> Score:
    """1 when the first point in the reply lies in a reference polygon (`x1, y1, x2, y2, ...` in pixels), by the even-odd rule.

    Raises TaskError as `refcoco` does.
    """
    size = _size(image_size)
    numbers = _first(tail(prediction), (_POINT, _NAMED), 2)
    polygons = [polygon for reference in references if (polygon := _polygon(reference))]
    if not polygons:
        return Score(score=0.0, rule="point_in_mask", reason="no reference is a polygon [x1, y1, x2, y2, x3, y3, ...]")
    if numbers is None:
        return Score(score=0.0, rule="point_in_mask", reason="no point in the reply")
    x, y = _placed(numbers[:2], coords, size)
    hit = any(_inside(polygon, x, y) for polygon in polygons)
    return Score(score=float(hit), extracted=_shown(numbers[:2]), rule="point_in_mask", reason="inside" if hit else "outside")


def _threshold(metric: str) -> float | None:
    """T of `acc@T`, None for `iou`."""
    if metric.casefold() == "iou":
        return None
    if (match := _THRESHOLD.fullmatch(metric)) is None:
        raise TaskError(f"there is no metric {metric!r} for boxes; there is iou, and acc@T with T from 0 to 1, such as acc@0.5.")
    return float(match[1] or 0.5)


def _size(image_size: Sequence[float] | None) -> tuple[float, float] | None:
    if image_size is None:
        return None
    if isinstance(image_size, str) or len(image_size) != 2 or not all(isinstance(one, int | float) and one > 0 for one in image_size):
        raise TaskError(f"image_size is {image_size!r}; it has to be [width, height] in pixels.")
    return float(image_size[0]), float(image_size[1])


def _first(text: str, patterns: tuple[re.Pattern[str], ...], least: int) -> list[float] | None:
    """The numbers of the first match of any pattern, a box as its corners; of matches that begin together the longest.

    Else the text's first numbers.
    """
    found = [match for pattern in patterns if (match := pattern.search(text))]
    if found:
        match = min(found, key=lambda one: (one.start(), -one.end()))
        numbers = [float(number) for number in match.groups()]
        if match.re is _SIZED:
            numbers[2:] = numbers[0] + numbers[2], numbers[1] + numbers[3]
    else:
        numbers = [float(match[1]) for match, _ in zip(_ANY.finditer(text), range(4), strict=False)]
        numbers = numbers if len(numbers) == 4 else numbers[:2] if least == 2 else []
    return numbers if len(numbers) >= least and all(map(isfinite, numbers)) else None


def _placed(numbers: Sequence[float], coords: str, size: tuple[float, float] | None) -> list[float]:
    """In pixels, or as they are when the picture's size is not known."""
    if coords not in COORDS:
        raise TaskError(not_found("coordinate space", coords, COORDS, "Say it in params as coords."))
    if coords == "auto":
        largest = max(map(abs, numbers))
        coords = "0-1" if largest <= 1.5 else "0-1000" if largest <= 1000 else "pixel"
    if size is None or coords == "pixel":
        return list(numbers)
    unit = 1.0 if coords == "0-1" else 1000.0
    return [number / unit * size[axis % 2] for axis, number in enumerate(numbers)]


def _gold_boxes(references: tuple[str, ...], size: tuple[float, float] | None) -> list[Box]:
    """The references that are boxes; references that are bare numbers are a box for every four of them."""
    texts = references
    if len(references) % 4 == 0 and all(_ANY.fullmatch(one.strip()) for one in references):
        texts = tuple(", ".join(references[start : start + 4]) for start in range(0, len(references), 4))
    boxes = []
    for text in texts:
        numbers = [float(match[1]) for match in _ANY.finditer(text)]
        if len(numbers) != 4 or not all(map(isfinite, numbers)):
            continue
        fractions = size is not None and all(0 <= number <= 1 for number in numbers)
        boxes.append(Box.of(_placed(numbers, "0-1" if fractions else "pixel", size)))
    return boxes


def _polygon(reference: str) -> list[tuple[float, float]]:
    """The corners; none when the reference is no polygon."""
    numbers = [float(match[1]) for match in _ANY.finditer(reference)]
    if len(numbers) < 6 or len(numbers) % 2:
        return []
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _inside(polygon: list[tuple[float, float]], x: float, y: float) -> bool:
    crossings = 0
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            crossings += 1
    return crossings % 2 == 1


def _shown(numbers: Sequence[float]) -> str:
    return "[" + ", ".join(f"{number:g}" for number in numbers) + "]"
