"""Who is how often right on the half `test` of a folder of VLMsAreBlind: models, skills, the orchestrator, every baseline.

    python recipes/vlms_are_blind_results.py build/blind.sqlite POLICY OUT.md

The store is filled by `maestro record FOLDER --registry vlms-are-blind --split train --split test`. Baselines are fitted on the half
`train`, with the same experts at the same prices. Intervals resample scenes; differences are paired by question and resample scenes too.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import orjson

from maestro.cli.loading import task_source
from maestro.cli.replay import replay
from maestro.evaluate.pairing import pair
from maestro.evaluate.results import Result, per_question, scenes_of
from maestro.evaluate.run import evaluate
from maestro.evaluate.scorecard import Scorecard, scorecard
from maestro.evaluate.statistics import Interval
from maestro.evaluate.systems import BASELINES, SystemBaselines, system_headroom
from maestro.evaluate.table import markdown
from maestro.images import ImageStore
from maestro.policy.baselines import Pictures
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.loading import load_policy
from maestro.registry.registry import Registry
from maestro.reward import RewardRule
from maestro.rollout.limits import Limits
from maestro.rollout.manifest import read_manifest
from maestro.rollout.pool import RecordedPool

BOTH, SKILLS = "orchestrator over both", "orchestrator over our skills alone"


def percent(found: Interval) -> str:
    """A share with its interval."""
    return f"{100 * found.mean:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def played(policy_name: str, pool: RecordedPool, images: ImageStore) -> list[Result]:
    """The policy's greedy episodes on a pool."""
    policy = load_policy(policy_name, pool.menu, images)
    tasks = [recorded.task for recorded in pool.tasks.values()]
    return list(asyncio.run(evaluate(policy, tasks, pool, Limits(turns=5), RewardRule())).results)


def row(card: Scorecard, against: str) -> tuple[str, ...]:
    """One line of the table."""
    usage = card.usage
    cells = (percent(card.macro), percent(card.overall.bootstrap), f"{1000 * usage.cost_per_question_usd:.2f}")
    return (card.name, *cells, f"{usage.calls_per_question:.2f}", against)


def difference(ours: list[Result], theirs: list[Result]) -> str:
    """Macro accuracy gained, in points, paired."""
    mine, other, scenes = per_question(ours, "score"), per_question(theirs, "score"), scenes_of(ours)
    kinds, ids = {result.task_id: result.category for result in ours}, list(mine)
    found = pair(*([of[one] for one in ids] for of in (mine, other, scenes, kinds))).macro_difference
    star = "*" if found.low > 0 or found.high < 0 else ""
    return f"{100 * found.mean:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]{star}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path)
    parser.add_argument("policy")
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    manifest, images = read_manifest(given.store), ImageStore(capacity=1_000_000)
    pools = {}
    for split in ("train", "test"):
        known = manifest.find(split)
        assert known is not None, f"{given.store} has no split {split}"
        task_source(known.source).load(split, known.tasks, images)
        pools[split] = replay(given.store, manifest, split)
    test = pools["test"]
    own = RecordedPool(test.tasks.values(), Registry.load(manifest.registry).menu(), test.name, test.cost_weight)
    baselines = SystemBaselines(pools["train"], Pictures(images), MaestroDialect())
    found = {BOTH: played(given.policy, test, images), SKILLS: played(given.policy, own, images)}
    headroom = asyncio.run(system_headroom(baselines, test))
    found |= {name: list(one.results) for name, one in headroom.evaluations.items()}
    cards = {name: scorecard(name, results) for name, results in found.items()}
    rows = [row(card, "" if name == BOTH else difference(found[BOTH], found[name])) for name, card in cards.items()]
    columns = ("", "macro accuracy, %", "accuracy, %", "$ per 1000", "calls", "orchestrator's lead, macro points")
    singles = [name for name in cards if name not in (*BASELINES, BOTH, SKILLS) and name.endswith("@ask")]
    shown = [BOTH, SKILLS, *singles, "oracle"]
    kinds = [
        (kind, str(one.questions), str(one.clusters), *(percent(cards[name].categories[kind].bootstrap) for name in shown))
        for kind, one in cards[BOTH].categories.items()
    ]
    text = f"{len(test.tasks)} questions, {cards[BOTH].overall.clusters} scenes\n\n{markdown(columns, rows)}\n\n"
    text += f"{markdown(('kind', 'questions', 'scenes', *shown), kinds)}\n\n"
    text += "\n".join(f"- {name}: {setting}" for name, setting in headroom.settings.items()) + "\n"
    print(text)
    given.out.write_text(text, encoding="utf-8")
    numbers = {name: card.as_dict() for name, card in cards.items()}
    given.out.with_suffix(".json").write_bytes(orjson.dumps(numbers, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    main()
