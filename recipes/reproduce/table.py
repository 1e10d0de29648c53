"""The table: a line a benchmark, our figures beside the published ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from recipes.reproduce.measured import Measured
from recipes.reproduce.plan import Reference, Table

from maestro.evaluate.table import markdown

ABSENT = "-"
"""A figure that nobody gave, or that we have not measured."""


def columns(table: Table) -> tuple[str, ...]:
    """The heading."""
    return ("benchmark", "questions", "clusters", "ours", *(reference.name for reference in table.reference), "s", "calls", "$ / 1000")


def cells(table: Table, found: Sequence[Measured]) -> list[tuple[str, ...]]:
    """A line a benchmark, and the averages; a benchmark that was not run has no figures, and then neither has the average."""
    by_name = {one.name: one for one in found}
    lines = [_line(row.name, by_name.get(row.name), table.reference) for row in table.benchmarks]
    complete = len(found) == len(table.benchmarks)
    return [*lines, _average(table.reference, found, complete=complete)]


def write(table: Table, found: Sequence[Measured], notes: Sequence[str]) -> str:
    """The table as Markdown, with what has to be said below it."""
    told = [f"{reference.name}: {reference.note}." for reference in table.reference if reference.note]
    broken = [f"{one.name}: {one.broken} episodes were broken by infrastructure and count as wrong." for one in found if one.broken]
    below = [
        "Percent, with 95 % intervals by bootstrap over clusters: questions on one picture are drawn together.",
        *told,
        *broken,
        *notes,
    ]
    return f"## {table.title}\n\n{markdown(columns(table), cells(table, found))}\n\n" + "\n".join(f"- {text}" for text in below) + "\n"


def _line(name: str, one: Measured | None, references: Sequence[Reference]) -> tuple[str, ...]:
    published = tuple(percent(reference.figures.get(name)) for reference in references)
    if one is None:
        return (name, ABSENT, ABSENT, ABSENT, *published, ABSENT, ABSENT, ABSENT)
    ours = f"{100 * one.share:.1f} [{100 * one.low:.1f}, {100 * one.high:.1f}]"
    return (
        name,
        str(one.questions),
        str(one.clusters),
        ours,
        *published,
        f"{one.seconds:.2f}",
        f"{one.calls:.2f}",
        f"{1000 * one.cost_usd:.2f}",
    )


def _average(references: Sequence[Reference], found: Sequence[Measured], *, complete: bool) -> tuple[str, ...]:
    """Means over benchmarks, each of which weighs the same."""
    published = tuple(percent(reference.average) for reference in references)
    questions, clusters = (str(sum(getattr(one, name) for one in found)) for name in ("questions", "clusters"))
    if not complete:
        return ("average", questions, clusters, f"{ABSENT} ({len(found)} run)", *published, ABSENT, ABSENT, ABSENT)
    means = {name: float(np.mean([getattr(one, name) for one in found])) for name in ("share", "seconds", "calls", "cost_usd")}
    seconds = f"{means['seconds']:.2f}" + _published_seconds(references)
    return (
        "average",
        questions,
        clusters,
        f"{100 * means['share']:.1f}",
        *published,
        seconds,
        f"{means['calls']:.2f}",
        f"{1000 * means['cost_usd']:.2f}",
    )


def _published_seconds(references: Sequence[Reference]) -> str:
    given = [f"{reference.seconds:g}" for reference in references if reference.seconds is not None]
    return f" (published {', '.join(given)})" if given else ""


def percent(figure: float | None) -> str:
    """A published figure, already in percent."""
    return ABSENT if figure is None else f"{figure:.1f}"
