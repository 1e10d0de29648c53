"""Trains the forest that names blobs, on blobs drawn for the purpose: `python -m ...forest_training` rewrites the shipped file.

Needs scikit-learn; the trained forest does not.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.playground.experts.blob_features import blob_features
from maestro.ensembles.playground.experts.components import blobs
from maestro.ensembles.playground.experts.forest import Forest

FOREST_FILE = Path(__file__).with_name("blob_forest.npz")
SHAPES = ("circle", "square", "triangle", "star", "pentagon", "hexagon", "diamond")
GROUPS = ("two", "three", "four")
CLASSES = (*SHAPES, *GROUPS, "stroke")
"""Single shapes, groups of that many overlapping discs, and crumbs of stray strokes."""


def train_forest(samples: int = 9000, trees: int = 60, leaves: int = 160) -> Forest:
    """Extremely randomised trees on `samples` drawn blobs; the same on every run with one version of scikit-learn."""
    from sklearn.ensemble import ExtraTreesClassifier

    rng = random.Random("blob forest")
    rows: list[NDArray[np.float32]] = []
    labels: list[int] = []
    while len(rows) < samples:
        label = rng.choice(CLASSES)
        drawn = draw_blob(rng, label)
        if drawn is not None:
            rows.append(drawn)
            labels.append(CLASSES.index(label))
    model = ExtraTreesClassifier(trees, max_leaf_nodes=leaves, max_features=0.25, random_state=7, n_jobs=1)
    model.fit(np.stack(rows), np.array(labels))
    return flattened(CLASSES, [tree.tree_ for tree in model.estimators_])


def draw_blob(rng: random.Random, label: str) -> NDArray[np.float32] | None:
    """Features of one drawn blob of a class; None when the drawing fell apart."""
    import cv2

    canvas = np.zeros((200, 200), dtype=np.float32)
    radius = rng.choice((rng.uniform(6, 14), rng.uniform(10, 32)))
    if label in SHAPES:
        _fill(canvas, _corners(rng, label, (100 + rng.random(), 100 + rng.random()), radius))
    elif label in GROUPS:
        for x, y, r in _group(rng, GROUPS.index(label) + 2, min(radius, 26) + 4):
            _fill(canvas, _ring(x, y, r))
    else:
        for _ in range(rng.randint(1, 3)):
            start = (rng.randint(70, 130), rng.randint(70, 130))
            end = (start[0] + rng.randint(-40, 40), start[1] + rng.randint(-40, 40))
            cv2.line(canvas, start, end, 1.0, rng.randint(2, 4), cv2.LINE_AA)
    if label in SHAPES and rng.random() < 0.35:
        # A stray stroke that an opening did not take away altogether.
        angle, length = rng.uniform(0, 6.28), radius * rng.uniform(1.1, 1.7)
        end = (round(100 + length * np.cos(angle)), round(100 + length * np.sin(angle)))
        cv2.line(canvas, (100, 100), end, 1.0, 2, cv2.LINE_AA)
    return _observed(rng, canvas)


def _observed(rng: random.Random, canvas: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """The drawing as the expert would find it: blurred, grainy, thresholded, cleaned; the largest blob's features."""
    import cv2

    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(0, 0.22), canvas.shape)
    seen = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 1.0)) + noise.astype(np.float32)
    seen = cv2.medianBlur(np.clip(seen * 180 + 30, 0, 255).astype(np.uint8), 3)
    mask = np.where(seen > 30 + 180 * rng.uniform(0.3, 0.6), 255, 0).astype(np.uint8)
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), dtype=np.uint8)
    found = blobs(mask, 25)
    if not found:
        return None
    blob = max(found, key=lambda candidate: candidate.area)
    return blob_features(blob.filled, blob.area)


def _group(rng: random.Random, count: int, radius: float) -> list[tuple[float, float, float]]:
    """Discs in a chain, each overlapping the one before or another one."""
    discs = [(100.0, 100.0, radius * rng.uniform(0.85, 1.15))]
    while len(discs) < count:
        x, y, _ = rng.choice(discs)
        angle, away = rng.uniform(0, 2 * np.pi), radius * rng.uniform(1.15, 1.95)
        other = (x + away * np.cos(angle), y + away * np.sin(angle), radius * rng.uniform(0.85, 1.15))
        if all(np.hypot(other[0] - a, other[1] - b) > 1.1 * max(other[2], c) for a, b, c in discs):
            discs.append((float(other[0]), float(other[1]), float(other[2])))
    middle = np.mean([disc[:2] for disc in discs], axis=0)
    return [(disc[0] + 100 - float(middle[0]), disc[1] + 100 - float(middle[1]), disc[2]) for disc in discs]


def _ring(x: float, y: float, radius: float) -> NDArray[np.float64]:
    turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return np.stack([x + radius * np.cos(turns), y + radius * np.sin(turns)], axis=1)


def _corners(rng: random.Random, kind: str, centre: tuple[float, float], radius: float) -> NDArray[np.float64]:
    if kind == "circle":
        return _ring(*centre, radius)
    count = {"square": 4, "diamond": 4, "triangle": 3, "pentagon": 5, "hexagon": 6, "star": 10}[kind]
    turn = (
        {"square": 45.0, "diamond": 0.0}.get(kind, 0.0)
        + rng.uniform(-18, 18)
        + (180.0 * rng.randint(0, 1) if kind in {"triangle", "pentagon"} else 0)
    )
    angles = np.deg2rad(-90.0 + turn + 360.0 * np.arange(count) / count)
    radii = np.where(np.arange(count) % 2 == 0, 1.0, rng.uniform(0.36, 0.52) if kind == "star" else 1.0) * radius
    stretch = rng.uniform(0.92, 1.08)
    return np.stack([centre[0] + stretch * radii * np.cos(angles), centre[1] + radii * np.sin(angles)], axis=1)


def _fill(canvas: NDArray[np.float32], corners: NDArray[np.float64]) -> None:
    import cv2

    cv2.fillPoly(canvas, [np.round(corners * 16).astype(np.int32)], 1.0, lineType=cv2.LINE_AA, shift=4)


def flattened(classes: tuple[str, ...], trees: list[Any]) -> Forest:
    """The `tree_` of fitted scikit-learn classifiers laid end to end."""
    roots, left, right, feature, threshold, shares = [], [], [], [], [], []
    offset = 0
    for tree in trees:
        inner = tree.children_left >= 0
        roots.append(offset)
        left.append(np.where(inner, tree.children_left + offset, -1))
        right.append(np.where(inner, tree.children_right + offset, -1))
        feature.append(np.where(inner, tree.feature, 0))
        threshold.append(tree.threshold)
        values = tree.value[:, 0, :]
        shares.append(values / values.sum(axis=1, keepdims=True))
        offset += len(inner)
    return Forest(
        classes,
        np.array(roots, np.int32),
        np.concatenate(left).astype(np.int32),
        np.concatenate(right).astype(np.int32),
        np.concatenate(feature).astype(np.int16),
        np.concatenate(threshold).astype(np.float32),
        np.concatenate(shares).astype(np.float16),
    )


if __name__ == "__main__":
    train_forest().save(FOREST_FILE)
