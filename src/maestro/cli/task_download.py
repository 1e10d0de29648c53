"""`maestro tasks download`: fetch a public benchmark from the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

import click

from maestro.cli.output import json_option, print_json
from maestro.errors import TaskError, not_found
from maestro.tasks.benchmarks.catalogue import BENCHMARKS
from maestro.tasks.benchmarks.download import download, plan_download
from maestro.tasks.benchmarks.naming import usual_place


@click.command("download")
@click.argument("benchmark")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; by default where the name alone finds it.")
@click.option("--revision", help="Commit, tag or branch of the data set; by default the pinned one, else the newest.")
@click.option("--dataset", help="Another data set of the Hub in the same layout, as ORGANISATION/NAME.")
@click.option("--dry-run", is_flag=True, help="Only say what would be fetched.")
@json_option
def command(benchmark: str, out: Path | None, revision: str | None, dataset: str | None, dry_run: bool, as_json: bool) -> None:
    """Fetch a public BENCHMARK from the Hugging Face Hub.

    The files are of one commit, which is noted beside them. No other verb goes to the network for tasks. Needs the extra hub.
    """
    if benchmark not in BENCHMARKS:
        raise TaskError(not_found("benchmark", benchmark, BENCHMARKS, "See them with: maestro tasks list"))
    known = BENCHMARKS[benchmark]
    folder = out or usual_place(known)
    plan = plan_download(known, dataset, revision)
    about = f"{plan.dataset} at {plan.commit}: {len(plan.files)} files, {plan.gigabytes:.2f} GB; {plan.pinning}"
    if not dry_run:
        if not as_json:
            click.echo(f"{about}\nto {folder}", err=True)
        download(plan, folder)
    if as_json:
        pin = known.hub.pin(plan.dataset)
        said = {"benchmark": benchmark, "dataset": plan.dataset, "commit": plan.commit, "pin": pin, "gigabytes": plan.gigabytes}
        print_json({**said, "folder": str(folder), "files": list(plan.files), "downloaded": not dry_run})
        return
    name = benchmark if out is None else f"{benchmark}:{out}"
    if dry_run:
        click.echo(f"{about}\nto {folder}; nothing was fetched")
    else:
        click.echo(f"{folder} holds {known.title}. Look at it with: maestro tasks show {name}")
        click.echo(f"this commit and no other, in configs and commands: {name}?revision={plan.commit}")
