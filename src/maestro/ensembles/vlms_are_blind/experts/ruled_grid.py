"""Rows and columns of a ruled grid: two families of full-length lines fitted to the ink, on whichever colour is the paper."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro.ensembles.vlms_are_blind.experts.backdrop import (
    LEAST_SIDE,
    Mask,
    backdrop_of,
    common_colours,
    difference,
    single_picture,
    thin_kept,
)
from maestro.ensembles.vlms_are_blind.experts.tilt import straightened
from maestro.experts.protocol import Pixels

_LONGEST = 1536
"""Pixels of the longer side that is looked at."""
_LEAST_COVER = 0.45
"""Share of the cells that a line must run along; text laid over a line may hide the rest."""
_FILLED = 0.9
"""Share of ink at both ends of a cell that a line runs along."""
_AIR = 2
"""Pixels beside a line that are nobody's: its smooth edge."""
_FINEST = 9.0
"""Grey levels that differ from clean paper by more may be a faint line."""
_LIKELY = 0.6
"""Confidence from which a grid of faint lines is taken before one without them."""
_ROOM_FOR_TWO = 0.4
"""What is left of the evenness of cells where one is as large as two."""
_OPEN_CELL = 0.4
"""Of a usual cell: how far the crossing lines must reach past the outermost line to enclose another cell there."""


@dataclass(frozen=True)
class Rules:
    """One family of parallel lines, in the order of their places."""

    centres: tuple[float, ...]
    widths: tuple[int, ...]
    cover: float
    """Share of ink along the faintest line."""
    rival: float
    """Share of ink along the darkest place that is no line."""
    gaps: tuple[int, ...]
    """Widths of the cells between and, where the grid is open, outside of the lines, in pixels."""


@dataclass(frozen=True)
class Grid:
    """A fitted grid."""

    rows: Rules
    columns: Rules
    cells: int
    """Pieces of paper seen that are as large as a cell, closed in by ink."""

    @property
    def counts(self) -> tuple[int, int]:
        """Rows, columns."""
        return len(self.rows.gaps), len(self.columns.gaps)

    @property
    def size(self) -> int:
        """Number of cells."""
        return len(self.rows.gaps) * len(self.columns.gaps)

    @property
    def confidence(self) -> float:
        """High when every line is full, nothing else comes near one, cells are even, and closed cells are as many as computed."""
        rows, columns = self.counts
        if rows * columns < 2 or min(len(self.rows.centres), len(self.columns.centres)) < 2:
            return 0.0
        fit = min(_contrast(self.rows), _contrast(self.columns))
        even = min(_evenness(self.rows), _evenness(self.columns))
        counted = min(self.cells, rows * columns) / max(self.cells, rows * columns)
        return float(np.clip((0.2 + 0.8 * counted) * (0.4 + 0.6 * fit) * (0.6 + 0.4 * even), 0.05, 0.99))


class RuledGrid:
    """The expert `grid-ruler`."""

    def do_grid(self, images: list[Pixels]) -> dict[str, Any]:
        """Rows and columns of the grid: {"rows", "columns", "confidence", "evidence"}; 0 and confidence 0 where there is no grid."""
        image = single_picture(images, "the grid ruler")
        if min(image.shape[:2]) < LEAST_SIDE:
            return _nothing(f"the picture is only {image.shape[1]}x{image.shape[0]} pixels")
        best = _best(image)
        if (best is None or best.confidence < _LIKELY) and (upright := straightened(image)) is not None:
            # A grid that is turned by a degree or two has no line that keeps to a row of pixels.
            best = max((grid for grid in (best, _best(upright)) if grid is not None), key=lambda grid: grid.confidence, default=None)
        if best is None or best.confidence == 0.0:
            return _nothing("no two families of full-length lines that cross")
        rows, columns = best.counts
        evidence = (
            f"{len(best.rows.centres)} lines across, {len(best.columns.centres)} down, "
            f"ink on {100 * min(best.rows.cover, best.columns.cover):.0f}%+ of each; {best.cells} closed cells"
        )
        return {"rows": rows, "columns": columns, "confidence": round(best.confidence, 2), "evidence": evidence}


def _nothing(reason: str) -> dict[str, Any]:
    return {"rows": 0, "columns": 0, "confidence": 0.0, "evidence": f"no grid: {reason}"}


def _best(image: Pixels) -> Grid | None:
    """The likeliest grid on either of the two commonest colours; None when there is none.

    Faint lines may be ink in part only, and a grid of those that are is as regular as the whole one. So one that finer
    differences from the paper show is taken when it has more cells and is hardly less likely.
    """
    plain: list[Grid] = []
    fine: list[Grid] = []
    for colour in common_colours(image):
        backdrop = backdrop_of(image, colour)
        away = difference(image, backdrop.colour)
        finest = max(_FINEST, 4.0 * backdrop.grain)
        for found, least in ((plain, backdrop.tolerance), (fine, finest)):
            grid = _fit(thin_kept(away > least, _LONGEST)) if found is plain or least < 0.9 * backdrop.tolerance else None
            if grid is not None:
                found.append(grid)
    best = max(plain, key=lambda grid: grid.confidence, default=None)
    for grid in fine:
        if best is None or (grid.size > best.size and grid.confidence >= max(_LIKELY, best.confidence - 0.15)):
            best = grid
    return best


