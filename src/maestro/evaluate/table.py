"""One table of policies, and how any table is written: for the terminal, Markdown, LaTeX and HTML alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from maestro.evaluate.results import Summary
from maestro.evaluate.statistics import FEWEST_CLUSTERS, Interval

COLUMNS = ("policy", "utility", "accuracy", "cost $/1000", "calls", "median s", "first call tells", "well formed")
DIFFERENCE = "utility vs lookup"


def percent(interval: Interval) -> str:
    """`71.2 % [68.0, 74.1]`."""
    if math.isnan(interval.mean):
        return "-"
    return f"{100 * interval.mean:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def number(interval: Interval, scale: float = 1.0, digits: int = 3) -> str:
    """`0.712 [0.680, 0.741]`."""
    if math.isnan(interval.mean):
        return "-"
    return f"{scale * interval.mean:.{digits}f} [{scale * interval.low:.{digits}f}, {scale * interval.high:.{digits}f}]"


def signed(interval: Interval) -> str:
    """`+0.120 [+0.080, +0.160]`, with a star when the interval excludes zero and rests on enough questions or scenes."""
    if math.isnan(interval.mean):
        return "-"
    return f"{interval.mean:+.3f} [{interval.low:+.3f}, {interval.high:+.3f}]{'*' if interval.decides else ''}"


def doubt(clusters: int) -> str:
    """What stands below a table whose intervals rest on so few clusters that none decides anything; empty for enough of them."""
    if clusters >= FEWEST_CLUSTERS:
        return ""
    drawn = "1 question (or scene)" if clusters == 1 else f"{clusters} questions (or scenes)"
    return f"Intervals rest on {drawn}: too few to be trusted (from {FEWEST_CLUSTERS} on), so no difference gets a star."


def rows(summaries: Sequence[Summary], differences: Mapping[str, Interval] | None = None) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Column names and the cells of one row a policy; `differences` (by policy) adds the paired difference to the lookup."""
    columns = COLUMNS if differences is None else (*COLUMNS[:2], DIFFERENCE, *COLUMNS[2:])
    return columns, [_row(summary, differences) for summary in summaries]


def _row(summary: Summary, differences: Mapping[str, Interval] | None) -> tuple[str, ...]:
    against: tuple[str, ...] = ()
    if differences is not None:
        against = (signed(differences[summary.name]) if summary.name in differences else "",)
    return (
        summary.name,
        number(summary.utility),
        *against,
        percent(summary.accuracy),
        number(summary.cost_usd, 1000, 2),
        f"{summary.calls.mean:.2f}",
        f"{summary.seconds_median:.2f}",
        f"{summary.information.bits:.2f} bit",
        f"{100 * summary.well_formed:.0f} %",
    )


def markdown(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = ["| " + " | ".join(columns) + " |", "| " + " | ".join(["---"] + ["---:"] * (len(columns) - 1)) + " |"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return "\n".join(lines)


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "−": "$-$",
}


def latex(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]], note: str = "") -> str:
    """A LaTeX table for the package booktabs, every text escaped; the caption is the title and the note."""
    lines = [
        r"\begin{table}[t]",
        r"\centering\small",
        rf"\caption{{{escape_latex(title)}.{f' {escape_latex(note)}' if note else ''}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(columns) - 1)}}}",
        r"\toprule",
        " & ".join(escape_latex(column) for column in columns) + r" \\",
        r"\midrule",
    ]
    lines += [" & ".join(escape_latex(cell) for cell in row) + r" \\" for row in cells]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def escape_latex(text: str) -> str:
    """The text as LaTeX shows it, control characters left out."""
    return "".join(_LATEX.get(character, character) for character in text if character.isprintable())
