"""The model card of a finished run, written from its own records: nothing in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from maestro.policy.spoken import SPOKEN
from maestro.train.config.run import TrainConfig
from maestro.train.fitted_q.iteration import FittedQConfig
from maestro.train.progress import CURVES
from maestro.train.warm_start.scenes import teaches

TEACHES = {
    "warm_start": "supervised traces with random experts: grammar, what the question is about, what the picture looks like, exact copying",
    "expert_iteration": "imitation of sampled episodes that paid best on each task: outcomes and prices only",
    "grpo": "group-relative policy gradients: outcomes and prices only",
}


_DRAWN = "The pictures and questions are drawn by a program; nothing here says how good the policy is on photographs or documents."
WARM_HEADING = "## After the warm start (held-out scenes)"


def write_card(folder: Path, config: TrainConfig, registry: Mapping[str, Any], metrics: Path, chosen: str) -> None:
    """Write `README.md` into a policy folder. `chosen` names the checkpoint that was handed over."""
    records = [orjson.loads(line) for line in metrics.read_bytes().splitlines()]
    dialect = "maestro-4b" if (folder / SPOKEN).is_file() else "maestro"
    tasks = config.tasks
    splits = [(f"traces from `{tasks.warm}`", tasks.warm_limit)] if teaches(config) else []
    if any(stage.kind != "warm_start" for stage in config.stages):
        splits = [
            (f"trained on split `{tasks.train}`", tasks.train_limit),
            (f"watched on `{tasks.validation}`", tasks.validation_limit),
            *splits,
        ]
    data = f"- Data: {tasks.source}; {', '.join(f'{what} ({_count(limit)})' for what, limit in splits)}. The run read no other split."
    lines = [
        f"# {config.name}",
        "",
        f"An orchestrator policy in the dialect `{dialect}`: a Qwen3-VL that decides whom to call, with which skill, and when to answer.",
        "",
        f"- Registry: {registry.get('name', config.ensemble.registry)} `{str(registry.get('digest', ''))[:12]}`",
        data,
        f"- Seed {config.seed}, {config.threads} thread; config `{config.digest[:12]}`; start: {config.policy.load or 'random weights'}.",
        _reward(config),
        f"- Handed over: {chosen} (`result: {config.result}`).{_adapters(config)}",
        "",
        "## Stages",
        "",
        *(f"{number}. `{stage.kind}`: {TEACHES[stage.kind]}." for number, stage in enumerate(config.stages, 1)),
        "",
        *(_probes(records) or _inherited(config.policy.load)),
        *_validations(records),
        *([_DRAWN] if dialect == "maestro" else []),
    ]
    (folder / "README.md").write_text("\n".join(lines) + "\n")


def _reward(config: TrainConfig) -> str:
    """What an episode was worth, and what else its policy met."""
    reward, dial, ensemble = config.reward, config.dial, config.ensemble
    dialled = f", or {dial.low:g} to {dial.high:g} as a task was told" if dial.high else ""
    seconds = f" - {reward.latency_weight:g} per second" if reward.latency_weight else ""
    out = bool(ensemble.outages.windows or ensemble.outages.random.share)
    met = [f"varied registries with {ensemble.variation.share:.0%} of the tasks"] if ensemble.variation.share else []
    met += [f"outages of experts, told to the {ensemble.outages.told}"] if out else []
    besides = f" It met {' and '.join(met)}." if met else ""
    return f"- Reward: outcome - {reward.cost_weight:g} per dollar{dialled}{seconds} + {reward.format_weight:g} x form.{besides}"


def _adapters(config: TrainConfig) -> str:
    lora = config.policy.lora
    return f" Trained as adapters of rank {lora.rank} on {', '.join(lora.targets)}, merged in." if lora is not None else ""


def write_features_card(
    folder: Path,
    name: str,
    config: FittedQConfig,
    registry: Mapping[str, Any],
    counts: Mapping[str, int],
    rounds: Sequence[Mapping[str, Any]],
) -> None:
    """Write `README.md` for a feature policy. `rounds` are the records of its training, `counts` the questions of each split."""
    best = max(rounds, key=lambda record: record["utility"])["round"] if rounds else 0
    names = ("states", "loss", "reluctance", "utility", "accuracy", "cost_usd")
    rows = ["| " + " | ".join([str(record["round"]), *(f"{float(record[name]):.4g}" for name in names)]) + " |" for record in rounds]
    data = (
        f"- Data: recorded outcomes of {counts['train']} questions of `train`, watched on {counts['val']} of `val`; "
        f"the glance was taught on {config.scenes} scenes of `warm`."
    )
    lines = [
        f"# {name}",
        "",
        "An orchestrator policy in the dialect `maestro`: a committee of small value networks over frozen features of question,",
        "picture and what experts said so far. It decides whom to call, with which skill, and when to answer.",
        "",
        f"- Registry: {registry.get('name', '')} `{str(registry.get('digest', ''))[:12]}`; it values the pairs of this one and no others.",
        data,
        f"- Seed {config.seed}; reward: outcome - {config.cost_weight:g} per dollar; fitted Q iteration, nothing but outcomes and prices.",
        f"- Handed over: the weights of round {best}, with the reluctance to call that paid best on `val`.",
        "",
        "## Learning curve (validation split, greedy)",
        "",
        *_head(["round", *names]),
        *rows,
        "",
        "The pictures and questions are drawn by a program; nothing here says how good the policy is on photographs or documents.",
    ]
    (folder / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_results(folder: Path, tables: str) -> None:
    """Put measured tables (Markdown) under the card's heading `Results`, in place of older ones. Raises OSError when there is no card."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8").split("\n## Results\n")[0].rstrip()
    card.write_text(f"{text}\n\n## Results\n\n{tables.strip()}\n", encoding="utf-8")


def _count(limit: int | None) -> str:
    return "whole" if limit is None else f"first {limit} tasks"


def _probes(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the warm start had taught when it ended, greedy and sampled."""
    probes = [record for record in records if record["kind"] == "probe"]
    if not probes:
        return []
    last = probes[-1]
    names = sorted(last["greedy"])
    rows = [f"| {way} | " + " | ".join(_number(last[way].get(name)) for name in names) + " |" for way in ("greedy", "sampled")]
    return [WARM_HEADING, "", *_head(["decoding", *names]), *rows, ""]


def _inherited(start: str | None) -> list[str]:
    """What the card of the policy that training started from says of its warm start."""
    card = Path(start) / "README.md" if start else None
    if card is None or not card.is_file():
        return []
    lines = card.read_text(encoding="utf-8").splitlines()
    if WARM_HEADING not in lines:
        return []
    begin = lines.index(WARM_HEADING)
    end = begin + 1
    while end < len(lines) and (not lines[end] or lines[end].startswith("|")):
        end += 1
    return lines[begin:end]


def _validations(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The learning curve on the validation split."""
    looks = [record for record in records if record["kind"] == "validation"]
    if not looks:
        return []
    ways = [way for way in ("greedy", "sampled") if way in looks[0]]
    head = ["stage", "step", *(f"{name}, {way}" for way in ways for name in CURVES)]
    rows = []
    for look in looks:
        cells = [_number(look[way].get(name)) for way in ways for name in CURVES]
        rows.append("| " + " | ".join([f"{look.get('stage', 0) + 1} {look['name']}", str(look["step"]), *cells]) + " |")
    return ["## Learning curve (validation split)", "", *_head(head), *rows, ""]


def _head(names: Sequence[str]) -> list[str]:
    return ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]


def _number(value: Any) -> str:
    return "" if value is None else f"{float(value):.3f}"
