"""The pages that evaluations and the demo end with: which tables, figures and episodes, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from maestro.evaluate import figures
from maestro.evaluate.report import Figure, Illustration, Report, Table
from maestro.evaluate.results import AT_ONCE, Result, Summary, call_shares, per_question, scenes_of
from maestro.evaluate.run import Evaluation
from maestro.evaluate.scorecard import Scorecard
from maestro.evaluate.statistics import Interval, paired_difference
from maestro.evaluate.table import rows, signed
from maestro.types import Task

ILLUSTRATED = 6
"""Episodes shown step by step."""
METHOD = (
    "Utility is the score of the answer minus its price: {weight:g} per dollar spent on calls. Intervals are 95 %, by bootstrap over "
    "questions, or over scenes where several share one (Wilson's for a share of right answers); samples of one question count once. A star "
    "marks a paired difference whose interval excludes zero and rests on at least 20 questions or scenes. The last but one column says how "
    "much of the category of a question its first call gives away, the last how many episodes ended with an answer and had no step that "
    "was no action."
)


@dataclass(frozen=True)
class Comparison:
    """Policies evaluated on the same tasks."""

    title: str
    tasks: Mapping[str, Task]
    evaluations: Mapping[str, Evaluation]
    """By name, in the order of the table."""
    cost_weight: float = 20.0
    reference: str = "lookup"
    """Row that the others are compared with, when it is there."""
    stressed: str = ""
    """Row in bold, whose calls and episodes are shown; the first one when empty."""
    summaries: Mapping[str, Summary] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "summaries", {name: replace(one.summary(), name=name) for name, one in self.evaluations.items()})

    @property
    def shown(self) -> str:
        """The stressed row."""
        return self.stressed or next(iter(self.evaluations))

    def difference(self, name: str) -> Interval:
        """Utility of a row minus that of the reference, paired by question."""
        ours, theirs = (per_question(self.evaluations[row].results) for row in (name, self.reference))
        return paired_difference(ours, theirs, scenes_of(self.evaluations[name].results))

    def cells(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Columns and rows of the table."""
        summaries = list(self.summaries.values())
        if self.reference not in self.evaluations or len(self.evaluations) == 1:
            return rows(summaries)
        return rows(summaries, {name: self.difference(name) for name in self.evaluations if name != self.reference})

    def table(self) -> Table:
        """The table of the report."""
        columns, cells = self.cells()
        return Table(self.title, columns, cells, METHOD.format(weight=self.cost_weight), frozenset({self.shown}))


def comparison_report(
    comparison: Comparison,
    title: str,
    lead: str,
    *,
    curves: Mapping[str, figures.Points] | None = None,
    curve_label: str = "step",
    notes: Sequence[str] = (),
) -> Report:
    """Facts, table, learning curves, cost against accuracy, who was called, and episodes of the stressed row."""
    report = Report(title, lead, facts=_facts(comparison), sections=[comparison.table()], notes=list(notes))
    if curves:
        levels = {
            name: comparison.summaries[name].utility.mean
            for name in ("random", "lookup", "cascade", "oracle")
            if name in comparison.summaries
        }
        note = "Mean utility on held-out questions while it trains. Dashed: the baselines of the table."
        report.sections.append(Figure("Learning", figures.learning_curves(curves, curve_label, "utility", levels), note))
    several = len(comparison.evaluations) > 1
    report.sections += [_cost_figure(comparison)] if several else []
    report.sections.append(_map_figure(comparison))
    report.sections += [_categories(comparison)] if several else []
    report.illustrations = illustrate(comparison)
    errors = [f"{name}: {error}" for name, summary in comparison.summaries.items() for error in summary.errors[:20]]
    report.notes += [f"Broken episodes count 0. {error}" for error in errors]
    return report


def categories_figure(card: Scorecard) -> Figure:
    """Accuracy of every category with its interval, then macro and micro."""
    named = {name.replace("_", " "): one.bootstrap for name, one in card.categories.items()} | {
        "macro": card.macro,
        "micro": card.overall.bootstrap,
    }
    rows = [(name, one.mean, one.low, one.high) for name, one in named.items()]
    note = f"{card.overall.questions} questions in {card.overall.clusters} clusters; 95 % intervals by bootstrap over clusters."
    return Figure("Accuracy by category", figures.intervals(rows, "accuracy", frozenset({"macro", "micro"})), note)


