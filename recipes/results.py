"""The results table: trained policies, several seeds each, beside every baseline on recorded questions.

    python recipes/results.py POOL OUT.md --split test --split test-shifted \\
        --policy "maestro-mini=runs/a,runs/b,runs/c" --policy "untrained=runs/a/untrained" [--sampled "maestro-mini"]

The folders of one name are seeds of one recipe: a question's number is the mean over them, and intervals resample questions. Each row
also runs drawn at temperature 1 when it is named by --sampled. Differences are paired by question.
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path

import orjson

from maestro.cli.eval import fitted, performing
from maestro.cli.loading import load_tasks, task_source
from maestro.evaluate.headroom import Baselines, store_choosers
from maestro.evaluate.results import Result, Summary, per_question, summarise
from maestro.evaluate.run import evaluate
from maestro.evaluate.statistics import Interval, paired_difference
from maestro.evaluate.table import markdown, number, percent, signed
from maestro.images import ImageStore
from maestro.policy.baselines import Pictures
from maestro.policy.loading import load_policy
from maestro.policy.protocol import Policy
from maestro.reward import RewardRule
from maestro.rollout.limits import Limits
from maestro.rollout.manifest import read_manifest
from maestro.skills.ensemble import Ensemble
from maestro.train.card import write_results
from maestro.types import Task

RIVALS = ("best single", "lookup", "cascade", "linear bandit")
COLUMNS = ("", "utility", "accuracy", "$ per 1000", "calls", *(f"minus {rival}" for rival in RIVALS), "gap closed", "bits")


async def run(folders: list[str], pool: Path, tasks: list[Task], images: ImageStore, *, greedy: bool) -> list[Result]:
    """One episode of every seed on every task; calls that are not recorded are made live."""
    found: list[Result] = []
    async with Ensemble.load("playground", images) as live:
        ensemble = performing(live, pool)
        for seed, folder in enumerate(folders):
            policy = load_policy(folder, ensemble.menu, images, greedy=greedy, seed=seed)
            done = await evaluate(policy, tasks, ensemble, Limits(turns=5, seconds=3600), RewardRule())
            found += [replace(result, sample=seed) for result in done.results]
    return found


def row(summary: Summary, results: list[Result], rivals: dict[str, list[Result]]) -> tuple[str, ...]:
    """One policy's line."""
    mine = per_question(results)
    gains = {name: paired_difference(mine, per_question(theirs)) for name, theirs in rivals.items()}
    room = paired_difference(per_question(rivals["oracle"]), per_question(rivals["lookup"])).mean
    return (
        summary.name,
        number(summary.utility),
        percent(summary.accuracy),
        number(Interval(summary.cost_usd.mean * 1000, summary.cost_usd.low * 1000, summary.cost_usd.high * 1000), digits=2),
        f"{summary.calls.mean:.2f}",
        *(signed(gains[rival]) if summary.name != rival else "" for rival in RIVALS),
        f"{100 * gains['lookup'].mean / room:.0f} %",
        f"{summary.information.bits:.2f}",
    )


def seeing(pool: Path, baselines: Baselines, images: ImageStore) -> list[Policy]:
    """The baselines that look at the picture, fitted on the training split."""
    known = read_manifest(pool).find("train")
    assert known is not None, f"{pool} has no train"
    load_tasks(task_source(known.source), "train", known.tasks, images)
    choosers = store_choosers(baselines, Pictures(images))
    return [policy for policy in (choosers.picture, choosers.linear) if policy is not None]


def table(pool: Path, split: str, groups: dict[str, list[str]], sampled: list[str], chosen: slice) -> tuple[str, dict[str, object]]:
    """The split's table in Markdown, and the summaries behind it."""
    images = ImageStore(capacity=1_000_000)
    known = read_manifest(pool).find(split)
    assert known is not None, f"{pool} has no {split}"
    tasks = load_tasks(task_source(known.source), split, known.tasks, images)[chosen]
    baselines, recorded = fitted(pool, split, RewardRule().cost_weight)
    recorded = recorded.select(tasks)
    found: dict[str, list[Result]] = {}
    for policy in (*baselines.policies(recorded), *seeing(pool, baselines, images)):
        samples = 4 if policy.name == "random" else 1
        found[policy.name] = list(asyncio.run(evaluate(policy, tasks, recorded, Limits(), RewardRule(), samples=samples)).results)
    rivals = {name: found[name] for name in (*RIVALS, "oracle")}
    for name, folders in groups.items():
        found[name] = asyncio.run(run(folders, pool, tasks, images, greedy=True))
        if name in sampled:
            found[f"{name}, sampled"] = asyncio.run(run(folders, pool, tasks, images, greedy=False))
    summaries = {name: summarise(name, results) for name, results in found.items()}
    lines = [row(summary, found[name], rivals) for name, summary in summaries.items()]
    per_seed = {
        name: [summarise(name, [one for one in found[name] if one.sample == seed]).utility.mean for seed in range(len(groups[name]))]
        for name in groups
    }
    text = f"{len(tasks)} questions of {split}\n\n{markdown(COLUMNS, lines)}\n\nutility by seed: {per_seed}\n"
    return text, {name: summary.as_dict() for name, summary in summaries.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--policy", action="append", required=True, metavar="NAME=FOLDER,FOLDER")
    parser.add_argument("--split", action="append", required=True)
    parser.add_argument("--sampled", action="append", default=[], metavar="NAME")
    parser.add_argument("--skip", type=int, default=0, help="first tasks of each split to leave out, because somebody has looked at them")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--card", action="append", default=[], type=Path, help="policy folder whose README.md gets the tables")
    given = parser.parse_args()
    groups = {name: folders.split(",") for name, _, folders in (one.partition("=") for one in given.policy)}
    tables: list[str] = []
    for split in given.split:
        text, summaries = table(given.pool, split, groups, given.sampled, slice(given.skip, given.limit))
        print(text, flush=True)
        with given.out.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
        tables.append(text)
        given.out.with_suffix(f".{split}.json").write_bytes(orjson.dumps(summaries, default=str, option=orjson.OPT_INDENT_2))
    for folder in given.card:
        write_results(folder, "\n".join(tables))


if __name__ == "__main__":
    main()
