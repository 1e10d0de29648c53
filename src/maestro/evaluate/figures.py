"""Figures as SVG text: they scale, need no library, and follow the page's light or dark colours.

Colours are CSS variables with a fallback, so the same text works inside a report and as a file of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

INK, MUTED, GRID, PAPER = "var(--ink,#1c1f24)", "var(--muted,#6b7280)", "var(--grid,#e3e6ea)", "var(--paper,#ffffff)"
BAD = "var(--bad,#b3261e)"
SERIES = tuple(
    f"var(--series-{number},{colour})"
    for number, colour in enumerate(("#2f6fde", "#d9622b", "#1a9a74", "#b0489d", "#8a6d00", "#5c6bc0", "#7a4b2a", "#4a5568"))
)
WIDTH, HEIGHT = 720, 360
PLOT = 600
"""Width of plots that shrink on a narrow screen instead of being scrolled."""
Points = Sequence[tuple[float, float]]
COST = "cost, $ per 1000 questions"


@dataclass(frozen=True)
class Frame:
    """Where data coordinates lie on the page."""

    left: float
    top: float
    right: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Page coordinates of a data point."""
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between `low` and `high`, about so many."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def learning_curves(
    series: Mapping[str, Points],
    x_label: str = "step",
    y_label: str = "utility",
    references: Mapping[str, float] | None = None,
    *,
    marks: Sequence[tuple[float, str]] = (),
    bands: Sequence[tuple[float, float, str]] = (),
) -> str:
    """Lines over training; `references` are level lines with names (lookup, oracle, …).

    `marks` are (x, label) of moments, drawn as upright lines; `bands` are (from, to, label) of stretches, drawn as shaded ground.
    """
    levels = dict(references or {})
    points = [point for line in series.values() for point in line if math.isfinite(point[1])]
    if not points:
        return _empty("nothing measured yet")
    values = [y for _, y in points] + list(levels.values())
    pad = 0.06 * ((max(values) - min(values)) or 1)
    span = (min(0.0, *(x for x, _ in points)), max(x for x, _ in points))
    longest = max(len(name) for name in [*series, *(f"{name} 0.00" for name in levels)])
    frame = Frame(64, 16, WIDTH - max(130.0, 24 + 7.2 * longest), HEIGHT - 46, span, (min(values) - pad, max(values) + pad))
    parts = [*(_band(frame, band) for band in bands), _axes(frame, x_label, y_label), *(_mark(frame, mark) for mark in marks)]
    labels: list[tuple[float, str, str]] = []
    for name, level in levels.items():
        _, y = frame.at(span[0], level)
        parts.append(_line([(frame.left, y), (frame.right, y)], MUTED, 1.2, "5 4"))
        labels.append((y, f"{name} {level:.2f}", MUTED))
    for (name, line), colour in zip(series.items(), _colours(len(series)), strict=True):
        places = [frame.at(x, y) for x, y in line if math.isfinite(y)]
        if not places:
            continue
        parts.append(_line(places, colour, 2.2) if len(places) > 1 else _dot(*places[0], colour))
        labels.append((places[-1][1], name, colour))
    parts += [_text(frame.right + 8, y, text, colour, size=12, weight=600) for y, text, colour in _spread(labels, 15, frame)]
    return _svg("".join(parts), WIDTH, HEIGHT, f"{y_label} by {x_label}")


def call_map(shares: Mapping[str, Mapping[str, float]], columns: Sequence[str], title: str = "calls per question") -> str:
    """Heat map: one row a category, one column an expert (or pair); the cell is how often it was called per question."""
    rows = list(shares)
    if not rows or not columns:
        return _empty("no calls")
    left = max(150.0, 20 + 6.6 * max(map(len, rows)))
    top, cell_width, cell_height = 118, min(64.0, max(34.0, 640 / len(columns))), 22
    width, height = left + cell_width * len(columns) + 70, top + cell_height * len(rows) + 12
    parts = []
    for number, name in enumerate(columns):
        x = left + cell_width * (number + 0.5)
        parts.append(f'<g transform="translate({x:.1f},{top - 8}) rotate(-40)">{_text(0, 0, name, INK, size=12)}</g>')
    for line, row in enumerate(rows):
        y = top + line * cell_height
        parts.append(_text(left - 8, y + cell_height / 2, row.replace("_", " "), INK, size=12, anchor="end"))
        for number, name in enumerate(columns):
            share = shares[row].get(name, 0.0)
            parts.append(_cell(left + number * cell_width, y, cell_width, cell_height, share, f"{row}: {name} {share:.2f} {title}"))
    return _svg("".join(parts), width, height, f"{title} by category")


