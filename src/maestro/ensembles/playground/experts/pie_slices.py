"""The slices of a pie chart by the angle they span, read on a ring inside the disc."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.background import Scene
from maestro.ensembles.playground.experts.colours import hue_name
from maestro.ensembles.playground.experts.components import Mask, blobs
from maestro.ensembles.playground.experts.splitting import dominant_colours, nearest

_ANGLES = 1440


@dataclass(frozen=True)
class Slice:
    """One colour of the pie, its share of the turn (0..1) and the middle of its span in pixels."""

    colour: str
    share: float
    middle: tuple[float, float]
    rgb: tuple[int, int, int]

    def reply(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "colour": self.colour,
            "share": round(self.share, 4),
            "middle": [round(self.middle[0]), round(self.middle[1])],
            "rgb": list(self.rgb),
        }


def pie_slices(scene: Scene, mask: Mask) -> tuple[list[Slice], float]:
    """Slices, largest first, and how surely the figure is a pie (0..1). Empty when there is no disc."""
    disc = _disc(mask)
    if disc is None:
        return [], 0.0
    x, y, radius, roundness = disc
    angles = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    rings = np.linspace(0.62, 0.9, 9) * radius
    columns = np.clip(np.round(x + rings[:, None] * np.cos(angles)), 0, mask.shape[1] - 1).astype(int)
    rows = np.clip(np.round(y + rings[:, None] * np.sin(angles)), 0, mask.shape[0] - 1).astype(int)
    lab = scene.lab[rows, columns]
    foreground = scene.distance[rows, columns] > scene.threshold
    centres = dominant_colours(lab[foreground], separation=12.0, least_share=0.012)
    if len(centres) == 0:
        return [], 0.0
    labels = nearest(lab, centres)
    votes = np.stack([((labels == index) & foreground).sum(axis=0) for index in range(len(centres))])
    winners = votes.argmax(axis=0)
    agreement = float(votes.max(axis=0).mean() / len(rings))
    runs = [run for run in _runs(winners) if run[1] >= _ANGLES * 0.008]
    total = sum(length for _, length, _ in runs)
    slices: dict[int, list[tuple[int, int]]] = {}
    for start, length, label in runs:
        slices.setdefault(label, []).append((start, length))
    found = []
    for label, spans in slices.items():
        rgb = np.median(scene.rgb[rows, columns][(labels == label) & foreground], axis=0)
        start, length = max(spans, key=lambda span: span[1])
        turn = 2 * np.pi * (start + length / 2) / _ANGLES
        middle = (x + 0.7 * radius * np.cos(turn), y + 0.7 * radius * np.sin(turn))
        shade = (int(rgb[0]), int(rgb[1]), int(rgb[2]))
        found.append(Slice(hue_name(rgb)[0], sum(span[1] for span in spans) / max(total, 1), middle, shade))
    return sorted(found, key=lambda part: -part.share), float(np.clip(roundness * agreement, 0.0, 1.0))


def _disc(mask: Mask) -> tuple[float, float, float, float] | None:
    """Centre, radius and roundness of the largest blob with the separators between slices closed."""
    import cv2

    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    solid = cv2.morphologyEx(np.asarray(closed), cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9)))
    found = blobs(np.asarray(solid, dtype=np.uint8), 200)
    if not found:
        return None
    blob = max(found, key=lambda candidate: int((candidate.filled > 0).sum()))
    full = blob.filled
    distance = cv2.distanceTransform(cv2.copyMakeBorder(full, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)), cv2.DIST_L2, 5)
    _, radius, _, (x, y) = cv2.minMaxLoc(distance)
    area = float((full > 0).sum())
    roundness = min(1.0, np.pi * radius * radius / max(area, 1.0) * 1.03)
    return x - 1 + blob.box[0], y - 1 + blob.box[1], float(radius), float(roundness)


def _runs(labels: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Runs (start, length, label) around the turn, joined across its end."""
    turns = np.nonzero(labels != np.roll(labels, 1))[0]
    if len(turns) == 0:
        return [(0, len(labels), int(labels[0]))]
    lengths = np.diff(np.append(turns, turns[0] + len(labels)))
    return [(int(start), int(length), int(labels[start])) for start, length in zip(turns, lengths, strict=True)]
