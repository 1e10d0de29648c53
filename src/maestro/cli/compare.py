"""`maestro compare`: paired tests between finished evaluations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maestro.cli.output import Finite, as_json_bytes, json_option, print_json, print_table
from maestro.errors import ConfigError, not_found
from maestro.evaluate.compare import Quantity, Run, compare, differing_settings, read_runs
from maestro.evaluate.comparison_page import comparison_page
from maestro.evaluate.curves import strong_share
from maestro.evaluate.plots import comparison_plots
from maestro.evaluate.report import Table
from maestro.evaluate.results import per_question
from maestro.evaluate.scorecard import Scorecard, scorecard
from maestro.evaluate.sections import Curve, CurvePoint, as_latex, as_markdown, curve
from maestro.images import ImageStore

_RECOVERED = (50, 80)
"""Percent of the gap whose call threshold is told."""


@click.command()
@click.argument("folders", metavar="RUN RUN...", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False))
@click.option("--shared", is_flag=True, help="Compare what the runs have in common; left to itself, other questions are an error.")
@click.option("--against-first", is_flag=True, help="Each run against the first of its benchmark only: fewer tests, less correction.")
@click.option("--on", "quantity", type=click.Choice(["score", "utility"]), default="score", show_default=True)
@click.option("--alpha", type=Finite(min=0.0001, max=0.5), default=0.05, show_default=True, help="Level of the tests, after correction.")
@click.option("--strong", metavar="EXPERT", help="RouteLLM's scalars: runs differ in how often they ask this expert.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Also write report.html, tables and compare.json there.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Also write the tables there.")
@click.option("--latex", type=click.Path(path_type=Path, dir_okay=False), help="Also write the tables there, for booktabs.")
@click.option("--figures", type=click.Path(path_type=Path, file_okay=False), help="Also draw them there as PDF and PNG (matplotlib).")
@json_option
def command(
    folders: tuple[Path, ...],
    shared: bool,
    against_first: bool,
    quantity: Quantity,
    alpha: float,
    strong: str | None,
    out: Path | None,
    markdown: Path | None,
    latex: Path | None,
    figures: Path | None,
    as_json: bool,
) -> None:
    """Compare finished evaluations question by question, the later run minus the earlier one.

    McNemar's exact test, a paired t-test and a paired bootstrap over clusters, corrected by Holm for how many pairs and benchmarks there
    are; wins, losses and ties; the smallest difference that could have been
    found. Then cost against accuracy: Pareto front, AIQ, RouterArena's score.
    """
    if len(folders) < 2:
        raise click.UsageError("give two runs or more.")
    runs = read_runs(folders)
    tests = compare(runs, shared=shared, against_first=against_first, quantity=quantity)
    cards = {run.folder: scorecard(run.name, run.results) for run in runs}
    curves = _curves(runs, cards)
    page = comparison_page(tests, runs, cards, curves, alpha, quantity)
    tables = page.tables
    for path, text in ((markdown, as_markdown), (latex, as_latex)):
        if path is not None:
            path.write_text(text(tables), encoding="utf-8")
    if figures is not None:
        comparison_plots(figures, tests, list(curves.values()), alpha)
    shares = {name: _strong(group, strong) for name, group in _by_benchmark(runs).items()} if strong is not None else {}
    told = [*tables, *(_strong_table(name, found) for name, found in shares.items())]
    numbers = {
        "alpha": alpha,
        "on": quantity,
        "runs": {str(run.folder): {"benchmark": run.benchmark, **cards[run.folder].as_dict()} for run in runs},
        "settings": {name: dict(zip(map(str, folders), found, strict=True)) for name, found in differing_settings(runs).items()},
        "tests": [{**test.as_dict(), "significant": test.significant(alpha)} for test in tests],
        "curves": {name: found.as_dict() for name, found in curves.items()},
        "strong": shares,
    }
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        page.report(told).write(out / "report.html", ImageStore())
        (out / "tables.md").write_text(as_markdown(told), encoding="utf-8")
        (out / "tables.tex").write_text(as_latex(told), encoding="utf-8")
        (out / "compare.json").write_bytes(as_json_bytes(numbers))
    if as_json:
        print_json(numbers)
        return
    for table in told:
        print_table(f"{table.title}\n{table.note}", table.columns, table.rows, right=table.columns[1:])
    if out is not None:
        click.echo(f"report: {out / 'report.html'}")


def _by_benchmark(runs: list[Run]) -> dict[str, list[Run]]:
    """Runs by benchmark, in order."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.benchmark, []).append(run)
    return found


def _curves(runs: list[Run], cards: dict[Path, Scorecard]) -> dict[str, Curve]:
    """Cost against accuracy by benchmark; a benchmark with one run has no curve."""
    found = {}
    for name, group in _by_benchmark(runs).items():
        chosen = [cards[run.folder] for run in group]
        points = [CurvePoint(card.name, card.usage.cost_per_question_usd, card.overall.bootstrap) for card in chosen]
        if len(points) > 1:
            found[name] = curve(name, points)
    return found


def _strong(runs: list[Run], expert: str) -> dict[str, Any]:
    """RouteLLM's scalars from runs that ask the strong expert for different shares of the questions."""
    points = []
    there = {call.expert for run in runs for result in run.results for call in result.made}
    if expert not in there:
        raise ConfigError(not_found("expert that any of these runs called", expert, there, "Name the strong one with --strong."))
    for run in runs:
        asked = {result.task_id for result in run.results if any(call.expert == expert for call in result.made)}
        scores = per_question(run.results, "score")
        points.append((100 * len(asked) / len(scores), sum(scores.values()) / len(scores)))
    found = strong_share(points)
    thresholds = {f"cpt_{percent}": found.call_threshold(percent) for percent in _RECOVERED}
    return {"expert": expert, "curve": found.curve, "area": found.area, "apgr": found.apgr, **thresholds}


def _strong_table(name: str, found: dict[str, Any]) -> Table:
    rows = [(f"{share:.1f} %", f"{100 * quality:.1f} %") for share, quality in found["curve"]]
    told = "; ".join(
        f"{percent} % of the gap from {'nowhere' if (least := found[f'cpt_{percent}']) is None else f'{least:.1f} % strong calls'}"
        for percent in _RECOVERED
    )
    return Table(
        f"Share of {found['expert']}, {name}", ("questions that ask it", "accuracy"), rows, f"RouteLLM: APGR {found['apgr']:.4f}, {told}."
    )
