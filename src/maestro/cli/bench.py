"""`maestro bench`: the project's own speed, as ratios measured side by side."""

from __future__ import annotations

from typing import Any

import click

from maestro.bench.benchmarks import BENCHMARKS, benchmark, measure
from maestro.bench.measurement import Measurement, number
from maestro.cli.output import json_option, print_json, print_table, progress, warn
from maestro.errors import MissingDependency

_COLUMNS = ("benchmark", "what", "measured", "beside", "measured beside", "ratio (lowest to highest)", "bar", "")
_VERDICTS = {True: ("pass", "green"), False: ("FAIL", "bold red"), None: ("", "")}


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="Say what there is and measure nothing.")
@json_option
def command(names: tuple[str, ...], listing: bool, as_json: bool) -> int:
    """Run the named benchmarks, or all, on this machine; each measures its subject and something beside it in turns.

    Ratios mean something on a busy machine, absolute figures only on a quiet one. Exit code 0 only when every bar is met.
    """
    chosen = list(dict.fromkeys(names)) or list(BENCHMARKS)
    for name in chosen:
        benchmark(name)
    if listing:
        _list(chosen, as_json=as_json)
        return 0
    found, left_out = _measure(chosen, named=bool(names))
    passed = all(one.passed is not False for each in found.values() for one in each)
    if as_json:
        rows = [{"benchmark": name, **one.as_dict()} for name, each in found.items() for one in each]
        print_json({"passed": passed, "measurements": rows, "left_out": left_out})
    else:
        print_table("", _COLUMNS, [_row(name, one) for name, each in found.items() for one in each], right=("measured", "measured beside"))
    return 0 if passed else 1


def _measure(chosen: list[str], *, named: bool) -> tuple[dict[str, list[Measurement]], dict[str, str]]:
    """Measurements by benchmark, and why others could not be run. One that was asked for by name has to run."""
    found: dict[str, list[Measurement]] = {}
    left_out: dict[str, str] = {}
    with progress("measuring", len(chosen)) as done:
        for count, name in enumerate(chosen):
            try:
                found[name] = measure(name)
            except MissingDependency as error:
                if named:
                    raise
                left_out[name] = str(error)
                warn(f"left out: {error}")
            done(count + 1)
    return found, left_out


def _list(chosen: list[str], *, as_json: bool) -> None:
    rows = [(name, benchmark(name).summary, benchmark(name).extra or "") for name in chosen]
    if as_json:
        print_json({"benchmarks": [{"name": name, "summary": summary, "extra": extra or None} for name, summary, extra in rows]})
    else:
        print_table("", ("benchmark", "measures", "needs the extra"), rows)


def _row(name: str, one: Measurement) -> tuple[Any, ...]:
    from rich.text import Text

    ratio = f"{number(one.ratio)} ({number(one.lowest_ratio)} to {number(one.highest_ratio)})" if one.rounds > 1 else number(one.ratio)
    word, style = _VERDICTS[one.passed]
    figures = f"{number(one.figure)} {one.unit}", one.beside, f"{number(one.beside_figure)} {one.unit}"
    return (name, one.name, *figures, ratio, one.bar_text(), Text(word, style=style))
