"""`maestro demo`: ask, verify, train, evaluate and report on the embedded playground, from nothing but what is installed."""

from __future__ import annotations

import random
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from maestro.cli.ask import Narration, tell_end
from maestro.cli.eval import fitted
from maestro.cli.live import LiveCurves
from maestro.cli.loading import load_tasks, run_async, task_source
from maestro.cli.output import console, json_option, print_json, print_table, progress, warn
from maestro.cli.record import show_verification
from maestro.cli.replay import replay
from maestro.config import load_config
from maestro.ensembles.playground.shipped import demo_config, shipped_pool
from maestro.errors import CheckpointError, MaestroError
from maestro.evaluate.compose import Comparison, comparison_report
from maestro.evaluate.run import Evaluation, evaluate
from maestro.evaluate.verify import Verification, verify
from maestro.facade import DEFAULT_POLICY
from maestro.images import ImageStore
from maestro.policy.loading import load_policy
from maestro.reward import RewardRule
from maestro.rollout.episode import run_episode
from maestro.rollout.limits import Limits
from maestro.rollout.manifest import Manifest, read_manifest
from maestro.rollout.pool import PooledEnsemble, RecordedPool
from maestro.skills.ensemble import Ensemble
from maestro.types import Episode, Task

REGISTRY = SOURCE = "playground"
ASKED = ("text_line", "table_sum", "count_shapes", "zoom_number")
"""Families of the fresh questions: one call or two, text or pixels."""
CALLS = 4
NOTES = (
    (
        "The playground is made up: a program draws its pictures and questions. It shows that routing is learned, "
        "not how good any expert is at real photographs or documents. Prices are playground dollars."
    ),
    (
        "The oracle knows every outcome beforehand; the skilled oracle only chooses the experts, "
        "its skills being those that suit the kind of question best."
    ),
)


@dataclass
class _Demo:
    """What the demo works with, and how long each part took."""

    store: Path
    manifest: Manifest
    out: Path
    policy: str
    seed: int
    images: ImageStore = field(default_factory=lambda: ImageStore(capacity=1_000_000))
    seconds: dict[str, float] = field(default_factory=dict)
    question: str = ""
    """The last fresh question, and its picture: something to ask next."""
    picture: Path = Path()

    @contextmanager
    def part(self, title: str) -> Iterator[None]:
        """A heading, and the time taken."""
        console(stderr=True).rule(title, align="left")
        started = time.monotonic()
        yield
        self.seconds[title] = round(time.monotonic() - started, 1)


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/demo"), show_default=True, help="Where everything goes."
)
@click.option("--store", type=click.Path(path_type=Path), help="Recorded calls; the shipped ones by default.")
@click.option("--policy", "-p", default=DEFAULT_POLICY, show_default=True, help="The trained policy to show.")
@click.option("--seed", type=int, help="Of the fresh questions; a new one each time by default.")
@click.option("--limit", type=click.IntRange(min=8), default=120, show_default=True, help="Questions of the final comparison.")
@click.option("--config", "config", type=click.Path(path_type=Path), help="Training of the fresh policy; the shipped one by default.")
@json_option
def command(out: Path, store: Path | None, policy: str, seed: int | None, limit: int, config: Path | None, as_json: bool) -> int:
    """Ask fresh questions, verify recorded calls, train a fresh policy for a few minutes, compare it with everything, and report.

    Exit code 0 when all of it worked.
    """
    started = time.monotonic()
    out = _free(out)
    filled = store or shipped_pool()
    demo = _Demo(filled, read_manifest(filled), out, policy, seed if seed is not None else random.SystemRandom().randrange(10**6))
    with demo.part("1. Fresh questions, live"):
        asked = run_async(_ask(demo))
    with demo.part("2. Recorded calls, made again"):
        checked = run_async(_verify(demo))
        show_verification(checked)
    with demo.part("3. A fresh policy learns"):
        trained, curves = _train(demo, config)
    with demo.part("4. Everybody on the same questions"):
        comparison = _compare(demo, trained, limit)
    lead = (
        f"A fresh policy trained here in {demo.seconds['3. A fresh policy learns']:.0f} seconds, beside the shipped one, an untrained one "
        f"and every baseline, on {len(comparison.tasks)} questions that none was trained on."
    )
    comparison_report(
        comparison, "Maestro, end to end", lead, curves=curves.utility(), curve_label="seconds of training", notes=NOTES
    ).write(out / "report.html", demo.images)
    total = time.monotonic() - started
    broken = [episode.task_id for episode in asked if episode.error is not None]
    ok = checked.passed and not broken
    _tell(demo, comparison, asked, checked, total, as_json=as_json)
    return 0 if ok else 1


def _free(out: Path) -> Path:
    """The folder, or the next free one beside it: a demo never overwrites."""
    number = 1
    candidate = out
    while candidate.exists() and any(candidate.iterdir()):
        number += 1
        candidate = out.with_name(f"{out.name}-{number}")
    candidate.mkdir(parents=True, exist_ok=True)
    return candidate


