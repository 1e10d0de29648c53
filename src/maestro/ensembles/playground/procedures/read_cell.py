"""Read one cell of a table: the row and the column that the question names."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.mentions import Mention, mentions
from maestro.ensembles.playground.procedures.numerals import numeral
from maestro.ensembles.playground.procedures.table_layout import Table, table_of
from maestro.ensembles.playground.procedures.words import least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The asked cell; None when the table, its row or its column was not found."""
    page = await read_page(request, caller)
    table = table_of(page)
    if table is None:
        return SkillResult(None, 0.0, "no table seen")
    place = find_cell(request.text, table)
    if place is None:
        return SkillResult(None, 0.1, "row or column not found")
    row, column, fit = place
    cell = table.rows[row].get(column)
    if cell is None:
        return SkillResult(None, 0.2, f"empty cell in row {table.label(row)}"[:40])
    text = cell.text
    if numeral(text) is not None and re.fullmatch(r"[\dOolISBZsz.,]+", text):
        text = numeral(text) or text
    head = table.header[column].text if column in table.header else f"column {column + 1}"
    return SkillResult(text, round(least_confidence(cell.words.words) * fit, 2), f"{table.label(row)} / {head}"[:40])


def find_cell(question: str, table: Table) -> tuple[int, int, float] | None:
    """Row, column and how well both fit (0 to 1); None when the question names no row, or no column and there are several."""
    columns = sorted({column for row in table.rows for column in row} | set(table.header))
    heads = [table.header[column].text if column in table.header else "" for column in columns]
    labels = [table.label(row) for row in range(len(table.rows))]
    rows = mentions(question, labels, 0.72)
    named = [mention for mention in mentions(question, heads, 0.72) if not _overlaps(mention, rows)] or mentions(question, heads, 0.72)
    if not rows:
        return None
    row = rows[0]
    values = [mention for mention in named if columns[mention.index] != columns[0]]
    if values:
        return row.index, columns[values[0].index], row.score * values[0].score
    others = [column for column in columns if column != columns[0]]
    if len(others) == 1:
        return row.index, others[0], row.score
    return None


def _overlaps(mention: Mention, rows: list[Mention]) -> bool:
    """Whether the heading stands where the question names the row."""
    return any(mention.position == row.position for row in rows)


__all__ = ["find_cell", "run"]
