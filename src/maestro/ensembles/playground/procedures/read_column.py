"""Read the numbers of one table column, or of all rows, as a sum to be solved."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.mentions import mentions
from maestro.ensembles.playground.procedures.numerals import numeral, numeric_words
from maestro.ensembles.playground.procedures.table_layout import Cell, Table, table_of
from maestro.ensembles.playground.procedures.words import Page, least_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_TOTAL = re.compile(r"\b(?:sub)?-?total\b|\bsum\b|\bchange\b|\bcash\b|\bbalance\b", re.IGNORECASE)
_MEAN = re.compile(r"\b(?:average|mean)\b", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """An expression such as `12+7+9`; None when no column of numbers was found."""
    page = await read_page(request, caller)
    table = table_of(page)
    if table is None:
        return _loose(page)
    columns = {column for row in table.rows for column in row}
    numeric = [column for column in sorted(columns) if _numbers(table, column)]
    if not numeric:
        return _loose(page)
    column, fit = _asked_column(request.text, table, numeric)
    picked, row_fit = _asked_rows(request.text, table, column)
    values = [numeral(cell.text) for cell in picked]
    if not values or None in values:
        bad = next((cell.text for cell, value in zip(picked, values, strict=True) if value is None), "")
        return SkillResult(None, 0.1, f"unreadable number {bad}"[:40], "expression")
    expression = "+".join(value for value in values if value is not None)
    if _MEAN.search(request.text):
        expression = f"({expression})/{len(values)}"
    words = [word for cell in picked for word in cell.words.words]
    missing = sum(column not in row for row in table.rows)
    complete = 1.0 if not missing else 0.5
    head = table.header[column].text if column in table.header else f"column {column + 1}"
    sure = least_confidence(words) * fit * row_fit * complete
    return SkillResult(expression, round(sure, 2), f"{len(values)} numbers under {head}"[:40], "expression")


def _numbers(table: Table, column: int) -> bool:
    """Whether most of the column's cells are numbers."""
    cells = [row[column] for row in table.rows if column in row]
    return bool(cells) and 2 * sum(numeral(cell.text) is not None for cell in cells) >= len(cells)


def _asked_column(question: str, table: Table, numeric: list[int]) -> tuple[int, float]:
    """The numeric column that the question names and how well; the last one when it names none."""
    headed = [column for column in numeric if column in table.header]
    named = mentions(question, [table.header[column].text for column in headed], 0.72)
    if named:
        return headed[named[0].index], named[0].score
    return numeric[-1], 0.9 if len(numeric) == 1 else 0.4


def _asked_rows(question: str, table: Table, column: int) -> tuple[list[Cell], float]:
    """The cells of the rows that the question names if it names two or more, else of all rows but totals."""
    labels = [table.label(row) for row in range(len(table.rows))]
    named = mentions(question, labels, 0.8)
    head = {mention.position for mention in mentions(question, [cell.text for cell in table.header.values()], 0.8)}
    named = [mention for mention in named if mention.position not in head]
    if len(named) >= 2:
        chosen = sorted(named, key=lambda mention: mention.position)
        return [table.rows[mention.index][column] for mention in chosen if column in table.rows[mention.index]], min(
            m.score for m in chosen
        )
    return [row[column] for row, label in zip(table.rows, labels, strict=True) if column in row and not _TOTAL.search(label)], 1.0


def _loose(page: Page) -> SkillResult:
    """Without a table: the rightmost number of every line that has one."""
    words = [found[-1][0] for line in page.lines if not _TOTAL.search(line.text) and (found := numeric_words(line.words))]
    if len(words) < 2:
        return SkillResult(None, 0.0, "no column of numbers seen", "expression")
    return SkillResult(
        "+".join(numeral(word.text) or "0" for word in words),
        round(0.5 * least_confidence(words), 2),
        f"last numbers of {len(words)} lines",
        "expression",
    )


__all__ = ["run"]
