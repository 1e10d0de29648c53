"""What the question wants to know of drawn shapes: the colour of one, what lies on one side of it, or how two lie to each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maestro.ensembles.playground.procedures.drawn_shapes import Drawing, Drawn, drawing
from maestro.ensembles.playground.procedures.scene_words import objects_in, written_colour
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_SIDES: dict[str, tuple[int, int]] = {"left": (-1, 0), "right": (1, 0), "above": (0, -1), "below": (0, 1)}
_SIDE_WORDS = (
    ("left", re.compile(r"\bleft\b", re.IGNORECASE)),
    ("right", re.compile(r"\b(?:to the right|on the right|right of|right side|right from|right-hand)\b", re.IGNORECASE)),
    ("above", re.compile(r"\b(?:above|over|on top of|higher than|upper)\b", re.IGNORECASE)),
    ("below", re.compile(r"\b(?:below|under|underneath|beneath|lower than|lower)\b", re.IGNORECASE)),
)
"""The word "right" alone may only mean "just", as in "right above"."""
_SHAPE_ASKED = re.compile(r"\b(?:what|which|kind of|name the) (?:kind of )?shape\b(?! colou?r)", re.IGNORECASE)
_SMALLEST = re.compile(r"\b(smallest|tiniest|littlest)\b", re.IGNORECASE)
_YES_NO = re.compile(r"^\W*(?:is|are|does|do|lies|can|true)\b|yes or no|whether", re.IGNORECASE)


async def perceived(request: SkillRequest, caller: Caller) -> SkillResult:
    """Answer by what the question names: a side and a shape, two shapes, or one kind of shape.

    Raises ValueError when there is no image.
    """
    found = await drawing(request, caller)
    things = objects_in(request.text)
    sides = [name for name, pattern in _SIDE_WORDS if pattern.search(request.text)]
    if len(things) >= 2:
        return _between(request.text, found, things[0], things[1], sides)
    if things and sides:
        return _beside(request.text, found, things[0], sides[0])
    return _colour(request.text, found, things[0][1] if things else None)


def _colour(text: str, found: Drawing, kind: str | None) -> SkillResult:
    """Colour of the shape of a kind: the largest of several, or the smallest if the question says so."""
    candidates = [shape for shape in found.shapes if shape.is_a(None, kind)]
    if not candidates:
        return SkillResult(None, evidence=f"no {kind or 'shape'} found")
    smallest = bool(_SMALLEST.search(text))
    chosen = max(candidates, key=lambda shape: -shape.area if smallest else shape.area)
    rivals = len(candidates) - 1 if kind else 0
    confidence = found.sureness([chosen]) / (1 + 0.5 * rivals)
    return SkillResult(written_colour(chosen.colour, text), confidence, f"{chosen.kind} at {chosen.x:.0f},{chosen.y:.0f}")


def _beside(text: str, found: Drawing, thing: tuple[str | None, str | None], side: str) -> SkillResult:
    """Colour (or kind) of the nearest shape on a side of the named one."""
    anchor, sure = _find(found.shapes, thing)
    if anchor is None:
        return SkillResult(None, evidence="the named shape was not found")
    neighbour, clear = _neighbour(found.shapes, anchor, _SIDES[side])
    if neighbour is None:
        return SkillResult(None, evidence=f"nothing {side} of it")
    asks_kind = _SHAPE_ASKED.search(text) and "colo" not in text
    value = neighbour.kind if asks_kind else written_colour(neighbour.colour, text)
    confidence = sure * clear * found.sureness([anchor, neighbour])
    return SkillResult(value, confidence, f"{neighbour.colour} {neighbour.kind} {side} of it")


def _between(
    text: str, found: Drawing, first: tuple[str | None, str | None], second: tuple[str | None, str | None], sides: list[str]
) -> SkillResult:
    """The relation of two named shapes, as yes or no when one is asserted."""
    (one, sure_one), (other, sure_other) = _find(found.shapes, first), _find(found.shapes, second)
    if one is None or other is None:
        return SkillResult(None, evidence="a named shape was not found")
    dx, dy = one.x - other.x, one.y - other.y
    confidence = sure_one * sure_other * found.sureness([one, other])
    if _YES_NO.search(text) and len(sides) == 1:
        x, y = _SIDES[sides[0]]
        offset = dx * x + dy * y
        return SkillResult("yes" if offset > 0 else "no", confidence * min(1.0, abs(offset) / 12), f"offset {dx:.0f},{dy:.0f} px")
    across = abs(dx) >= abs(dy)
    value = ("left" if dx < 0 else "right") if across else ("above" if dy < 0 else "below")
    margin = abs(abs(dx) - abs(dy)) / max(abs(dx) + abs(dy), 1.0)
    return SkillResult(value, confidence * (0.6 + 0.4 * margin), f"offset {dx:.0f},{dy:.0f} px")


def _find(shapes: Sequence[Drawn], thing: tuple[str | None, str | None]) -> tuple[Drawn | None, float]:
    """The shape that fits colour and kind, and how surely it is meant; one that fits by half counts less."""
    colour, kind = thing
    exact = [shape for shape in shapes if shape.is_a(colour, kind)]
    if exact:
        return max(exact, key=lambda shape: shape.confidence), 1.0 / len(exact)
    by_colour = [shape for shape in shapes if colour is not None and shape.colour == colour]
    by_kind = [shape for shape in shapes if kind is not None and shape.is_a(None, kind)]
    close = by_colour if len(by_colour) == 1 else by_kind if len(by_kind) == 1 else []
    return (close[0], 0.5) if close else (None, 0.0)


def _neighbour(shapes: Sequence[Drawn], anchor: Drawn, side: tuple[int, int]) -> tuple[Drawn | None, float]:
    """The nearest shape on a side, straying sideways counting double, and how far it is ahead of the next (0..1)."""

    def cost(shape: Drawn) -> float:
        dx, dy = shape.x - anchor.x, shape.y - anchor.y
        ahead = dx * side[0] + dy * side[1]
        aside = abs(dx * side[1]) + abs(dy * side[0])
        return ahead + 2.0 * aside if ahead > 0.8 * aside else float("inf")

    ranked = sorted((cost(shape), index) for index, shape in enumerate(shapes) if shape is not anchor)
    reachable = [(value, shapes[index]) for value, index in ranked if value < float("inf")]
    if not reachable:
        return None, 0.0
    clear = 1.0 if len(reachable) == 1 else min(1.0, 0.5 + (reachable[1][0] - reachable[0][0]) / max(reachable[0][0], 1.0))
    return reachable[0][1], clear