async def _ask(demo: _Demo) -> list[Episode]:
    """Questions nobody has seen, drawn now and answered live."""
    from maestro.ensembles.playground.tasks.source import PlaygroundSource

    source, episodes = PlaygroundSource(), []
    async with Ensemble.load(REGISTRY, demo.images) as ensemble:
        policy = load_policy(demo.policy, ensemble.menu, demo.images)
        for number, family in enumerate(ASKED):
            task = source.task("test", family, 10**7 + 100 * demo.seed + number, demo.images)
            path = demo.out / "questions" / f"{number + 1}-{family}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(demo.images.png(task.images[0]))
            demo.question, demo.picture = task.question, path
            console().print(f"\n{task.question}", style="bold", markup=False)
            console().print(f"  picture  {path}", style="dim", markup=False)
            episode = await run_episode(task, policy, ensemble, Limits(turns=CALLS + 1), watch=Narration(task))
            tell_end(episode)
            console().print(f"  expected {' or '.join(task.references)}", style="dim", markup=False)
            episodes.append(RewardRule().scored(task, episode))
    return episodes


async def _verify(demo: _Demo, sample: int = 24) -> Verification:
    """Some recorded calls of the test split, made live."""
    known = demo.manifest.find("test") or demo.manifest.splits[0]
    tasks = load_tasks(task_source(known.source), known.split, min(known.tasks, 60), demo.images)
    recorded = replay(demo.store, demo.manifest, known.split)
    async with Ensemble.load(REGISTRY, demo.images) as live:
        with progress("verifying", sample) as done:
            return await verify(tasks, recorded, live, sample, seed=demo.seed, progress=done)


def _train(demo: _Demo, config: Path | None) -> tuple[Path, LiveCurves]:
    """Train on the recorded calls, watched; returns the policy's folder."""
    from maestro.ensembles.playground.tasks.source import PlaygroundSource
    from maestro.train.fitted_q.iteration import FittedQConfig
    from maestro.train.fitted_q.training import train_features

    missing = [split for split in ("train", "val") if demo.manifest.find(split) is None]
    if missing:
        raise MaestroError(
            f"{demo.store} lacks the recorded split {missing[0]}; fill it with: maestro record {SOURCE} --store {demo.store} --resume"
        )
    settings = load_config(FittedQConfig, config or demo_config(), [])
    pools = {split: replay(demo.store, demo.manifest, split, settings.cost_weight) for split in ("train", "val")}
    with LiveCurves() as curves:
        folder = train_features(pools["train"], pools["val"], PlaygroundSource(), demo.images, demo.out / "trained", settings, curves)
    return folder, curves


def _compare(demo: _Demo, trained: Path, limit: int) -> Comparison:
    """Baselines, untrained, trained here and shipped, on the same recorded questions."""
    baselines, pool = fitted(demo.store, "test", RewardRule().cost_weight)
    tasks = load_tasks(task_source(SOURCE), "test", min(limit, len(pool.tasks)), demo.images)
    recorded = pool.select(tasks)
    found: dict[str, Evaluation] = {}
    for policy in baselines.policies(recorded):
        found[policy.name] = run_async(evaluate(policy, tasks, recorded))
    rows = {"untrained": str(trained.with_name("untrained")), "trained here": str(trained), "shipped": demo.policy}
    for name, policy_name in rows.items():
        try:
            found[name] = run_async(_evaluate(demo, policy_name, tasks, name, pool))
        except CheckpointError as error:
            warn(f"the row {name!r} is left out: {error}")
    stressed = "shipped" if "shipped" in found else "trained here"
    order = ["random", "best single", "untrained", "lookup", "cascade", "trained here", "shipped", "skilled oracle", "oracle"]
    title = f"{len(tasks)} questions of {SOURCE}/test"
    return Comparison(title, {task.id: task for task in tasks}, {name: found[name] for name in order if name in found}, stressed=stressed)


async def _evaluate(demo: _Demo, policy_name: str, tasks: list[Task], name: str, pool: RecordedPool) -> Evaluation:
    """A checkpoint on the tasks, greedy; calls that are not recorded are made live."""
    async with Ensemble.load(REGISTRY, demo.images) as live:
        ensemble = PooledEnsemble(pool, live)
        policy = load_policy(policy_name, ensemble.menu, demo.images)
        with progress(f"evaluating {name}", len(tasks)) as done:
            return await evaluate(policy, tasks, ensemble, Limits(turns=CALLS + 1, seconds=600), progress=done)


def _tell(demo: _Demo, comparison: Comparison, asked: list[Episode], checked: Verification, total: float, *, as_json: bool) -> None:
    right = sum(episode.reward is not None and episode.reward.terms["outcome"] >= 1 for episode in asked)
    if as_json:
        content: dict[str, Any] = {"report": str(demo.out / "report.html"), "seconds": total, "parts": demo.seconds, "asked_right": right}
        content |= {"verified": checked.agreement, "rows": {name: summary.as_dict() for name, summary in comparison.summaries.items()}}
        print_json(content)
        return
    columns, cells = comparison.cells()
    print_table(comparison.title, columns, cells, right=columns[1:])
    console().print(f"{right} of {len(asked)} fresh questions right; the whole took {total:.0f} s", markup=False)
    console().print(f"report: {demo.out / 'report.html'}", style="bold", markup=False)
    click.echo(f"next: {_program()} ask {shlex.quote(demo.question)} --image {shlex.quote(str(demo.picture))}")


def _program() -> str:
    """How this program is started again: a virtual environment that is not active has no `maestro` on the path."""
    if shutil.which("maestro"):
        return "maestro"
    return "python -m maestro" if Path(sys.argv[0]).name == "__main__.py" else sys.argv[0]
