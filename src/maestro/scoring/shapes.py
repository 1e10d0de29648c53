"""Boxes and polygons in the forms in which data sets hold them, as the text that the rules of grounding take."""

from __future__ import annotations

import json
from typing import Any

from maestro.errors import TaskError

_HOLDING = ("bbox", "bbox_2d", "box", "polygon", "points", "target", "answer", "value", "text")
_CORNERS = (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("left", "top", "right", "bottom"))
_SIZED = (("x", "y", "width", "height"), ("x", "y", "w", "h"))


def shapes_of(value: Any) -> tuple[str, ...]:
    """References that are boxes `x1, y1, x2, y2` or polygons `x1, y1, x2, y2, …`, one text each.

    From a flat list of numbers, a list of points `[x, y]`, a list of either, an object that holds one or names its corners or its size, or
    text. Raises TaskError for anything else.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, dict):
        return _of_object(value)
    if not isinstance(value, list | tuple):
        raise TaskError(f"a box is a list of numbers, an object or text, not {type(value).__name__}")
    if value and all(map(_is_number, value)):
        return (json.dumps(value),)
    if value and all(_is_point(one) for one in value):
        return (json.dumps([number for point in value for number in point]),)
    return tuple(shape for one in value for shape in shapes_of(one))


def _of_object(value: dict[Any, Any]) -> tuple[str, ...]:
    for names in _CORNERS:
        if all(_is_number(value.get(name)) for name in names):
            return (json.dumps([value[name] for name in names]),)
    for names in _SIZED:
        if all(_is_number(value.get(name)) for name in names):
            x, y, width, height = (value[name] for name in names)
            return (json.dumps([x, y, x + width, y + height]),)
    for name in _HOLDING:
        if name in value:
            return shapes_of(value[name])
    raise TaskError(
        f"an object as a box has the numbers {', '.join(_CORNERS[0])} or {', '.join(_SIZED[0])}, or one of {', '.join(_HOLDING)}; "
        f"it has {', '.join(map(str, value)) or 'nothing'}"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_point(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))
