"""The report of a training run: how reward, calls, exploration and faults went over its steps, and every alarm on the time line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from maestro.evaluate.figures import learning_curves
from maestro.evaluate.report import Figure, Report, Table
from maestro.evaluate.training_journal import Journal, Outage, smooth
from maestro.images import ImageStore

POINTS = 60
"""A curve is smoothed so that about so many of its points are independent."""
EXPERTS_NAMED = 3

Lines = Mapping[str, Sequence[tuple[float, float]]]


def write_training_report(run: Path) -> Path:
    """Write `report.html` into a run folder, and say where. Raises CheckpointError when there was no training."""
    path = run / "report.html"
    training_report(Journal.read(run)).write(path, ImageStore())
    return path


def training_report(journal: Journal) -> Report:
    """The report of what has been logged so far; it can be made while a run goes on."""
    stages = ", then ".join(kind.replace("_", " ") for _, kind in journal.stages) or "nothing yet"
    begins = "; ".join(f"{kind.replace('_', ' ')} from {begin:g}" for begin, kind in journal.stages)
    return Report(
        title=f"Training of {journal.name}",
        lead=f"{stages.capitalize()}. Steps of all stages are counted on ({begins}). Curves of sampled episodes are smoothed means; dashed "
        "red lines are alarms, numbered as in their table; shaded ground marks steps with experts out on purpose.",
        facts=_facts(journal),
        sections=[*_alarms(journal), *_outages(journal), *_figures(journal), *_faults(journal)],
    )


def _facts(journal: Journal) -> list[tuple[str, str]]:
    """The few numbers that matter."""
    best = max((value for _, value in _validation(journal, "greedy", "utility")), default=None)
    sampled = journal.sampled()
    facts = [(f"{best:.3f}", "best validation utility, greedy")] if best is not None else []
    facts.append((str(len(journal.of("alarm"))), "alarms"))
    if sampled:
        drawn, lost, again = (sum(record.get("signal", {}).get(name, 0) for record in sampled) for name in ("drawn", "lost", "drawn_again"))
        left = sum(record.get("broken", 0) for record in sampled)
        facts += [(f"{drawn:,}", "episodes drawn"), (f"{lost:,}", "broken by infrastructure"), (f"{again:,}", "drawn again")]
        facts.append((f"{left:,}", "left without a replacement, masked"))
    return facts


def _alarms(journal: Journal) -> list[Table | Figure]:
    found = journal.of("alarm")
    if not found:
        return [Table("Alarms", ("",), [("No alarm has sounded.",)])]
    rows = [
        (
            str(number),
            f"{one['at']:g}",
            str(one["name"]).replace("_", " "),
            *(str(one.get(name, "")) for name in ("alarm", "measured", "cause", "advice")),
        )
        for number, one in enumerate(found, 1)
    ]
    ending = [row[0] for row, one in zip(rows, found, strict=True) if one["fatal"]]
    note = "In bold: training on makes no sense. With alarms.stop these end the run, and the best policy is handed over."
    columns = ("", "at", "stage", "alarm", "measured", "likely cause", "what to do")
    return [Table("Alarms", columns, rows, note if ending else "", frozenset(ending), prose=True)]


def _outages(journal: Journal) -> list[Table | Figure]:
    """What experts that were out on purpose did to the run: a row for each stretch with the same ones."""
    stretches = journal.outages()
    if not any(stretch.experts for stretch in stretches):
        return []
    if len(stretches) > 2 * POINTS:
        stretches = _with_and_without(stretches)
    rows = [
        (
            f"{stretch.begin:g} to {stretch.end:g}" if stretch.end > stretch.begin else f"{stretch.begin:g}",
            _few(stretch.experts),
            f"{stretch.total('signal', 'drawn'):,}",
            _share(stretch.total("signal", "lost"), stretch.total("signal", "drawn")),
            f"{stretch.total('signal', 'drawn_again'):,}",
            f"{stretch.total('signal', 'not_replaced'):,}",
            f"{stretch.total('faults', 'told'):,}",
            *(_number(stretch.mean(name)) for name in ("reward", "accuracy", "calls")),
        )
        for stretch in stretches
    ]
    columns = ("steps", "out", "drawn", "lost", "drawn again", "masked", "told", "reward", "accuracy", "calls")
    return [Table("Experts out on purpose", columns, rows, _explained(stretches))]


def _explained(stretches: Sequence[Outage]) -> str:
    """In words: what was lost, what was done about it, and what became of the reward."""
    out, whole = [one for one in stretches if one.experts], [one for one in stretches if not one.experts]
    drawn, lost = (sum(one.total("signal", name) for one in out) for name in ("drawn", "lost"))
    told, masked = sum(one.total("faults", "told") for one in out), sum(one.total("signal", "not_replaced") for one in out)
    text = (
        f"While experts were out, {_share(lost, drawn)} of the {drawn:,} episodes drawn were lost to it. They have no reward and no loss; "
        f"{sum(one.total('signal', 'drawn_again') for one in out):,} further draws took their places, and {masked:,} places stayed masked. "
    )
    if told:
        text += f"{told:,} calls were answered with `unavailable`, and their episodes went on. "
    before = next((one for one in reversed(stretches[: stretches.index(out[0])]) if not one.experts), None)
    after = stretches[-1] if whole and stretches[-1] is whole[-1] and stretches[-1] is not before else None
    parts = [("before", before), ("meanwhile", out[0]), ("at the end", after)]
    means = [f"{when} {mean:.3f}" for when, one in parts if one is not None and (mean := one.mean("reward")) is not None]
    return text + (f"Mean reward of what was trained on: {', '.join(means)}." if means else "")


def _with_and_without(stretches: Sequence[Outage]) -> list[Outage]:
    """Random outages change from step to step: all steps without an expert out, and all with some."""
    without = [record for one in stretches if not one.experts for record in one.records]
    having = [record for one in stretches if one.experts for record in one.records]
    names = tuple(sorted({name for one in stretches for name in one.experts}))
    return [*([Outage((), without)] if without else []), Outage(names, having)]


def _figures(journal: Journal) -> list[Table | Figure]:
    """Every curve for which something was measured."""
    watched = {way: _validation(journal, way, "utility") for way in ("greedy", "sampled")}
    plain = [
        ("Utility on the validation split", "utility", watched, "All experts are there when the policy is looked at."),
        ("Reward and its terms", "reward", _terms(journal), "Each term times its weight; the total is what advantages are made of."),
        ("Calls", "calls an episode", {"calls": _smooth(journal, "calls")}, "An episode that answers at once makes none."),
        ("Share of calls by expert", "share", _shares(journal, "experts"), ""),
        ("Share of calls by skill", "share", _shares(journal, "skills"), ""),
        ("Exploration: entropy", "nats a token", {"entropy": _smooth(journal, "entropy")}, "Minus the mean log-prob of what was sampled."),
        (
            "Mutual information of question and first action",
            "nats",
            {"information": _smooth(journal, "information")},
            "Near zero, the policy does the same whatever it is asked.",
        ),
        (
            "Distance to the oracle of the recorded pool, and what calls bring",
            "utility",
            {name.replace("_", " "): _smooth(journal, name) for name in ("oracle_gap", "lift_per_call", "price_per_call")},
            "Gap: utility of the best recorded plan minus that of the episode. Lift: score over answering without a call, for each call.",
        ),
        (
            "Signal lost",
            "share",
            {
                "broken": _smooth(journal, "infrastructure_share"),
                "cut off": _smooth(journal, "truncated_share"),
                "equal groups": _smooth(journal, "equal_share"),
            },
            "Episodes that infrastructure broke, episodes with a decision cut off (both of all drawn), and groups with equal rewards.",
        ),
        ("Form", "share", {"well formed": _smooth(journal, "wellformed")}, "Episodes in which every turn was an action."),
        (
            "Sampler against trainer, and distance from the start",
            "nats a token",
            {"drift": _smooth(journal, "drift"), "KL": _smooth(journal, "kl")},
            "Drift: difference of log-probs on the same ids, before the update. KL only with beta.",
        ),
        ("Loss", "loss", {"loss": _thinned(journal.series("loss", records=journal.of("step")))}, ""),
    ]
    return [_figure(journal, title, label, lines, note) for title, label, lines, note in plain if any(lines.values())]


def _figure(journal: Journal, title: str, label: str, lines: Lines, note: str) -> Figure:
    marks = [(float(one["at"]), str(number)) for number, one in enumerate(journal.of("alarm"), 1)]
    drawn = {name: line for name, line in lines.items() if line}
    return Figure(title, learning_curves(drawn, "step", label, marks=marks, bands=journal.bands()), note)


def _faults(journal: Journal) -> list[Table | Figure]:
    """What broke episodes, by kind and by whose doing."""
    tables: list[Table | Figure] = []
    for key, what in (("kinds", "kind"), ("experts", "expert")):
        counts: dict[str, int] = {}
        for record in journal.sampled():
            for name, count in record.get("faults", {}).get(key, {}).items():
                counts[name] = counts.get(name, 0) + count
        if counts:
            rows = [(name, f"{count:,}") for name, count in sorted(counts.items(), key=lambda item: -item[1])]
            tables.append(Table(f"Episodes broken by infrastructure, by {what}", (what, "episodes"), rows))
    return tables


def _terms(journal: Journal) -> dict[str, list[tuple[float, float]]]:
    """The weighted terms and their sum."""
    names = list(dict.fromkeys(name for record in journal.sampled() for name in record.get("terms", {})))
    lines = {"total": _smooth(journal, "reward")}
    for name in names:
        points = [
            (record["at"], record["terms"][name] * record.get("weights", {}).get(name, 1.0))
            for record in journal.sampled()
            if name in record.get("terms", {})
        ]
        lines[name] = _thinned(points)
    return lines


def _shares(journal: Journal, key: str) -> dict[str, list[tuple[float, float]]]:
    lines = {}
    for name in journal.names(key):
        points = [(record["at"], record[key].get(name, 0.0)) for record in journal.sampled() if record.get(key)]
        lines[name] = _thinned(points)
    return lines


def _validation(journal: Journal, *path: str) -> list[tuple[float, float]]:
    return journal.series(*path, records=journal.of("validation"))


def _smooth(journal: Journal, *path: str) -> list[tuple[float, float]]:
    return _thinned(journal.series(*path))


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    return smooth(points, max(1, len(points) // POINTS))


def _few(names: Sequence[str]) -> str:
    """The first names, and how many more."""
    more = f" and {len(names) - EXPERTS_NAMED} more" if len(names) > EXPERTS_NAMED else ""
    return ", ".join(names[:EXPERTS_NAMED]) + more if names else "none"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
