"""The tables and the page of `maestro compare`: who is ahead, by how much, at which cost, where, and whether it could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maestro.evaluate import figures
from maestro.evaluate.compare import PairedTest, Quantity, Run, differing_settings
from maestro.evaluate.report import Figure, Report, Table
from maestro.evaluate.scorecard import Scorecard
from maestro.evaluate.sections import Curve, paired_table
from maestro.evaluate.statistics import Interval
from maestro.evaluate.table import percent


@dataclass(frozen=True)
class ComparisonPage:
    """Everything that is told of a comparison."""

    tests: Sequence[PairedTest]
    runs: Sequence[Run]
    cards: Mapping[str, Scorecard]
    """By run's name and benchmark, as `_title` writes them."""
    curves: Mapping[str, Curve]
    alpha: float
    quantity: Quantity

    @property
    def tables(self) -> list[Table]:
        """Runs, paired tests, costs, categories, curves."""
        by_category = [*self._category_tables(), *self._difference_tables()]
        curves = [found.table() for found in self.curves.values()]
        return [
            self._runs_table(),
            *self._settings_tables(),
            paired_table(self.tests, self.alpha),
            self._cost_table(),
            *by_category,
            *curves,
        ]

    def report(self, tables: Sequence[Table]) -> Report:
        """The page, with these tables behind the figures."""
        held = sum(one.significant(self.alpha) for one in self.tests)
        best = max(self.cards.items(), key=lambda item: item[1].overall.mean)
        facts = [
            (str(len(self.runs)), "runs"),
            (f"{held} of {len(self.tests)}", f"differences hold at {self.alpha:g} after Holm's correction"),
            (f"{100 * best[1].overall.mean:.1f} %", f"the most accurate: {best[0]}"),
            (f"{min(one.pair.questions for one in self.tests):,}", "questions compared, at least"),
        ]
        drawn: list[Table | Figure] = [self._differences_figure(), *self._curve_figures()]
        lead = f"Paired question by question, the later run minus the earlier one, on {self.quantity}: {', '.join(self.cards)}."
        return Report("Comparison", lead, facts=facts, sections=[*drawn, *tables])

    def _runs_table(self) -> Table:
        rows = [
            (
                name,
                percent(card.overall.bootstrap),
                percent(card.macro),
                f"{1000 * card.usage.cost_per_question_usd:.3f}",
                f"{card.usage.calls_per_question:.2f}",
                f"{card.usage.latency.p50:.2f}",
                f"{card.overall.questions} / {card.overall.clusters}",
                str(len(card.failures)),
            )
            for name, card in self.cards.items()
        ]
        columns = ("run", "accuracy", "macro", "$ per 1000", "calls", "median s", "questions / clusters", "broken")
        return Table("Runs", columns, rows, "95 % intervals by bootstrap over clusters. Broken samples count 0.")

    def _settings_tables(self) -> list[Table]:
        differing = differing_settings(self.runs)
        rows = [(name.replace("_", " "), *values) for name, values in differing.items()]
        note = "The runs were not made under the same settings: a difference may be theirs and not the policies'."
        return [Table("Settings that differ", ("setting", *self.cards), rows, note)] if rows else []

    def _cost_table(self) -> Table:
        rows = []
        for one in self.tests:
            mean, low, high = (1000 * value for value in (one.cost.mean, one.cost.low, one.cost.high))
            gain = one.pair.difference.mean
            paid = f"${one.cost.mean / gain:.4f}" if gain > 0 and one.cost.mean > 0 else "-"
            rows.append((_names(one), f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]", paid))
        note = "Dollars per 1000 questions, paired, clustered bootstrap; and what one more right answer costs where accuracy is bought."
        return Table("Difference in cost", ("pair", "$ per 1000 more", "$ a right answer more"), rows, note)

    def _category_tables(self) -> list[Table]:
        found = []
        for benchmark in dict.fromkeys(run.benchmark for run in self.runs):
            cards = {name: card for name, card in self.cards.items() if name.endswith(f"[{benchmark}]") or not self._several}
            categories = dict.fromkeys(category for card in cards.values() for category in card.categories)
            rows = [(name.replace("_", " "), *(_accuracy(card, name) for card in cards.values())) for name in categories]
            rows.append(("macro", *(percent(card.macro) for card in cards.values())))
            stressed = frozenset({"macro"})
            found.append(Table(f"Accuracy by category, {benchmark}", ("category", *cards), rows, "", stressed))
        return found

    def _difference_tables(self) -> list[Table]:
        found = []
        for benchmark in dict.fromkeys(one.benchmark for one in self.tests):
            tests = [one for one in self.tests if one.benchmark == benchmark]
            categories = dict.fromkeys(name for one in tests for name in one.pair.categories)
            rows = [(name.replace("_", " "), *(_points(one.pair.categories.get(name)) for one in tests)) for name in categories]
            note = "Points, with 95 % intervals that are not corrected for how many categories there are: for looking, not for claims."
            found.append(Table(f"Difference by category, {benchmark}", ("category", *map(_names, tests)), rows, note))
        return found

    def _differences_figure(self) -> Figure:
        several = len({one.benchmark for one in self.tests}) > 1
        rows = []
        for one in self.tests:
            name = f"{_names(one)}, {one.benchmark}" if several else _names(one)
            found = one.pair.difference
            rows.append((name, 100 * found.mean, 100 * found.low, 100 * found.high, one.significant(self.alpha)))
        note = "95 % intervals by paired bootstrap over clusters. Grey: does not hold after correction for the number of tests."
        return Figure("Differences", figures.differences(rows, f"difference in {self.quantity}, points"), note)

    def _curve_figures(self) -> list[Figure]:
        found = []
        for name, one in self.curves.items():
            points = {p.name: (1000 * p.cost_usd, p.accuracy.mean, p.accuracy.low, p.accuracy.high) for p in one.points}
            note = "Up and to the left is better."
            found.append(Figure(f"Cost and accuracy, {name}", figures.cost_accuracy(points), note))
        return found

    @property
    def _several(self) -> bool:
        return len({run.benchmark for run in self.runs}) > 1


def comparison_page(
    tests: Sequence[PairedTest],
    runs: Sequence[Run],
    cards: Mapping[Path, Scorecard],
    curves: Mapping[str, Curve],
    alpha: float = 0.05,
    quantity: Quantity = "score",
) -> ComparisonPage:
    """The page of some tests; `cards` by the run's folder."""
    several = len({run.benchmark for run in runs}) > 1
    named = {f"{run.name} [{run.benchmark}]" if several else run.name: cards[run.folder] for run in runs}
    return ComparisonPage(tests, runs, named, curves, alpha, quantity)


def _names(test: PairedTest) -> str:
    return f"{test.ours} − {test.theirs}"


def _accuracy(card: Scorecard, category: str) -> str:
    return percent(card.categories[category].bootstrap) if category in card.categories else "-"


def _points(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"