def _fit(ink: Mask) -> Grid | None:
    """The grid whose lines are the most extended connected ink; None when it has no lines both ways."""
    frame = _widest(ink)
    if frame is None:
        return None
    left, top, right, bottom = frame
    part = ink[top:bottom, left:right]
    across, down = _lines(_run_cover(part)), _lines(_run_cover(part.T))
    for _ in range(2):
        # Again, each family by the cells that the other makes: thick lines alone are half of every stripe, and words in small
        # cells make dark stripes too, but only a line fills the whole width of a cell.
        across, down = _lines(_cell_cover(part, down)), _lines(_cell_cover(part.T, across))
    if min(len(across), len(down)) < 2:
        return None
    rows = _rules(_cell_cover(part, down), across)
    columns = _rules(_cell_cover(part.T, across), down)
    return Grid(rows, columns, _closed_cells(part, rows, columns)) if rows.gaps and columns.gaps else None


def _widest(ink: Mask) -> tuple[int, int, int, int] | None:
    """Box (left, top, right, bottom) of the connected ink that spans the most; words outside of the grid are not in it."""
    import cv2

    count, _, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    left, top, width, height, _ = max(stats[1:].tolist(), key=lambda row: row[2] * row[3])
    if min(width, height) < LEAST_SIDE:
        return None
    return left, top, left + width, top + height


def _run_cover(part: Mask) -> NDArray[np.float64]:
    """Share of each row of `part` that is ink running on for a thirtieth of its width: strokes of words are mostly shorter."""
    import cv2

    run = np.ones((1, max(5, part.shape[1] // 30)), np.uint8)
    return np.asarray(cv2.morphologyEx(part.astype(np.uint8), cv2.MORPH_OPEN, run).mean(axis=1), dtype=np.float64)


def _cell_cover(part: Mask, crossing: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Share of the cells between the `crossing` lines (columns of `part`) that each row crosses with ink from side to side.

    Only the two ends of a cell are looked at, and that a third of it is ink: a label may lie over the middle of a line, and
    words, which do make dark stripes, keep clear of the ends.
    """
    edges = [(-_AIR, -_AIR), *crossing, (part.shape[1] + _AIR, part.shape[1] + _AIR)]
    cells = [(before[1] + _AIR, after[0] - _AIR) for before, after in itertools.pairwise(edges)]
    least = 0.3 * float(np.median([last - first for first, last in cells]))
    filled = [_crossed(part[:, first:last]) for first, last in cells if last - first > max(1.0, least)]
    return np.asarray(np.mean(filled, axis=0), dtype=np.float64) if filled else np.zeros(part.shape[0])


def _crossed(cell: Mask) -> Mask:
    """Which rows of a cell are ink at both of its ends."""
    end = max(2, round(0.1 * cell.shape[1]))
    ends = np.minimum(cell[:, :end].mean(axis=1), cell[:, -end:].mean(axis=1))
    return np.asarray((ends > _FILLED) & (cell.mean(axis=1) > 0.33), dtype=np.bool_)


def _lines(cover: NDArray[np.float64]) -> list[tuple[int, int]]:
    """(first, past last) place of every line, by the share of ink at each place across it."""
    full = float(cover.max(initial=0.0))
    if full < _LEAST_COVER:
        return []
    on = cover > 0.6 * full
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False])).astype(np.int8)))
    return _without_doubles(list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)))


def _without_doubles(lines: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Lines with those joined that lie much closer than others: a double rule, or one split by its smooth edge."""
    if len(lines) < 3:
        return lines
    steps = [after[0] - before[0] for before, after in itertools.pairwise(lines)]
    usual = float(np.median(sorted(steps)[len(steps) // 2 :]))
    joined = [lines[0]]
    for line in lines[1:]:
        if line[0] - joined[-1][1] < 0.12 * usual:
            joined[-1] = (joined[-1][0], line[1])
        else:
            joined.append(line)
    return joined


def _rules(cover: NDArray[np.float64], lines: list[tuple[int, int]]) -> Rules:
    """The family of lines with its cells; the crossing lines reach from the first place of `cover` to the last."""
    clear = np.ones(len(cover), dtype=bool)
    for first, last in lines:
        clear[max(0, first - _AIR) : last + _AIR] = False
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(lines)]
    usual = float(np.median(gaps)) if gaps else float(len(cover))
    before, after = lines[0][0], len(cover) - lines[-1][1]
    gaps = [*([before] if before > _OPEN_CELL * usual else []), *gaps, *([after] if after > _OPEN_CELL * usual else [])]
    return Rules(
        centres=tuple((first + last - 1) / 2 for first, last in lines),
        widths=tuple(last - first for first, last in lines),
        cover=min(float(cover[first:last].max()) for first, last in lines),
        rival=float(cover[clear].max()) if clear.any() else 0.0,
        gaps=tuple(gaps),
    )


def _closed_cells(part: Mask, rows: Rules, columns: Rules) -> int:
    """Pieces of paper between the lines at least a third as large as the usual cell."""
    import cv2

    size = float(np.median(rows.gaps)) * float(np.median(columns.gaps))
    count, _, stats, _ = cv2.connectedComponentsWithStats((~part).astype(np.uint8), connectivity=4)
    return int((stats[1:count, 4] > 0.34 * size).sum())


def _contrast(rules: Rules) -> float:
    """How far apart the faintest line and the darkest stripe without one are, 0 to 1."""
    return float(np.clip(1.6 * (rules.cover - rules.rival), 0.0, 1.0))


def _evenness(rules: Rules) -> float:
    """1 for equal cells, less as the smallest falls behind the usual one, or the largest has room for two: a line may be missing."""
    if not rules.gaps:
        return 0.0
    least, most = min(rules.gaps), max(rules.gaps)
    return float(min(1.0, 1.3 * least / np.median(rules.gaps)) * (1.0 if most < 1.7 * least else _ROOM_FOR_TWO))


__all__ = ["RuledGrid"]
