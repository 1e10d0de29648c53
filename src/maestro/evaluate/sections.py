"""The tables of a run and of a comparison: the same ones in the terminal, in Markdown and LaTeX, and in the report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro.evaluate.compare import PairedTest
from maestro.evaluate.curves import Aiq, Point, aiq, hull, on_hull, pareto_front, router_arena
from maestro.evaluate.report import Table
from maestro.evaluate.scorecard import Accuracy, Scorecard
from maestro.evaluate.statistics import FEWEST_CLUSTERS, Interval
from maestro.evaluate.table import latex, markdown, percent
from maestro.evaluate.usage import Use

SHOWN_FAILURES = 20


def scorecard_tables(card: Scorecard) -> list[Table]:
    """Everything about one run, the figures that are quoted first."""
    found = [accuracy_table(card), usage_table(card), latency_table(card)]
    if card.repeats is not None:
        found.insert(1, repeats_table(card))
    if card.usage.experts:
        found += [use_table("Calls by expert", "expert", card.usage.experts), use_table("Calls by skill", "skill", card.usage.skills)]
    if card.failures:
        found.append(failure_table(card))
    return found


def accuracy_table(card: Scorecard) -> Table:
    """Accuracy by category, then the mean of the categories and the mean of the questions."""
    rows: list[tuple[str, ...]] = [(name.replace("_", " "), *_accuracy(one)) for name, one in card.categories.items()]
    rows.append(("macro (mean of categories)", percent(card.macro), "", "", str(card.overall.questions), str(card.overall.clusters)))
    rows.append(("micro (all questions)", *_accuracy(card.overall)))
    note = (
        "95 % intervals. First by bootstrap over clusters (what shares a scene or picture is drawn together), then Wilson's, which takes "
        "questions as independent; standard error clustered."
    )
    columns: tuple[str, ...] = ("category", "accuracy", "Wilson", "std. error", "questions", "clusters")
    if card.overall.wilson is None:
        columns, rows = _without(columns, 2), [_without(row, 2) for row in rows]
        note = "95 % intervals by bootstrap over clusters (what shares a scene or picture is drawn together); standard error clustered."
    return Table(
        "Accuracy", columns, rows, note + _taken_as_certain(card), frozenset({"macro (mean of categories)", "micro (all questions)"})
    )


def _taken_as_certain(card: Scorecard) -> str:
    """What the interval of macro does not know: how far categories vary of which there is no second cluster, or no second outcome."""
    certain = [name for name, one in card.categories.items() if one.clusters < 2 or one.mean in {0.0, 1.0}]
    if len(card.categories) < 2 or not certain:
        return ""
    named = f"{len(certain)} of {len(card.categories)} categories"
    return f" The interval of macro is too short: it takes {named} as certain, having one cluster, or only right or only wrong answers."


def _without(cells: tuple[str, ...], column: int) -> tuple[str, ...]:
    return cells[:column] + cells[column + 1 :]


def _accuracy(one: Accuracy) -> tuple[str, ...]:
    wilson = f"{100 * one.wilson.low:.1f} to {100 * one.wilson.high:.1f}" if one.wilson is not None else "-"
    error = "-" if math.isnan(one.error) or one.mean in {0.0, 1.0} else f"{100 * one.error:.2f}"
    return (percent(one.bootstrap), wilson, error, str(one.questions), str(one.clusters))


def repeats_table(card: Scorecard) -> Table:
    """Several samples of each question."""
    assert card.repeats is not None
    found = card.repeats
    rows = [(f"k = {k}", *(f"{100 * table[k]:.1f} %" for table in (found.pass_at, found.best_at, found.all_at))) for k in found.pass_at]
    note = (
        f"mean@{found.n} is {100 * found.mean:.1f} %, maj@{found.n} {100 * found.majority:.1f} %; {100 * found.consistency:.0f} % of the "
        f"samples agree with the most frequent answer; a single run varies by {100 * found.spread:.2f} points (standard deviation)."
    )
    return Table(f"{found.n} samples of each question", ("of k samples", "pass@k: one right", "best@k", "all@k: all right"), rows, note)


def usage_table(card: Scorecard) -> Table:
    """Money, calls and tokens."""
    used = card.usage
    per = 1 / used.episodes if used.episodes else math.nan
    right = f"${used.cost_per_correct_usd:.5f}" if used.cost_per_correct_usd is not None else "-"
    rows = [
        ("cost", f"${used.cost_per_question_usd:.5f}", f"${used.cost_usd:.4f}"),
        ("cost of a right answer", right, ""),
        ("calls", f"{used.calls_per_question:.2f}", f"{used.calls:,}"),
        ("policy tokens in", f"{used.policy_tokens_in * per:.0f}", f"{used.policy_tokens_in:,}"),
        ("policy tokens out", f"{used.policy_tokens_out * per:.0f}", f"{used.policy_tokens_out:,}"),
        ("expert tokens in", f"{used.expert_tokens_in * per:.0f}", f"{used.expert_tokens_in:,}"),
        ("expert tokens out", f"{used.expert_tokens_out * per:.0f}", f"{used.expert_tokens_out:,}"),
    ]
    return Table("Cost", ("", "per question", "in all"), rows)


def latency_table(card: Scorecard) -> Table:
    """Seconds of a question, and the policy's own part of them."""
    rows = [
        (name, *(f"{value:.3f}" for value in (one.mean, one.p50, one.p90, one.p95, one.p99)))
        for name, one in (("question", card.usage.latency), ("of it deciding", card.usage.routing))
    ]
    note = "With live experts: a recorded call counts the time that it took when it was made."
    return Table("Seconds a question", ("", "mean", "p50", "p90", "p95", "p99"), rows, note)