def cost_accuracy(points: Mapping[str, tuple[float, float, float, float]], cost_weight: float | None = None) -> str:
    """Scatter of (cost in $ per 1000 questions, accuracy, its low, its high) by policy; with a weight over lines of equal utility."""
    if not points:
        return _empty("nothing measured yet")
    most = max(cost for cost, *_ in points.values()) * 1.12 or 1.0
    low = max(0.0, min(bottom for *_, bottom, _ in points.values()) - 0.04)
    high = min(1.02, max(top for *_, top in points.values()) + 0.04)
    frame = Frame(64, 16, PLOT - 30, HEIGHT - 46, (0, most), (low, high))
    parts = [_axes(frame, COST, "accuracy", percent=True)]
    parts += [_equal_utility(frame, cost_weight)] if cost_weight is not None else []
    dots: list[tuple[float, float]] = []
    labels: list[tuple[float, float, str, str]] = []
    for (name, (cost, accuracy, bottom, top)), colour in zip(points.items(), _colours(len(points)), strict=True):
        x, y = frame.at(cost, accuracy)
        parts.append(_line([frame.at(cost, bottom), frame.at(cost, top)], colour, 1.6))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}" stroke="{PAPER}" stroke-width="1.5">{_hover(name)}</circle>')
        dots.append((x, y))
        long = 7.2 * len(name)
        labels.append((x + 9 if x + 9 + long < PLOT else max(frame.left + 4, x - 9 - long), y, name, colour))
    parts += [_text(x, y, name, colour, size=12, weight=600) for x, y, name, colour in _apart(labels, dots)]
    return _svg("".join(parts), PLOT, HEIGHT, "accuracy by cost", "fits")


def trade_offs(lines: Mapping[str, Sequence[tuple[float, float, str]]], front: Points) -> str:
    """A line of (cost in $ per 1000 questions, accuracy, setting) for each system, and the front of all points, dashed."""
    points = [(cost, accuracy) for line in lines.values() for cost, accuracy, _ in line]
    if not points:
        return _empty("nothing measured yet")
    most = max(cost for cost, _ in points) * 1.06 or 1.0
    low, high = min(accuracy for _, accuracy in points), max(accuracy for _, accuracy in points)
    pad = max(0.02, 0.08 * (high - low))
    frame = Frame(64, 16, PLOT - 130, HEIGHT - 46, (0, most), (max(0.0, low - pad), min(1.02, high + pad)))
    parts = [_axes(frame, COST, "accuracy", percent=True), _line([frame.at(*one) for one in front], MUTED, 1.2, "5 4")]
    labels: list[tuple[float, str, str]] = []
    for (name, line), colour in zip(lines.items(), _colours(len(lines)), strict=True):
        ordered = sorted(line)
        parts.append(_line([frame.at(cost, accuracy) for cost, accuracy, _ in ordered], colour, 1.8))
        for cost, accuracy, setting in ordered:
            x, y = frame.at(cost, accuracy)
            told = _hover(f"{name}, {setting}: {100 * accuracy:.1f} % at ${cost:.3f}")
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}" stroke="{PAPER}" stroke-width="1.2">{told}</circle>')
        labels.append((frame.at(*ordered[-1][:2])[1], name, colour))
    parts += [_text(frame.right + 10, y, text, colour, size=12, weight=600) for y, text, colour in _spread(labels, 15, frame)]
    return _svg("".join(parts), PLOT, HEIGHT, "accuracy by cost", "fits")


def intervals(rows: Sequence[tuple[str, float, float, float]], x_label: str, stressed: frozenset[str] = frozenset()) -> str:
    """A dot with its interval a row, shares on a scale from 0 to 100 %; rows are (name, mean, low, high)."""
    if not rows:
        return _empty("nothing measured yet")
    left, step = min(340.0, 84 + 7.2 * max(len(name) for name, *_ in rows)), 26
    height = 20 + step * len(rows) + 46
    width = left + 380
    frame = Frame(left, 12, width - 24, height - 46, (0.0, 1.0), (0.0, 1.0))
    parts = []
    for value in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, _ = frame.at(value, 0)
        parts.append(_line([(x, frame.top), (x, frame.bottom)], GRID, 1))
        parts.append(_text(x, frame.bottom + 16, f"{100 * value:g} %", MUTED, size=11, anchor="middle"))
    parts.append(_text((frame.left + frame.right) / 2, frame.bottom + 36, x_label, MUTED, size=12, anchor="middle"))
    for number, (name, mean, low, high) in enumerate(rows):
        y = frame.top + step * (number + 0.6)
        colour = SERIES[1] if name in stressed else SERIES[0]
        weight = 650 if name in stressed else 400
        (start, _), (dot, _), (end, _) = (frame.at(one, 0) for one in (low, mean, high))
        parts.append(_text(left - 70, y, name, INK, size=12, anchor="end", weight=weight))
        parts.append(_text(left - 12, y, f"{100 * mean:.1f} %", INK, size=12, anchor="end", weight=weight))
        parts.append(_line([(start, y), (end, y)], colour, 2.2))
        spot = f'<circle cx="{dot:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}" stroke="{PAPER}" stroke-width="1.5">'
        parts.append(f"{spot}{_hover(f'{name}: {100 * mean:.1f} % [{100 * low:.1f}, {100 * high:.1f}]')}</circle>")
    return _svg("".join(parts), width, height, x_label, "fits")


