"""Shapes that a pixel expert reported, as the counting and perception skills read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maestro.ensembles.playground.procedures.scene_words import is_kind
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


@dataclass(frozen=True)
class Drawn:
    """One reported shape; pixels, y downward."""

    kind: str
    colour: str
    x: float
    y: float
    area: float
    confidence: float

    def is_a(self, colour: str | None, kind: str | None) -> bool:
        """Whether it is of the colour and kind, None meaning any."""
        return (colour is None or self.colour == colour) and (kind is None or is_kind(self.kind, kind))


@dataclass(frozen=True)
class Drawing:
    """All shapes of a picture and how clearly they stand off its background (0..1)."""

    shapes: tuple[Drawn, ...]
    clarity: float

    def sureness(self, among: Sequence[Drawn] | None = None) -> float:
        """0..1: how sure the expert is of all these shapes together (of every shape by default)."""
        chosen = self.shapes if among is None else among
        if not chosen:
            return 0.0
        values = [shape.confidence for shape in chosen]
        return self.clarity * (0.5 * sum(values) / len(values) + 0.5 * min(values))


async def drawing(request: SkillRequest, caller: Caller) -> Drawing:
    """Ask the expert for the shapes of the first image. Raises ValueError when there is no image."""
    reply = await caller.ask("shapes", images=(first_image(request),))
    return Drawing(tuple(_drawn(shape) for shape in reply["shapes"]), float(reply["clarity"]))


def first_image(request: SkillRequest) -> str:
    """Hash of the first image. Raises ValueError when there is none."""
    if not request.images:
        raise ValueError("this skill looks at a picture, and the task has none.")
    return request.images[0]


def _drawn(shape: dict[str, Any]) -> Drawn:
    x, y = shape["centre"]
    return Drawn(str(shape["kind"]), str(shape["colour"]), float(x), float(y), float(shape["area"]), float(shape["confidence"]))


async def counted(request: SkillRequest, caller: Caller, colour: str | None, kind: str | None) -> SkillResult:
    """How many of the shapes drawn have this colour and kind; None fits any."""
    found = await drawing(request, caller)
    if not found.shapes:
        return SkillResult(None, evidence="no shapes found")
    count = sum(1 for shape in found.shapes if shape.is_a(colour, kind))
    # A kind that was not seen at all is more often misread than absent.
    confidence = found.sureness() * (1.0 if count else 0.3)
    return SkillResult(str(count), confidence, f"{count} of {len(found.shapes)} shapes fit")
