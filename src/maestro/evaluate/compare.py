"""Runs against each other: read back, put side by side question by question, and tested with correction for how many tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from maestro.errors import ConfigError
from maestro.evaluate.folder import read_config, read_registries, read_results
from maestro.evaluate.pairing import Pair, holm, pair
from maestro.evaluate.results import Result, per_question, scenes_of
from maestro.evaluate.statistics import FEWEST_CLUSTERS, Interval, paired_difference

Quantity = Literal["score", "utility"]
_NAMED_ELSEWHERE = frozenset({"policy", "tasks", "split", "tasks_digest", "limit", "baselines", "replay", "attribution", "sweep"})
"""Settings that the run's name and benchmark say, that pairing question by question settles, or that change no episode."""


@dataclass(frozen=True)
class Run:
    """A finished evaluation, read back."""

    name: str
    """Of the policy; told apart by the folder where several have the same."""
    benchmark: str
    """Task source and split."""
    folder: Path
    results: tuple[Result, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    """What it was run under besides policy and tasks, as text; the registry by its digest."""

    @property
    def questions(self) -> dict[str, str]:
        """Digest of every question by task id."""
        return {result.task_id: result.task_digest for result in self.results}


@dataclass(frozen=True)
class PairedTest:
    """Two runs on the same questions, with the p-value adjusted for all tests of the comparison."""

    benchmark: str
    ours: str
    theirs: str
    pair: Pair
    adjusted_p: float
    """Holm's, over every test made."""
    cost: Interval
    """Ours minus theirs in dollars a question, by paired bootstrap over clusters."""
    left_out: int = 0
    """Questions that only one of the two has."""

    def significant(self, alpha: float = 0.05) -> bool:
        """Whether the difference holds after correction; a bootstrap over few clusters decides nothing, the exact test does."""
        return self.adjusted_p < alpha and (self.pair.clusters >= FEWEST_CLUSTERS or self.pair.test.startswith("McNemar"))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        head = {"benchmark": self.benchmark, "ours": self.ours, "theirs": self.theirs}
        return {**head, "p_holm": self.adjusted_p, "left_out": self.left_out, "cost_usd": self.cost.as_dict(), **self.pair.as_dict()}


def read_run(folder: Path) -> Run:
    """A finished run. Raises CheckpointError when the folder holds none."""
    config = read_config(folder)
    benchmark = f"{config.get('tasks', '?')}/{config.get('split', '?')}"
    settings = {name: str(value) for name, value in config.items() if name not in _NAMED_ELSEWHERE}
    if registries := read_registries(folder):
        settings["registry"] = ", ".join(registries)
    return Run(str(config.get("policy", folder.name)), benchmark, folder, tuple(read_results(folder)), settings)


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """Runs by folder; those of one benchmark and policy are told apart by folder. Raises ConfigError for one given twice."""
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise ConfigError("a run is given twice; compare different folders.")
    found = [read_run(folder) for folder in folders]
    benchmarks, policies = _short([run.benchmark for run in found], 2), _short([run.name for run in found], 1)
    runs = [replace(run, name=policies[run.name], benchmark=benchmarks[run.benchmark]) for run in found]
    seen = [(run.benchmark, run.name) for run in runs]
    return [run if seen.count((run.benchmark, run.name)) == 1 else replace(run, name=f"{run.name} ({run.folder.name})") for run in runs]


def differing_settings(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    """Settings that are not the same in all runs, with each run's: what besides the policy may have made a difference."""
    names = dict.fromkeys(name for run in runs for name in run.settings)
    values = {name: tuple(run.settings.get(name, "-") for run in runs) for name in names}
    return {name: found for name, found in values.items() if len(set(found)) > 1}


def _short(names: Sequence[str], parts: int) -> dict[str, str]:
    """Absolute paths by their last parts, where that leaves all names different; other names as they are."""
    shown = {name: "/".join(name.split("/")[-parts:]) if name.startswith("/") else name for name in names}
    return shown if len(set(shown.values())) == len(shown) else {name: name for name in names}


def compare(runs: Sequence[Run], *, shared: bool = False, against_first: bool = False, quantity: Quantity = "score") -> list[PairedTest]:
    """Every pair of runs of the same benchmark, or each against the first of its benchmark.

    Raises ConfigError when there is no pair, and when two runs of a benchmark have different questions; with `shared` they are compared on
    those they have in common. A question with an id both know but other content is always an error.
    """
    pairs = [chosen for group in _benchmarks(runs, shared=shared).values() for chosen in _pairs(group, against_first=against_first)]
    found = [(ours, theirs, *_paired(ours, theirs, shared=shared, quantity=quantity)) for ours, theirs in pairs]
    adjusted = holm([one.p for _, _, one, _ in found])
    return [
        PairedTest(ours.benchmark, ours.name, theirs.name, one, p, _cost(ours, theirs), left_out)
        for (ours, theirs, one, left_out), p in zip(found, adjusted, strict=True)
    ]


def _cost(ours: Run, theirs: Run) -> Interval:
    """What the one costs more a question, on those both have."""
    one, other = (per_question(run.results, "cost_usd") for run in (ours, theirs))
    return paired_difference(one, other, scenes_of(ours.results))


def _benchmarks(runs: Sequence[Run], *, shared: bool) -> dict[str, list[Run]]:
    """Runs that belong together. Two runs of different names of source are still one benchmark when their questions are the same."""
    groups: list[list[Run]] = []
    for run in runs:
        home = next((group for group in groups if _belongs(run, group[0], shared=shared)), None)
        if home is None:
            groups.append([run])
        else:
            home.append(run)
    alone = [group[0] for group in groups if len(group) == 1]
    if alone:
        told = "\n".join(f"  {run.folder}: {len(run.questions)} questions of {run.benchmark}" for run in runs)
        raise ConfigError(
            f"runs are compared on the same questions; {alone[0].folder} has no partner among these:\n{told}\n"
            "Evaluate both policies with the same --tasks, --split and --limit, or compare what they have in common with --shared."
        )
    return {f"{number}": group for number, group in enumerate(groups)}


def _belongs(run: Run, other: Run, *, shared: bool) -> bool:
    mine, theirs = run.questions, other.questions
    return bool(mine.keys() & theirs.keys()) if shared else mine.keys() == theirs.keys() or run.benchmark == other.benchmark


def _pairs(group: Sequence[Run], *, against_first: bool) -> list[tuple[Run, Run]]:
    """(ours, theirs): the later run minus the earlier one, so that a baseline is given first."""
    if against_first:
        return [(run, group[0]) for run in group[1:]]
    return [(later, earlier) for earlier, later in combinations(group, 2)]


def _paired(ours: Run, theirs: Run, *, shared: bool, quantity: Quantity) -> tuple[Pair, int]:
    """The test on the questions both have, and how many only one has."""
    mine, others = ours.questions, theirs.questions
    common = [one for one in mine if one in others]
    if changed := [one for one in common if mine[one] != others[one]]:
        raise ConfigError(
            f"{len(changed)} of {len(common)} questions differ between {ours.folder} and {theirs.folder} under the same id "
            f"(other text, picture, reference or scoring rule), {changed[0]} for one. Evaluate both on the same tasks."
        )
    left_out = len(mine) + len(others) - 2 * len(common)
    if left_out and not shared:
        raise ConfigError(
            f"{ours.folder} has {len(mine)} questions, {theirs.folder} {len(others)}, and both have {len(common)} of them. "
            "Evaluate both on the same tasks, or compare the common ones with --shared."
        )
    a, b = per_question(ours.results, quantity), per_question(theirs.results, quantity)
    category: Mapping[str, str] = {result.task_id: result.category for result in ours.results}
    scenes = scenes_of(ours.results)
    columns = ([table[one] for one in common] for table in (a, b, scenes, category))
    return pair(*columns), left_out  # type: ignore[arg-type]