def differences(rows: Sequence[tuple[str, float, float, float, bool]], x_label: str) -> str:
    """A dot with its interval a row beside a line at zero; rows are (name, mean, low, high, whether it holds after correction)."""
    if not rows:
        return _empty("nothing compared yet")
    step, width = 44, 600
    reach = 1.08 * max(1e-9, *(abs(bound) for _, _, low, high, _ in rows for bound in (low, high)))
    height = 14 + step * len(rows) + 46
    frame = Frame(16, 8, width - 16, height - 46, (-reach, reach), (0.0, 1.0))
    parts = []
    marks = {value: frame.at(value, 0)[0] for value in ticks(-reach, reach, 6)}
    parts += [_text(x, frame.bottom + 16, f"{value:+g}" if value else "0", MUTED, size=11, anchor="middle") for value, x in marks.items()]
    parts.append(_text(width / 2, frame.bottom + 36, x_label, MUTED, size=12, anchor="middle"))
    for number, (name, mean, low, high, holds) in enumerate(rows):
        y, colour = frame.top + step * number + 30, SERIES[0] if holds else MUTED
        (start, _), (dot, _), (end, _) = (frame.at(one, 0) for one in (low, mean, high))
        told = f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"
        parts += [_line([(x, y - 8), (x, y + 8)], GRID if value else MUTED, 1) for value, x in marks.items()]
        parts.append(_text(frame.left, y - 17, name, INK, size=12, weight=600 if holds else 400))
        parts.append(_text(frame.right, y - 17, told, INK, size=12, anchor="end", weight=600 if holds else 400))
        parts.append(_line([(start, y), (end, y)], colour, 2.2))
        spot = f'<circle cx="{dot:.1f}" cy="{y:.1f}" r="4.5" fill="{colour}" stroke="{PAPER}" stroke-width="1.5">'
        parts.append(f"{spot}{_hover(f'{name}: {told}')}</circle>")
    return _svg("".join(parts), width, height, x_label, "fits")


def _equal_utility(frame: Frame, cost_weight: float) -> str:
    """Faint lines along which a dollar more is exactly paid for by accuracy; higher and further left is better."""
    rise = cost_weight / 1000 * (frame.x[1] - frame.x[0])
    parts = []
    for utility in ticks(frame.y[0] - rise, frame.y[1], 7):
        start, end = _clipped(frame, utility, cost_weight)
        if start is not None and end is not None:
            parts.append(_line([frame.at(*start), frame.at(*end)], MUTED, 0.6, "2 4"))
            x, y = frame.at(*end)
            parts.append(
                _text(x - 4, y + (10 if end[1] >= frame.y[1] - 1e-9 else -6), f"utility {utility:g}", MUTED, size=10, anchor="end")
            )
    return "".join(parts)


def _clipped(frame: Frame, utility: float, cost_weight: float) -> tuple[tuple[float, float] | None, tuple[float, float] | None]:
    """Ends of the line accuracy = utility + cost_weight * cost / 1000 inside the frame."""
    slope = cost_weight / 1000
    crossings = [(frame.x[0], utility + slope * frame.x[0]), (frame.x[1], utility + slope * frame.x[1])]
    if slope > 0:
        crossings += [((level - utility) / slope, level) for level in frame.y]
    inside = sorted(
        {(x, y) for x, y in crossings if frame.x[0] - 1e-9 <= x <= frame.x[1] + 1e-9 and frame.y[0] - 1e-9 <= y <= frame.y[1] + 1e-9}
    )
    return (inside[0], inside[-1]) if len(inside) > 1 else (None, None)


