"""`maestro trace`: look at what a run did."""

from __future__ import annotations

from pathlib import Path

import click

from maestro.cli.output import console, json_option, print_json
from maestro.evaluate.training_report import write_training_report


@click.group()
def command() -> None:
    """Look at what a run did."""


@command.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@json_option
def report(run: Path, as_json: bool) -> None:
    """Write report.html of the training run in the folder RUN; also while it goes on."""
    path = write_training_report(run)
    if as_json:
        print_json({"report": str(path)})
    else:
        console().print(f"report in {path}", markup=False)
