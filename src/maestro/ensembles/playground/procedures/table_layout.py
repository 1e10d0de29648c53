"""Rows and columns of a printed table, from where its words stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro.ensembles.playground.procedures.numerals import numeral
from maestro.ensembles.playground.procedures.words import Line, Page, bounding_box


@dataclass(frozen=True)
class Cell:
    """One table cell."""

    words: Line
    column: int

    @property
    def text(self) -> str:
        """As written."""
        return self.words.text.strip(" |")


@dataclass(frozen=True)
class Table:
    """Cells by row and column; a missing cell is simply absent."""

    title: str
    header: dict[int, Cell]
    """Heading cells by column; empty when the table has none."""
    rows: tuple[dict[int, Cell], ...]
    """Body rows: cells by column."""

    def label(self, row: int) -> str:
        """The row's own name: its leftmost cell that is no number, else its leftmost cell."""
        cells = [self.rows[row][column] for column in sorted(self.rows[row])]
        return next((cell.text for cell in cells if numeral(cell.text) is None), cells[0].text if cells else "")


def table_of(page: Page) -> Table | None:
    """The table on a page; None when fewer than two lines have two cells each, or none of them fits the columns."""
    page = page.without_strays() if any(word.stray for word in page.words) else page
    split = [line.segments() for line in page.lines]
    wide = [cells for cells in split if len(cells) >= 2]
    if len(wide) < 2:
        return None
    # Most body rows have every cell, so the usual number of cells is the number of columns.
    counts = sorted(len(cells) for cells in wide)
    columns = max(set(counts), key=lambda count: (counts.count(count), count))
    spans = _column_spans([cells for cells in wide if len(cells) == columns], columns, page)
    placed = [
        _place(cells if len(cells) == columns else [Line((word,)) for word in line.words], spans, page)
        for cells, line in zip(split, page.lines, strict=True)
    ]
    starts = (
        index
        for index, (row, line) in enumerate(zip(placed, page.lines, strict=True))
        if len(row) >= max(2, columns - 1) and len(line.words) <= 2 * len(row)
    )
    if (first := next(starts, None)) is None:
        return None
    title = " ".join(line.text for line in page.lines[:first])
    rows = placed[first:]
    header = rows[0] if _is_header(rows) else {}
    body = rows[1:] if header else rows
    return Table(title, header, tuple(row for row in body if len(row) >= 2))


def _column_spans(rows: Sequence[Sequence[Line]], columns: int, page: Page) -> list[tuple[float, float]]:
    """Left and right edge of every column over the complete rows, moved to x = 0 of the tilt."""
    spans = []
    for column in range(columns):
        boxes = [bounding_box(row[column].words) for row in rows]
        lefts, rights = zip(*((box[0] + page.slope * box[1], box[2] + page.slope * box[1]) for box in boxes), strict=True)
        spans.append((min(lefts), max(rights)))
    return spans


def _place(cells: Sequence[Line], spans: Sequence[tuple[float, float]], page: Page) -> dict[int, Cell]:
    """Each cell in the column it overlaps most or is nearest to; two that meet in one column are joined."""
    placed: dict[int, Cell] = {}
    for cell in cells:
        left, top, right, _ = cell.box
        left, right = left + page.slope * top, right + page.slope * top

        def fit(span: tuple[float, float], left: float = left, right: float = right) -> tuple[float, float]:
            overlap = min(span[1], right) - max(span[0], left)
            return (overlap, -abs((span[0] + span[1]) - (left + right)))

        column = max(range(len(spans)), key=lambda index: fit(spans[index]))
        joined = Line(tuple(sorted([*placed[column].words.words, *cell.words], key=lambda word: word.left))) if column in placed else cell
        placed[column] = Cell(joined, column)
    return placed


def _is_header(rows: Sequence[dict[int, Cell]]) -> bool:
    """Whether the first row names columns: it has fewer numbers than the rows below it."""

    def share(row: dict[int, Cell]) -> float:
        return sum(numeral(cell.text) is not None for cell in row.values()) / max(1, len(row))

    below = [share(row) for row in rows[1:]]
    return bool(below) and (share(rows[0]) < sum(below) / len(below) or not any(below))


__all__ = ["Cell", "Table", "table_of"]
