"""`maestro score`: score lines of predictions."""

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import IO, Any

import click

from maestro.cli.output import json_option, print_json, print_table
from maestro.errors import TaskError
from maestro.facade import DEFAULT_REGISTRY
from maestro.scoring.lines import ScoredLine, score_lines
from maestro.scoring.profiles import PROFILES

_STDIN = "-"


@click.command()
@click.argument("file", metavar="FILE.jsonl", required=False)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the lines there; a table of means goes to stdout.")
@click.option("--list", "list_profiles", is_flag=True, help="Print the profiles and whose rule each is.")
@click.option("--judge", metavar="EXPERT", help="Let this served model score what its benchmark's rubric wants judged.")
@click.option("--registry", metavar="R", default=DEFAULT_REGISTRY, show_default=True, help="Where the judge's card is.")
@click.option("--cache", type=click.Path(path_type=Path, dir_okay=False), help="The judge's verdicts; in the user's cache by default.")
@json_option
def command(
    file: str | None, out: Path | None, list_profiles: bool, judge: str | None, registry: str, cache: Path | None, as_json: bool
) -> int:
    """Score the lines of FILE.jsonl (- for stdin).

    A line is {benchmark, prediction, reference, options?, params?}; it comes back on stdout, in order, with {score, extracted,
    rule, reason}. A bad line comes back with {line, error}, and the exit code is 1.

    With --judge the rule comes first; where the profile's rubric, or the line's own field rubric, wants a judgement, the score is the
    judge's and by_rule holds the rule's. The judge reads the field question. Failures score 0, are listed, and make the exit code 1.
    """
    if list_profiles:
        _list(as_json)
        return 0
    if file is None:
        raise click.UsageError("name a file of lines to score, - for stdin, or --list.")
    if cache is not None and judge is None:
        raise click.UsageError("--cache keeps the verdicts of a judge; name one with --judge.")
    if judge is None:
        with _input(file) as lines, _output(out, file) as written:
            failed, by_benchmark = _write(score_lines(lines), written)
        _require_lines(file, failed, by_benchmark)
        return _end(out, by_benchmark, failed, as_json, {})
    from maestro.cli import score_judge

    with _input(file) as lines:  # all of them, and the verdicts, before a file that is there is written over
        found, tally = score_judge.judged(score_lines(lines), judge, registry, cache)
    with _output(out, file) as written:
        failed, by_benchmark = _write(found.lines, written)
    _require_lines(file, failed, by_benchmark)
    score_judge.tell(found, tally)
    return _end(out, by_benchmark, failed + len(found.failed), as_json, {"judge": score_judge.report(found, tally)})


def _write(lines: Iterable[ScoredLine], written: IO[bytes]) -> tuple[int, dict[str, list[float]]]:
    """Write every line; how many are bad, and the scores by benchmark."""
    failed = 0
    by_benchmark: dict[str, list[float]] = defaultdict(list)
    for scored in lines:
        written.write(scored.as_json().encode() + b"\n")
        if scored.score is None:
            failed += 1
            click.echo(f"error: line {scored.number}: {scored.error}", err=True)
        else:
            by_benchmark[scored.benchmark].append(scored.score.score)
    return failed, by_benchmark


def _require_lines(file: str, failed: int, by_benchmark: Mapping[str, list[float]]) -> None:
    """Raise TaskError for a file without a line: whoever sent it meant another one."""
    if not failed and not by_benchmark:
        raise TaskError(f"no line to score in {'stdin' if file == _STDIN else file}; a line has benchmark, prediction and reference.")


def _end(out: Path | None, by_benchmark: dict[str, list[float]], failed: int, as_json: bool, more: dict[str, Any]) -> int:
    if out is not None:
        _summary(out, by_benchmark, failed, as_json, more)
    return 1 if failed else 0


def _list(as_json: bool) -> None:
    rows = [
        (name, profile.origin, ", ".join(profile.params), "yes" if profile.takes_options else "")
        for name, profile in sorted(PROFILES.items())
    ]
    if as_json:
        print_json(
            {
                "profiles": [
                    {"name": name, "origin": profile.origin, "params": list(profile.params), "takes_options": profile.takes_options}
                    for name, profile in sorted(PROFILES.items())
                ]
            }
        )
    else:
        print_table("", ("profile", "whose rule", "params", "options"), rows)


def _summary(out: Path, by_benchmark: dict[str, list[float]], failed: int, as_json: bool, more: dict[str, Any]) -> None:
    rows = [{"benchmark": name, "lines": len(scores), "mean": fmean(scores)} for name, scores in sorted(by_benchmark.items())]
    if as_json:
        print_json({"file": str(out), "scored": sum(map(len, by_benchmark.values())), "failed": failed, "benchmarks": rows, **more})
        return
    print_table(
        str(out),
        ("benchmark", "lines", "mean"),
        [(row["benchmark"], row["lines"], f"{row['mean']:.4f}") for row in rows],
        right=("lines", "mean"),
    )


@contextlib.contextmanager
def _input(file: str) -> Iterator[IO[bytes]]:
    if file == _STDIN:
        yield sys.stdin.buffer
        return
    path = Path(file)
    if path.is_dir():
        raise TaskError(f"{file} is a folder; name a file of JSON lines in it, or - for stdin.")
    if not path.is_file():
        raise TaskError(f"no file {file}; give a file of JSON lines, or - for stdin.")
    with path.open("rb") as opened:
        yield opened


@contextlib.contextmanager
def _output(out: Path | None, file: str) -> Iterator[IO[bytes]]:
    if out is None:
        yield sys.stdout.buffer  # UTF-8 whatever the terminal speaks, as in a file
        return
    if file != _STDIN and out.exists() and out.samefile(file):
        raise TaskError(f"{out} is the file to score itself; name another with --out.")
    with out.open("wb") as opened:
        yield opened
