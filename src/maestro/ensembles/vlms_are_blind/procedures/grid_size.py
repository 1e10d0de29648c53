"""Rows and columns of a grid, in the form that the question asks for."""

from __future__ import annotations

import re

from maestro.ensembles.vlms_are_blind.procedures.pictures import first_image
from maestro.ensembles.vlms_are_blind.procedures.wording import written
from maestro.skills.protocol import Caller, SkillRequest, SkillResult

_ROWS = re.compile(r"\brows?\b", re.IGNORECASE)
_COLUMNS = re.compile(r"\bcol(umn)?s?\b", re.IGNORECASE)
_CELLS = re.compile(r"\b(?:cells?|boxes|fields)\b", re.IGNORECASE)
_NAMED = re.compile(r"rows?\s*=\s*\{", re.IGNORECASE)


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """`rows={3} columns={4}` or `(3,4)`, as the question shows; one number where it asks for rows, columns or cells alone."""
    reply = await caller.ask("grid", images=(first_image(request),))
    rows, columns, sure, evidence = reply["rows"], reply["columns"], float(reply["confidence"]), str(reply["evidence"])
    if sure == 0.0:
        return SkillResult(None, evidence=evidence)
    asks_rows, asks_columns = bool(_ROWS.search(request.question)), bool(_COLUMNS.search(request.question))
    if asks_rows != asks_columns:
        value = written(str(rows if asks_rows else columns), request.question)
    elif not asks_rows and _CELLS.search(request.question):
        value = written(str(rows * columns), request.question)
    elif _NAMED.search(request.question):
        value = f"rows={{{rows}}} columns={{{columns}}}"
    else:
        value = f"({rows},{columns})"
    return SkillResult(value, sure, evidence)


__all__ = ["run"]
