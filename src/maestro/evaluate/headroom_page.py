"""The tables and the page of `maestro headroom`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro.evaluate import figures
from maestro.evaluate.play import ORACLES
from maestro.evaluate.report import Figure, Report, Table
from maestro.evaluate.results import Summary
from maestro.evaluate.statistics import Interval
from maestro.evaluate.sweep import Sweep
from maestro.evaluate.table import number, percent, signed

FEW = 8
"""Experts alone that still stand among the other rows."""


def headroom_tables(title: str, summaries: Mapping[str, Summary], differences: Mapping[str, Interval], note: str = "") -> list[Table]:
    """A row a baseline; `differences` in utility to the question-only lookup, by name. Where experts alone are many they have their own."""
    others = not_alone(summaries)
    if len(summaries) - len(others) <= FEW:
        return [_rows(title, summaries, differences, note)]
    alone = {name: one for name, one in summaries.items() if name not in others}
    return [_rows(title, others, differences, note), _rows(f"{title}, every pair alone", alone, differences, "")]


def _rows(title: str, summaries: Mapping[str, Summary], differences: Mapping[str, Interval], note: str) -> Table:
    rows = [
        (
            name,
            number(summary.utility),
            signed(differences[name]) if name in differences else "",
            percent(summary.accuracy),
            f"{100 * summary.macro_accuracy:.1f}",
            f"{1000 * summary.cost_usd.mean:.2f}",
            f"{summary.calls.mean:.2f}",
        )
        for name, summary in summaries.items()
    ]
    columns = ("policy", "utility", "to the lookup", "accuracy", "mean of categories", "$ per 1000", "calls")
    return Table(title, columns, rows, note, frozenset(ORACLES))


def headroom_report(
    name: str,
    lead: str,
    tables: Sequence[Table],
    found: Mapping[str, Mapping[str, Summary]],
    sweeps: Mapping[str, Sweep],
    settings: Mapping[str, str],
) -> Report:
    """Facts of the first split, cost against accuracy of each, tables and what was chosen in fitting. `found` by split, then row."""
    first = next(iter(found.values()))
    drawn: list[Table | Figure] = []
    for split, rows in found.items():
        points = {
            row: (1000 * one.cost_usd.mean, one.accuracy.mean, one.accuracy.low, one.accuracy.high) for row, one in not_alone(rows).items()
        }
        note = "Up and to the left is better. Experts alone are in the table."
        drawn.append(Figure(f"Cost and accuracy, {split}", figures.cost_accuracy(points), note))
        drawn += [sweeps[split].figure()] if split in sweeps else []
    facts = [
        (f"{100 * first[row].accuracy.mean:.1f} %", row) for row in ("random", "best single", "question kNN", "oracle") if row in first
    ]
    notes = [f"{row}: {setting}" for row, setting in settings.items()]
    return Report(f"Headroom of {name}", lead, facts=facts, sections=[*drawn, *tables], notes=notes)


def not_alone(rows: Mapping[str, Summary]) -> dict[str, Summary]:
    """The rows that are no single expert asked whatever the question is."""
    return {name: one for name, one in rows.items() if "@" not in name}