def use_table(title: str, what: str, uses: Mapping[str, Use]) -> Table:
    """Calls by expert or by skill."""
    rows = [
        (
            name,
            f"{100 * use.share:.1f} %",
            f"{use.calls:,}",
            f"{use.per_question:.2f}",
            f"{100 * use.error_rate:.1f} % ({use.errors})",
            str(use.refused),
            f"${use.cost_usd:.4f}",
            f"{use.seconds_p50:.3f}",
        )
        for name, use in uses.items()
    ]
    columns = (what, "share of calls", "calls", "per question", "failed", "refused", "cost", "median s")
    return Table(title, columns, rows, "Failed: the infrastructure's doing. Refused: the call made no sense, the policy's doing.")


def failure_table(card: Scorecard) -> Table:
    """Samples that infrastructure broke."""
    rows = [(one.task_id, str(one.sample), one.error) for one in card.failures[:SHOWN_FAILURES]]
    more = len(card.failures) - len(rows)
    note = "They count 0. Run them again with --resume." + (f" {more} more are in summary.json." if more > 0 else "")
    return Table(f"{len(card.failures)} broken sample{'' if len(card.failures) == 1 else 's'}", ("task", "sample", "error"), rows, note)


def paired_table(tests: Sequence[PairedTest], alpha: float) -> Table:
    """Every test of a comparison, a row each."""
    rows: list[tuple[str, ...]] = []
    for one in tests:
        pair = one.pair
        rows.append(
            (
                f"{one.ours} − {one.theirs}",
                one.benchmark,
                _points(pair.difference) + ("*" if one.significant(alpha) else ""),
                _points(pair.macro_difference),
                f"{pair.wins} / {pair.losses} / {pair.ties}",
                _p(pair.mcnemar_p),
                _p(pair.t.p if pair.t is not None else None),
                _p(pair.bootstrap_p),
                _p(one.adjusted_p),
                "-" if math.isnan(pair.detectable) else f"{100 * pair.detectable:.2f}",
                f"{pair.questions} / {pair.clusters}",
            )
        )
    decided = ", ".join(sorted({one.pair.test for one in tests}))
    note = (
        f"Differences in points with 95 % intervals by paired bootstrap over clusters. p (Holm) adjusts the deciding test ({decided}) for "
        f"{len(tests)} test{'' if len(tests) == 1 else 's'}; a star: below {alpha:g}, and where the bootstrap decides "
        f"from {FEWEST_CLUSTERS} clusters on. Detectable: true difference found with 80 % power."
    )
    columns: tuple[str, ...] = (
        "pair", "benchmark", "difference", "macro", "win / loss / tie", "p McNemar", "p t-test", "p bootstrap", "p (Holm)", "detectable",
        "questions / clusters",
    )  # fmt: skip
    title = "Paired tests"
    sizes = {(one.pair.questions, one.pair.clusters) for one in tests}
    if len(sizes) == 1:  # ten columns are as many as a page is wide
        questions, clusters = sizes.pop()
        note += f" {questions} questions, {clusters} clusters."
        columns, rows = _without(columns, 10), [_without(row, 10) for row in rows]
    benchmarks = {one.benchmark for one in tests}
    if len(benchmarks) == 1:
        title = f"Paired tests, {benchmarks.pop()}"
        columns, rows = _without(columns, 1), [_without(row, 1) for row in rows]
    return Table(title, columns, rows, note)


