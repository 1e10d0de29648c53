"""Rows, columns or cells of a ruled grid."""

from __future__ import annotations

import re

from maestro.ensembles.playground.procedures.drawn_shapes import first_image
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_ROWS = re.compile(r"\brows?\b", re.IGNORECASE)
_COLUMNS = re.compile(r"\b(columns?|cols?)\b", re.IGNORECASE)
_CELLS = re.compile(r"\b(cells?|squares?|boxes|fields|tiles)\b", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The number of rows, columns or cells that the question asks for; `5x7` (rows x columns) when it asks for both or neither."""
    reply = await caller.ask("grid", images=(first_image(request),))
    rows, columns = int(reply["rows"]), int(reply["columns"])
    if rows < 1 or columns < 1:
        return SkillResult(None, evidence="no grid found")
    asks_rows, asks_columns = bool(_ROWS.search(request.text)), bool(_COLUMNS.search(request.text))
    if asks_rows != asks_columns:
        value = str(rows if asks_rows else columns)
    elif _CELLS.search(request.text) and not asks_rows:
        value = str(rows * columns)
    else:
        value = f"{rows}x{columns}"
    return SkillResult(value, float(reply["confidence"]), f"{rows} rows, {columns} columns")


__all__ = ["run"]
