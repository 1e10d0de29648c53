"""Read a program: its text with the indentation that the x positions of the lines show."""

from __future__ import annotations

import ast
from statistics import median

from maestro.ensembles.playground.procedures.code_repair import repaired, unset_names
from maestro.ensembles.playground.procedures.words import Line, Page, least_confidence, mean_confidence, read_page
from maestro.skills.protocol import Caller, SkillRequest, SkillResult


async def run(request: SkillRequest, caller: Caller) -> SkillResult:
    """The program; None when nothing was read. Confidence is low when it does not parse as Python."""
    page = await read_page(request, caller)
    lines = [line for line in page.lines if any(not word.stray for word in line.words)]
    if not lines:
        return SkillResult(None, 0.0, "no text seen", "code")
    source, changes = repaired(indented(page, lines))
    words = [word for line in lines for word in line.words]
    sure = 0.5 * mean_confidence(words) + 0.5 * least_confidence([word for word in words if not word.stray])
    # A name that is never set will stop the program: something was not read.
    fit = 0.2 if not parses(source) else 0.4 if unset_names(source) else 1.0
    # A repair is a guess that usually, not always, hits.
    fit *= 0.97**changes
    state = "parses" if parses(source) else "does not parse"
    return SkillResult(source, round(sure * fit, 2), f"{len(lines)} lines, {changes} repairs, {state}"[:40], "code")


def indented(page: Page, lines: list[Line]) -> str:
    """The lines as text, each below a deeper or equal left edge as Python's own rule reads it, four spaces a level."""
    # Along a tilt the left edge moves with y; this moves it back.
    edges = [line.words[0].left + page.slope * line.words[0].y for line in lines]
    letter = median([word.width / len(word.text) for line in lines for word in line.words if len(word.text) >= 2] or [8.0])
    stack = [min(edges)]
    rows: list[str] = []
    opened = False
    for edge, line in zip(edges, lines, strict=True):
        if edge > stack[-1] + 1.2 * letter and (opened or not rows):
            stack.append(edge)
        while len(stack) > 1 and edge < (stack[-1] + stack[-2]) / 2:
            stack.pop()
        rows.append("    " * (len(stack) - 1) + line.text)
        opened = line.text.rstrip().endswith((":", ";", ".")) or _opens(line.text)
    return "\n".join(rows)


def _opens(text: str) -> bool:
    """Whether a line begins a block even if its colon was not read."""
    words = text.split()
    return bool(words) and words[0].lower().rstrip(":") in {"for", "while", "if", "else", "elif", "def"}


def parses(source: str) -> bool:
    """Whether it is a Python program."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


__all__ = ["indented", "parses", "run"]