@dataclass(frozen=True)
class CurvePoint:
    """One run on the plane of cost and accuracy."""

    name: str
    cost_usd: float
    """A question."""
    accuracy: Interval


@dataclass(frozen=True)
class Curve:
    """Several runs on one benchmark, and what their curve comes to."""

    benchmark: str
    points: tuple[CurvePoint, ...]
    """By cost."""
    front: tuple[Point, ...]
    """Points that nothing beats."""
    corners: tuple[Point, ...]
    """Of the hull."""
    aiq: Aiq

    def on_front(self, point: CurvePoint) -> bool:
        """Whether no other run is both cheaper and better."""
        return (point.cost_usd, point.accuracy.mean) in self.front

    def table(self) -> Table:
        """A row a run, and how far it lies below what mixing two others reaches."""
        rows = [
            (
                one.name,
                f"{1000 * one.cost_usd:.3f}",
                percent(one.accuracy),
                "yes" if self.on_front(one) else "",
                f"{100 * (one.accuracy.mean - on_hull(self.corners, one.cost_usd)):+.1f}",
                f"{router_arena(1000 * one.cost_usd, one.accuracy.mean):.4f}",
            )
            for one in self.points
        ]
        note = (
            f"AIQ {self.aiq.paper:.4f} (RouterBench, paper: area over the range of costs), {self.aiq.code:.4f} (RouterBench, code: area "
            "over the largest cost). To the hull: points lost to tossing a coin between two of the others."
        )
        if len({one.cost_usd for one in self.points}) == 1:
            note = "All cost the same, so there is no curve and no AIQ. To the hull: points lost to the best."
        columns = ("run", "$ per 1000", "accuracy", "on the front", "to the hull", "RouterArena score")
        return Table(f"Cost and accuracy, {self.benchmark}", columns, rows, note)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        points = [
            {
                "run": one.name,
                "cost_usd": one.cost_usd,
                "accuracy": one.accuracy.mean,
                "on_front": self.on_front(one),
                "router_arena": router_arena(1000 * one.cost_usd, one.accuracy.mean),
            }
            for one in self.points
        ]
        return {"aiq_paper": self.aiq.paper, "aiq_code": self.aiq.code, "hull": list(self.corners), "points": points}


def curve(benchmark: str, points: Sequence[CurvePoint]) -> Curve:
    """The curve through some runs. Raises ConfigError for none."""
    plane = [(one.cost_usd, one.accuracy.mean) for one in points]
    ordered = sorted(points, key=lambda one: (one.cost_usd, -one.accuracy.mean))
    return Curve(benchmark, tuple(ordered), tuple(pareto_front(plane)), tuple(hull(plane)), aiq(plane))


def as_markdown(tables: Sequence[Table]) -> str:
    """A Markdown document of tables."""
    parts = [
        f"## {table.title}\n\n{f'{table.note}{chr(10) * 2}' if table.note else ''}{markdown(table.columns, table.rows)}" for table in tables
    ]
    return "\n\n".join(parts) + "\n"


def as_latex(tables: Sequence[Table]) -> str:
    """LaTeX tables, for a document that uses booktabs."""
    return "\n\n".join(latex(table.title, table.columns, table.rows, table.note) for table in tables) + "\n"


def _points(interval: Interval) -> str:
    if math.isnan(interval.mean):
        return "-"
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if value >= 0.0001 else "<0.0001"