def _axes(frame: Frame, x_label: str, y_label: str, *, percent: bool = False) -> str:
    parts = []
    for value in ticks(*frame.y):
        _, y = frame.at(frame.x[0], value)
        parts.append(_line([(frame.left, y), (frame.right, y)], GRID, 1))
        parts.append(_text(frame.left - 8, y, f"{100 * value:g} %" if percent else f"{value:g}", MUTED, size=11, anchor="end"))
    for value in ticks(*frame.x, 7):
        x, _ = frame.at(value, frame.y[0])
        parts.append(_text(x, frame.bottom + 16, f"{value:g}", MUTED, size=11, anchor="middle"))
    parts.append(_line([(frame.left, frame.bottom), (frame.right, frame.bottom)], MUTED, 1))
    parts.append(_text((frame.left + frame.right) / 2, frame.bottom + 36, x_label, MUTED, size=12, anchor="middle"))
    middle = (frame.top + frame.bottom) / 2
    parts.append(f'<g transform="translate(7,{middle:.1f}) rotate(-90)">{_text(0, 0, y_label, MUTED, size=12, anchor="middle")}</g>')
    return "".join(parts)


def _band(frame: Frame, band: tuple[float, float, str]) -> str:
    """Shaded ground from one x to another, as much of it as lies inside."""
    begin, end = (min(max(x, frame.x[0]), frame.x[1]) for x in band[:2])
    (left, _), (right, _) = frame.at(begin, 0), frame.at(end, 0)
    box = f'<rect x="{left:.1f}" y="{frame.top:.1f}" width="{max(2.0, right - left):.1f}" height="{frame.bottom - frame.top:.1f}"'
    return f'{box} fill="{BAD}" fill-opacity="0.12">{_hover(band[2])}</rect>'


def _mark(frame: Frame, mark: tuple[float, str]) -> str:
    """An upright line with its label at the top."""
    x, _ = frame.at(mark[0], 0)
    line = _line([(x, frame.top), (x, frame.bottom)], BAD, 1.2, "3 3")
    return line + _text(x + 3, frame.top + 6, mark[1], BAD, size=11, weight=600)


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


def _cell(x: float, y: float, width: float, height: float, share: float, hover: str) -> str:
    strength = min(1.0, share)
    box = (
        f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{width - 2:.1f}" height="{height - 2:.1f}" rx="3" fill="{SERIES[0]}" '
        f'fill-opacity="{0.05 + 0.95 * strength:.2f}">{_hover(hover)}</rect>'
    )
    if share < 0.05:
        return box
    colour = "#ffffff" if strength > 0.5 else INK
    return box + _text(x + width / 2, y + height / 2, f"{share:.2f}".lstrip("0"), colour, size=11, anchor="middle")


def _spread(labels: Sequence[tuple[float, str, str]], gap: float, frame: Frame) -> list[tuple[float, str, str]]:
    """Labels moved apart vertically so that none covers another."""
    placed: list[tuple[float, str, str]] = []
    floor = frame.top
    for y, text, colour in sorted(labels):
        at = max(y, floor)
        placed.append((at, text, colour))
        floor = at + gap
    over = max(0.0, floor - gap - frame.bottom)
    return [(y - over, text, colour) for y, text, colour in placed]


def _apart(labels: Sequence[tuple[float, float, str, str]], dots: Points) -> list[tuple[float, float, str, str]]:
    """Labels of points moved down until they cover neither another label nor another point's dot."""
    placed: list[tuple[float, float, str, str]] = []
    for x, y, text, colour in sorted(labels, key=lambda label: label[1]):
        at, end = y, x + 7.2 * len(text)
        while any(abs(at - other) < 14 and x < ox + 8 * len(name) and ox < end for ox, other, name, _ in placed) or any(
            abs(at - dot) < 10 and x - 3 < across < end for across, dot in dots
        ):
            at += 3
        placed.append((x, at, text, colour))
    return placed


def _colours(count: int) -> list[str]:
    return [SERIES[number % len(SERIES)] for number in range(count)]


def _line(points: Sequence[tuple[float, float]], colour: str, width: float, dash: str = "") -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dashes}/>'


def _text(x: float, y: float, text: str, colour: str, *, size: int = 12, anchor: str = "start", weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
        f'dominant-baseline="middle">{escape(text)}</text>'
    )


def _hover(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _svg(body: str, width: float, height: float, label: str, kind: str = "") -> str:
    """A drawing; of the kind `fits` it shrinks on a narrow screen as long as it can be read, others are scrolled there."""
    named = f'class="{kind}" ' if kind else ""
    return (
        f'<svg {named}xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" role="img" '
        f'aria-label="{escape(label)}" font-family="system-ui,-apple-system,Segoe UI,Roboto,sans-serif">{body}</svg>'
    )


def _empty(reason: str) -> str:
    return _svg(_text(WIDTH / 2, 40, reason, MUTED, anchor="middle"), WIDTH, 80, reason)
