"""Circles by random sample consensus: pairs of edge points vote, verified edge support decides, and each circle must explain new edges."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_RAYS = 96


@dataclass(frozen=True)
class Circle:
    """A circle in pixels with the share of its outline on edges that run along it (`support`) and new to the cover (`fresh`)."""

    x: float
    y: float
    radius: float
    support: float
    fresh: float
    angles: tuple[float, ...] = ()
    """Directions (radians, clockwise from right) in which the outline is seen and was not seen before."""

    def reply(self) -> dict[str, float]:
        """As JSON."""
        return {"x": round(self.x, 1), "y": round(self.y, 1), "radius": round(self.radius, 1), "support": round(self.support, 3)}


@dataclass(frozen=True)
class Edges:
    """Edge points (x, y) with unit gradient directions, and maps to look them up."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    index: NDArray[np.int32]
    """Index of the nearest edge point for each pixel, shape (height, width)."""
    distance: NDArray[np.float32]
    """Distance to it in pixels."""


def edges_of(image: NDArray[np.uint8], blur: float) -> Edges | None:
    """Canny edges of an RGB picture, each pixel in the channel that changes most there. None when there are too few.

    The thresholds come from the picture's own gradients.
    """
    import cv2

    smooth = cv2.GaussianBlur(image, (0, 0), blur) if blur > 0 else image
    gradients_x = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3)
    gradients_y = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    strengths = np.abs(gradients_x) + np.abs(gradients_y)
    channel = strengths.argmax(axis=2)[:, :, None]
    gradient_x, gradient_y, strength = (np.take_along_axis(v, channel, axis=2)[:, :, 0] for v in (gradients_x, gradients_y, strengths))
    typical, strong = np.percentile(strength, [60, 99.3])
    high = float(max(3.5 * typical, 0.25 * strong, 24.0))
    edge = cv2.Canny(gradient_x.astype(np.int16), gradient_y.astype(np.int16), 0.45 * high, high)
    ys, xs = np.nonzero(edge)
    if len(xs) < 24:
        return None
    directions = np.stack([gradient_x[ys, xs], gradient_y[ys, xs]], axis=1).astype(np.float64)
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
    distance, labels = cv2.distanceTransformWithLabels(255 - edge, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    lookup = np.zeros(int(labels.max()) + 1, dtype=np.int32)
    lookup[labels[ys, xs]] = np.arange(len(xs))
    points = np.stack([xs, ys], axis=1).astype(np.float64)
    return Edges(points, directions, lookup[labels], distance)


def cover(
    edges: Edges, least_radius: float, most_radius: float, *, least_support: float = 0.3, limit: int = 40
) -> tuple[list[Circle], float]:
    """Greedy cover of the edges by circles, best first, and the share of edge points explained.

    Deterministic: the samples come from a fixed seed.
    """
    random = np.random.default_rng(7)
    unexplained = np.ones(len(edges.points), dtype=bool)
    found: list[Circle] = []
    misses = 0
    while len(found) < limit and misses < 2 and unexplained.sum() >= 20:
        hypotheses = _propose(edges, unexplained, random, least_radius, most_radius)
        best = _best(edges, unexplained, hypotheses, least_support)
        if best is None:
            misses += 1
            continue
        circle, touched = best
        circle, covered = _refine(edges, unexplained, circle, touched)
        circle = _with_angles(edges, unexplained, circle)
        unexplained[covered] = False
        found.append(circle)
        misses = 0
    return found, 1.0 - float(unexplained.mean())


def merge_concentric(circles: list[Circle], gap: float) -> list[Circle]:
    """Inner and outer edge of one stroke become one circle (the outer); `gap` is the largest stroke width in pixels.

    Of two circles of about the same size and place, which short arcs may give twice, the better supported one stays.
    """
    kept: list[Circle] = []
    for circle in sorted(circles, key=lambda c: -c.radius):
        apart = [(float(np.hypot(circle.x - other.x, circle.y - other.y)), other) for other in kept]
        if any(away < 0.12 * other.radius + 1.5 and other.radius - circle.radius < max(gap, 0.3 * other.radius) for away, other in apart):
            continue
        twin = next((other for away, other in apart if away < 0.4 * other.radius and circle.radius > 0.72 * other.radius), None)
        if twin is None:
            kept.append(circle)
        elif circle.support > twin.support:
            kept[kept.index(twin)] = circle
    return sorted(kept, key=lambda c: (c.y, c.x))


def without_redundant(circles: list[Circle], edges: Edges, least_share: float = 0.15) -> list[Circle]:
    """Circles that explain, alone, edge points along at least `least_share` of their outline; the weakest leaves first."""
    kept = list(circles)
    owned = [_explained(edges, circle, inward=_stroke(circle)) for circle in kept]
    while len(kept) > 1:
        times = np.sum(owned, axis=0)
        shares = [float((mine & (times == 1)).sum()) / (2 * np.pi * circle.radius) for mine, circle in zip(owned, kept, strict=True)]
        weakest = int(np.argmin(shares))
        if shares[weakest] >= least_share:
            break
        del kept[weakest], owned[weakest]
    return kept


def _stroke(circle: Circle) -> float:
    """How far inside the outer edge, in pixels, the inner edge of the same stroke may lie."""
    return max(3.5, 0.1 * circle.radius)


def _explained(edges: Edges, circle: Circle, inward: float = 0.0) -> NDArray[np.bool_]:
    """Which edge points run along a circle, at most `inward` pixels inside it or the usual tolerance if that is more."""
    offset = edges.points - (circle.x, circle.y)
    away = np.hypot(offset[:, 0], offset[:, 1])
    radial = np.abs((offset * edges.normals).sum(axis=1)) / np.maximum(away, 1e-9)
    tolerance = float(np.clip(0.05 * circle.radius, 2.0, 3.5))
    outside = away - circle.radius
    return np.asarray((outside < tolerance) & (outside > -max(tolerance, inward)) & (radial > 0.8))


def _with_angles(edges: Edges, free: NDArray[np.bool_], circle: Circle) -> Circle:
    index, hit = _hits(edges, np.array([circle.x]), np.array([circle.y]), np.array([circle.radius]))
    seen = np.nonzero(hit[0] & free[index[0]])[0]
    return replace(circle, angles=tuple(float(ray) * 2 * np.pi / _RAYS for ray in seen))


def _propose(
    edges: Edges, free: NDArray[np.bool_], random: np.random.Generator, least_radius: float, most_radius: float, samples: int = 6000
) -> NDArray[np.float64]:
    """Circles (x, y, radius) through two unexplained edge points whose normals meet at one distance from both."""
    pool = np.nonzero(free)[0]
    first = random.choice(pool, samples)
    # A partner near the first point more often lies on the same circle than one drawn from anywhere.
    local = edges.points[first] + random.normal(0.0, most_radius * random.choice([0.25, 0.6, 1.0], samples)[:, None], (samples, 2))
    height, width = edges.distance.shape
    xs = np.clip(np.round(local[:, 0]), 0, width - 1).astype(int)
    ys = np.clip(np.round(local[:, 1]), 0, height - 1).astype(int)
    second = edges.index[ys, xs]
    p, q, n, m = edges.points[first], edges.points[second], edges.normals[first], edges.normals[second]
    cross = n[:, 0] * m[:, 1] - n[:, 1] * m[:, 0]
    usable = (np.abs(cross) > 0.15) & free[second]
    p, q, n, m, cross = p[usable], q[usable], n[usable], m[usable], cross[usable]
    d = q - p
    t = (d[:, 0] * m[:, 1] - d[:, 1] * m[:, 0]) / cross
    u = (d[:, 0] * n[:, 1] - d[:, 1] * n[:, 0]) / cross
    radius = (np.abs(t) + np.abs(u)) / 2
    agree = (np.abs(np.abs(t) - np.abs(u)) < 0.08 * radius + 1.5) & (radius >= least_radius) & (radius <= most_radius)
    # One circle's two points are both inside-out or both outside-in of the same stroke edge.
    agree &= np.sign(t) == np.sign(u)
    centre = p[agree] + t[agree, None] * n[agree]
    return np.concatenate([centre, radius[agree, None]], axis=1)


def _hits(
    edges: Edges, x: NDArray[np.float64], y: NDArray[np.float64], r: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """For each circle and ray the edge point index and whether it lies on the circle with a radial gradient; shape (circles, rays)."""
    angles = np.linspace(0, 2 * np.pi, _RAYS, endpoint=False)
    cos, sin = np.cos(angles), np.sin(angles)
    xs, ys = x[:, None] + r[:, None] * cos, y[:, None] + r[:, None] * sin
    height, width = edges.distance.shape
    inside = (xs > -0.5) & (ys > -0.5) & (xs < width - 0.5) & (ys < height - 0.5)
    ix = np.clip(np.round(xs), 0, width - 1).astype(int)
    iy = np.clip(np.round(ys), 0, height - 1).astype(int)
    index = edges.index[iy, ix]
    radial = np.abs(edges.normals[index, 0] * cos + edges.normals[index, 1] * sin)
    near = edges.distance[iy, ix] <= np.clip(0.035 * r, 1.3, 2.2)[:, None]
    return index, inside & near & (radial > 0.86)


def _best(
    edges: Edges, free: NDArray[np.bool_], hypotheses: NDArray[np.float64], least_support: float
) -> tuple[Circle, NDArray[np.int32]] | None:
    if len(hypotheses) == 0:
        return None
    index, hit = _hits(edges, hypotheses[:, 0], hypotheses[:, 1], hypotheses[:, 2])
    fresh = hit & free[index]
    support, new = hit.mean(axis=1), fresh.mean(axis=1)
    score = np.where((support >= least_support) & (new >= 0.6 * least_support), new + 0.35 * support, -1.0)
    # Longer arcs carry more evidence than the same share of a small circle.
    score *= 1.0 + 0.12 * np.log(np.maximum(hypotheses[:, 2], 1.0))
    winner = int(np.argmax(score))
    if score[winner] <= 0:
        return None
    x, y, radius = (float(v) for v in hypotheses[winner])
    return Circle(x, y, radius, float(support[winner]), float(new[winner])), index[winner][hit[winner]]


def _refine(edges: Edges, free: NDArray[np.bool_], circle: Circle, touched: NDArray[np.int32]) -> tuple[Circle, NDArray[np.int64]]:
    """Least-squares circle through the supporting points; returns it with every edge point it explains."""
    x, y, radius = circle.x, circle.y, circle.radius
    for _ in range(2):
        points = edges.points[np.unique(touched)]
        if len(points) < 8:
            break
        system = np.column_stack([2 * points, np.ones(len(points))])
        (a, b, c), *_ = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)
        fitted = float(np.sqrt(max(c + a * a + b * b, 1e-9)))
        if abs(fitted - radius) > 0.25 * radius or np.hypot(a - x, b - y) > 0.25 * radius:
            break
        index, hit = _hits(edges, np.array([a]), np.array([b]), np.array([fitted]))
        if hit.mean() < circle.support - 0.02:
            break
        x, y, radius, touched = float(a), float(b), fitted, index[0][hit[0]]
        circle = Circle(x, y, radius, float(hit.mean()), float((hit & free[index]).mean()))
    # The inner edge of the same stroke goes with it; the outer one does not, because the outer circle is the one to report.
    return circle, np.nonzero(_explained(edges, circle, inward=_stroke(circle)))[0]
