"""One checkpoint over all prices: the curve of a policy that is told what a dollar counts, beside policies trained for one weight.

    python recipes/budget_dial.py POOL OUT [--seeds 1,2,3] [--tasks 3000] [--split test] [--skip 500] [--eyes FOLDER]

Beside it, on the same questions: policies trained for one weight each, the cascade at every threshold, the lookup fitted at every
weight, and every fixed first pair. AIQ, the area under the hull of a system's points, is given under both conventions, with the
dearest system's cost as the common end. OUT/budget.md has the tables, OUT/budget.json the points, OUT/cost-accuracy.png the plot;
policies are kept in OUT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson
from reading import given, trained

from maestro.evaluate.curves import Point, aiq, hull
from maestro.evaluate.plots import dial_plot
from maestro.evaluate.table import markdown
from maestro.images import ImageStore
from maestro.policy.baselines import CascadePolicy, Examples, FixedPolicy, LookupPolicy
from maestro.policy.baselines.cascade import THRESHOLDS
from maestro.policy.baselines.recorded import RecordedTask
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.protocol import Policy
from maestro.rollout.pool import RecordedPool
from maestro.train.reading.ground import Ground
from maestro.train.reading.iteration import ReadingQConfig
from maestro.train.reading.training import play_pool

WEIGHTS = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 150.0, 200.0)
"""What the dial is turned to."""
TRAINED_FOR = (5.0, 20.0, 60.0, 150.0)
"""Weights that a policy is trained for alone."""
Curves = dict[str, list[Point]]


def point(policy: Policy, test: RecordedPool, told: float | None = None) -> Point:
    """(dollars a question, mean score)."""
    played = play_pool(policy, [recorded.task for recorded in test.tasks.values()], test, told)
    return float(np.mean([one.cost_usd for one in played])), float(np.mean([one.score for one in played]))


def baseline_points(train: Sequence[RecordedTask], validation: Sequence[RecordedTask], test: RecordedPool) -> Curves:
    """The baselines' curves: weights, thresholds and pairs are their dials."""
    dialect, curves = MaestroDialect(), Curves()
    for weight in WEIGHTS:
        known = [[RecordedTask(one.task, one.outcomes, weight) for one in tasks] for tasks in (train, validation)]
        examples = Examples(test.menu, known[0])
        curves.setdefault("lookup", []).append(point(LookupPolicy.fit(examples, dialect, known[1]), test))
        if weight == 20.0:
            cascade = CascadePolicy.fit(examples, dialect, known[1])
            for cascade.threshold in THRESHOLDS:
                curves.setdefault("cascade", []).append(point(cascade, test))
    curves["fixed pairs"] = [point(FixedPolicy((pair,), dialect), test) for pair in test.menu.pairs]
    return curves


def dialled(policies: Sequence[Policy], test: RecordedPool, weights: Sequence[float] = WEIGHTS) -> list[Point]:
    """A point a weight, the mean over seeds."""
    found = np.array([[point(policy, test, weight) for weight in weights] for policy in policies]).mean(axis=0)
    return [(float(cost), float(score)) for cost, score in found]


def tables(curves: Mapping[str, Sequence[Point]], utility: Mapping[str, Sequence[float]]) -> str:
    """AIQ of every system, and utility at the weights that single policies were trained for."""
    largest = max(cost for points in curves.values() for cost, _ in points)
    rows = []
    for name, points in curves.items():
        area = aiq(points, largest)
        best = max(points, key=lambda one: one[1])
        rows.append((name, f"{len(points)}", f"{area.paper:.3f}", f"{area.code:.3f}", f"{best[1]:.3f}", f"{1000 * best[0]:.2f}"))
    columns = ("", "points", "AIQ (paper)", "AIQ (code)", "best score", "at $ per 1000")
    head = ("utility where a dollar counts", *(f"{weight:g}" for weight in TRAINED_FOR))
    lines = [(name, *(f"{value:.3f}" for value in values)) for name, values in utility.items()]
    return f"{markdown(columns, rows)}\n\n{markdown(head, lines)}"


def worth(points: Sequence[Point], weight: float) -> float:
    """The best utility that a curve's points have at a weight."""
    return max(score - weight * cost for cost, score in points)


def measure(
    out: Path,
    ground: Ground,
    validation: RecordedPool,
    test: RecordedPool,
    images: ImageStore,
    config: ReadingQConfig,
    seeds: Sequence[int],
) -> str:
    """Train what is missing, play everything, write tables, points and plot."""
    one = [trained(out / f"all-{seed}", ground, validation, images, config.model_copy(update={"seed": seed})) for seed in seeds]
    curves: Curves = {"one checkpoint": dialled(one, test)}
    alone: dict[float, Point] = {}
    for weight in TRAINED_FOR:
        single = {"cost_weights": (weight, weight), "cost_weight": weight}
        configs = [config.model_copy(update={"seed": seed, **single}) for seed in seeds]
        policies = [trained(out / f"at-{weight:g}-{one.seed}", ground, validation, images, one) for one in configs]
        alone[weight] = dialled(policies, test, (weight,))[0]
    curves["trained for one weight each"] = list(alone.values())
    curves |= baseline_points(ground.tasks, tuple(validation.tasks.values()), test)
    at = dialled(one, test, TRAINED_FOR)
    utility = {
        "one checkpoint": [score - weight * cost for weight, (cost, score) in zip(TRAINED_FOR, at, strict=True)],
        "trained for it": [score - weight * cost for weight, (cost, score) in alone.items()],
    } | {name: [worth(curves[name], weight) for weight in TRAINED_FOR] for name in ("lookup", "cascade", "fixed pairs")}
    text = tables(curves, utility)
    (out / "budget.md").write_text(text + "\n", encoding="utf-8")
    (out / "budget.json").write_bytes(orjson.dumps({"curves": curves, "utility": utility}))
    dial_plot(out, "cost-accuracy", {name: (points, hull(points)) for name, points in curves.items()})
    return text


def main() -> None:
    asked = given(__doc__)
    print(measure(asked.out, asked.ground, asked.validation, asked.test, asked.images, asked.config, asked.seeds))


if __name__ == "__main__":
    main()
