"""`maestro headroom`: what there is to learn in a recorded store, or in a folder of recorded systems."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from maestro.cli.chat_row import chat_option
from maestro.cli.headroom_options import Asked, Weights
from maestro.cli.output import Finite, as_json_bytes, console, json_option, print_json, warn
from maestro.cli.store_headroom import StoreHeadroom, judge_store
from maestro.cli.system_headroom import FolderHeadroom, judge_folder, recorded_folder, refused
from maestro.errors import ConfigError
from maestro.evaluate.sections import as_markdown
from maestro.images import ImageStore
from maestro.rollout.manifest import manifest_path
from maestro.tasks.recorded_folder import OUTCOMES_FILE, TASKS_FILE


@click.command()
@click.argument("store", metavar="STORE|FOLDER", type=click.Path(path_type=Path))
@click.option("--split", "splits", multiple=True, help="Splits to judge; every recorded one but val by default, of a folder test.")
@click.option("--train", help="Of a folder: the split that baselines are fitted on; train by default.")
@click.option("--prices", type=click.Path(path_type=Path, dir_okay=False), help="Of a folder: YAML with dollars a call by system.")
@click.option("--cost-weight", type=Finite(min=0), default=20.0, show_default=True, help="Utility lost per dollar.")
@click.option(
    "--sweep",
    type=Weights(),
    metavar="W,W…",
    help="Fit and play everything at each of these cost weights too: curves of cost and accuracy.",
)
@chat_option
@click.option("--registry", "-r", help="Of a folder: where --chat finds experts; a store knows its own.")
@click.option("--no-pictures", is_flag=True, help="Leave out the baselines that look at pictures, which are drawn or read for them.")
@click.option("--gate", type=float, help="Fail when oracle minus lookup (of a folder question kNN) is below this on any split.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Also write report.html, tables.md and headroom.json there.")
@json_option
def command(store: Path, gate: float | None, out: Path | None, as_json: bool, **given: Any) -> int:
    """Compare the obvious policies on the calls recorded in STORE.

    They are: random, every pair alone and the best of them, lookups by question, TF-IDF and picture, a linear bandit, cascades, the
    category rule and the oracle, and with --chat models that are prompted.

    The baselines are fitted on the recorded train and val splits; the split train itself is judged on its second half by
    baselines fitted on its first.

    Of a FOLDER with tasks and recorded outcomes: what every system came to on all rows and by category, and baselines fitted on
    the half of its scenes called train, played on the half called test.

    Exit code 1 when the gate is not reached, and when a chat model's server failed in any episode.
    """
    asked = Asked(**given)
    found: FolderHeadroom | StoreHeadroom
    if (folder := recorded_folder(store)) is not None:
        found = judge_folder(folder, asked)
    else:
        if asked.train or asked.prices or asked.registry:
            reason = f"for a folder with {TASKS_FILE} and {OUTCOMES_FILE}, which {store} is not"
            raise ConfigError(f"--train, --prices and --registry are {reason}.")
        if not manifest_path(store).is_file():
            raise refused(store)
        found = judge_store(store, asked)
    passed = gate is None or found.gate(gate)
    broken = found.broken
    for name, errors in broken.items():
        warn(f"{name}: {len(errors)} broken episodes count 0: {errors[0]}")
    code = 0 if passed and not broken else 1
    if out is not None:
        found.report().write(out / "report.html", ImageStore())
        (out / "tables.md").write_text(as_markdown(found.tables()), encoding="utf-8")
        (out / "headroom.json").write_bytes(as_json_bytes({**found.named, **found.as_dict()}))
    if as_json:
        print_json({**found.named, "gate": gate, "passed": passed, **found.as_dict()})
        return code
    found.show()
    if gate is not None:
        console().print(f"gate of {gate:g}: {'passed' if passed else 'FAILED'}", style="green" if passed else "red")
    if out is not None:
        click.echo(f"report: {out / 'report.html'}")
    return code