def illustrate(comparison: Comparison, count: int = ILLUSTRATED) -> list[Illustration]:
    """Episodes of the stressed row: of different categories, the longest first, right ones and at least one wrong one if there is any."""
    evaluation = comparison.evaluations[comparison.shown]
    order = sorted(range(len(evaluation.results)), key=lambda index: (-len(evaluation.results[index].calls), index))
    right = [index for index in order if evaluation.results[index].score >= 1]
    wrong = [index for index in order if evaluation.results[index].score < 1]
    picked = _different(right, evaluation.results, count - bool(wrong)) + _different(wrong, evaluation.results, 1)
    return [
        Illustration(comparison.tasks[evaluation.results[index].task_id], evaluation.episodes[index], evaluation.results[index])
        for index in picked
    ]


def _different(order: Sequence[int], results: Sequence[Result], count: int) -> list[int]:
    """The first of each category and length, then others, `count` in all."""
    seen: set[object] = set()
    lengths: dict[int, int] = {}
    picked: list[int] = []
    for index in order:
        result = results[index]
        if result.category in seen or lengths.get(len(result.calls), 0) >= max(2, count // 3):
            continue
        seen.add(result.category)
        lengths[len(result.calls)] = lengths.get(len(result.calls), 0) + 1
        picked.append(index)
    picked += [index for index in order if index not in picked]
    return picked[:count]


def _facts(comparison: Comparison) -> list[tuple[str, str]]:
    summary = comparison.summaries[comparison.shown]
    facts = [
        (f"{summary.utility.mean:.2f}", f"utility of {comparison.shown} on {summary.questions} questions"),
        (f"{100 * summary.accuracy.mean:.0f} %", "answered right"),
        (f"${1000 * summary.cost_usd.mean:.2f}", "per 1000 questions"),
        (f"{summary.calls.mean:.2f}", "calls a question"),
    ]
    if comparison.reference in comparison.evaluations and comparison.shown != comparison.reference:
        facts.insert(1, (signed(comparison.difference(comparison.shown)).split(" ")[0], f"utility over {comparison.reference}"))
    return facts


def _cost_figure(comparison: Comparison) -> Figure:
    points = {
        name: (1000 * summary.cost_usd.mean, summary.accuracy.mean, summary.accuracy.low, summary.accuracy.high)
        for name, summary in comparison.summaries.items()
    }
    return Figure(
        "Cost and accuracy",
        figures.cost_accuracy(points, comparison.cost_weight),
        "Up and to the left is better. Dotted lines join points of equal utility.",
    )


def _map_figure(comparison: Comparison) -> Figure:
    """Who is called, by expert."""
    by_pair = call_shares(comparison.evaluations[comparison.shown].results)
    shares: dict[str, dict[str, float]] = {}
    for category, pairs in by_pair.items():
        row = shares.setdefault(category, {})
        for pair, share in pairs.items():
            expert = pair.partition("@")[0]
            row[expert] = row.get(expert, 0.0) + share
    used = dict.fromkeys(expert for row in shares.values() for expert in row)
    columns = [*sorted(expert for expert in used if expert != AT_ONCE), *([AT_ONCE] if AT_ONCE in used else [])]
    note = f"How often {comparison.shown} calls each expert per question of a category; more than 1 when it is asked again."
    return Figure("Who is called", figures.call_map(dict(sorted(shares.items())), columns), note)


def _categories(comparison: Comparison) -> Table:
    names = [name for name in comparison.summaries if name in {comparison.shown, comparison.reference, "cascade", "oracle"}]
    categories = sorted({category for name in names for category in comparison.summaries[name].by_category})
    cells = []
    for category in categories:
        row = [category.replace("_", " ")]
        for name in names:
            found = comparison.summaries[name].by_category.get(category)
            row.append("-" if found is None else f"{found['utility']:.2f} ({100 * found['accuracy']:.0f} %)")
        cells.append(row)
    return Table("By category", ("category", *names), cells, "Utility (and accuracy).")
