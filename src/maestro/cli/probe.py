"""`maestro registry probe`: call every expert and skill once and show what came back."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from maestro.cli.output import console, print_table
from maestro.cli.probe_picture import EQUATION, PROGRAM, REGION, probe_picture
from maestro.errors import MaestroError, RegistryError
from maestro.experts.fleet.health import Address, check, name_fault
from maestro.experts.fleet.records import clean
from maestro.images import ImageStore
from maestro.money import dollars
from maestro.registry.registry import Registry
from maestro.registry.serving import replica_endpoints
from maestro.skills.ensemble import Ensemble
from maestro.types import Call, Expert, Skill, Task

_AT_ONCE = 4
_SHOWN = 90
_STYLES = {"ok": "green", "nothing found": "cyan", "refused": "yellow", "failed": "red"}
QUESTION = "What is written in the picture?"
Outcome = Literal["ok", "nothing found", "refused", "failed"]


@dataclass(frozen=True)
class Trial:
    """One call to make."""

    expert: str
    skill: str
    leaf: str = ""
    """Level-2 skill to run; empty leaves it to the skill itself or its dispatcher."""

    @property
    def name(self) -> str:
        """The pair as shown."""
        return f"{self.expert}@{self.skill}{f'/{self.leaf}' if self.leaf else ''}"


@dataclass(frozen=True)
class Tried:
    """What came of it."""

    trial: Trial
    outcome: Outcome
    """`refused`: the skill says that the question makes no sense for this picture, which is its right."""
    text: str
    latency_seconds: float = 0.0
    cost_usd: float = 0.0
    asked: tuple[str, ...] = ()
    """Level-2 (or level-1) skills that called an expert."""
    next_step: str = ""


@dataclass(frozen=True)
class Probe:
    """Everything that a probe found."""

    registry: str
    tried: tuple[Tried, ...]
    never: tuple[str, ...]
    """Experts that no skill allows."""
    seconds: float

    @property
    def failed(self) -> tuple[Tried, ...]:
        """What did not come back."""
        return tuple(one for one in self.tried if one.outcome == "failed")


def trials(registry: Registry, experts: Sequence[str] = (), skills: Sequence[str] = (), *, every_pair: bool = False) -> list[Trial]:
    """The calls to make: each skill of both levels once and each expert once, the work spread over the experts; or every pair.

    A level-1 skill that dispatches is also called once through its dispatcher. `experts` and `skills` narrow it down. Raises
    RegistryError for ids that do not exist and for a choice that leaves nothing to call.
    """
    for name in experts:
        registry.expert(name)
    for name in skills:
        registry.skill(name)
    chosen = set(experts) or set(registry.experts)
    targets = [
        (skill, leaf, [expert for expert in _allowed(registry, skill, leaf) if expert in chosen])
        for skill, leaf in _targets(registry)
        if not skills or skill.id in skills or (leaf is not None and leaf.id in skills)
    ]
    targets = [target for target in targets if target[2]]
    if every_pair:
        return [_trial(expert, skill, leaf) for skill, leaf, allowed in targets for expert in allowed]
    used: Counter[str] = Counter()
    found: list[Trial] = []
    for skill, leaf, allowed in targets:
        expert = min(allowed, key=lambda one: used[one])  # the first of those asked least
        used[expert] += 1
        found.append(_trial(expert, skill, leaf))
    for expert in registry.experts:
        place = next((target for target in targets if expert in target[2]), None)
        if expert in chosen and not used[expert] and place is not None:
            found.append(_trial(expert, place[0], place[1]))
    if not found:
        raise RegistryError(f"registry {registry.name}: none of these skills allows any of these experts, so there is nothing to call.")
    return found


async def run_probe(
    registry: Registry, shown: str, chosen: Sequence[Trial], image: Path | None, seconds: float, done: Callable[[int], None]
) -> Probe:
    """Make the calls, a few at a time; `shown` is the registry as the user wrote it. Failures are part of the result."""
    images = ImageStore()
    picture = images.put(image if image is not None else probe_picture())
    began = time.monotonic()
    gate = asyncio.Semaphore(_AT_ONCE)
    finished = 0
    async with Ensemble.load(registry.folder, images) as ensemble:
        dead = await _dead(registry, {trial.expert for trial in chosen})

        async def one(trial: Trial) -> Tried:
            nonlocal finished
            async with gate:
                tried = await _try(ensemble, registry, shown, trial, picture, seconds, dead)
            finished += 1
            done(finished)
            return tried

        tried = await asyncio.gather(*(one(trial) for trial in chosen))
    offered = {expert.id for expert in registry.menu().experts}
    never = tuple(expert for expert in registry.experts if expert not in offered)
    return Probe(registry.name, tuple(tried), never, time.monotonic() - began)


def show_probe(found: Probe) -> None:
    """A table of what came back, then the reasons of what failed and what to do."""
    from rich.text import Text

    rows = [
        (
            Text(one.outcome, style=_STYLES[one.outcome]),
            one.trial.name,
            shortened(one.text),
            f"{one.latency_seconds:.2f} s",
            f"{dollars(one.cost_usd)}",
        )
        for one in found.tried
    ]
    print_table("", ("", "call", "came back", "took", "cost"), rows, right=("took", "cost"))
    counts: Counter[str] = Counter(one.outcome for one in found.tried)
    summary = ", ".join(f"{counts[name]} {name}" for name in _STYLES if counts[name])
    calls = "1 call" if len(found.tried) == 1 else f"{len(found.tried)} calls"
    click.echo(f"{calls}: {summary}; {dollars(sum(one.cost_usd for one in found.tried))}, {found.seconds:.1f} s")
    for expert in found.never:
        click.echo(f"never called: {expert} (no skill allows it)")
    for (expert, text, step), names in _grouped(found.failed).items():
        more = f" ({len(names)} calls)" if len(names) > 1 else ""
        console(stderr=True).print(f"{names[0] if len(names) == 1 else expert}{more}: {text}", style="red", markup=False)
        if step:
            console(stderr=True).print(f"  next: {step}", markup=False)


def probe_content(found: Probe) -> dict[str, Any]:
    """The probe for machines."""
    return {
        "ok": not found.failed,
        "registry": found.registry,
        "seconds": found.seconds,
        "cost_usd": sum(one.cost_usd for one in found.tried),
        "never_called": found.never,
        "calls": [
            {
                "expert": one.trial.expert,
                "skill": one.trial.skill,
                "level_two": one.trial.leaf or None,
                "outcome": one.outcome,
                "text": one.text,
                "asked": one.asked,
                "latency_seconds": one.latency_seconds,
                "cost_usd": one.cost_usd,
                "next_step": one.next_step or None,
            }
            for one in found.tried
        ],
    }


def shortened(text: str, limit: int = _SHOWN) -> str:
    """Text of an expert on one line: no control characters, cut at `limit`."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


async def _try(
    ensemble: Ensemble, registry: Registry, shown: str, trial: Trial, picture: str, seconds: float, dead: Mapping[str, str]
) -> Tried:
    expert = registry.expert(trial.expert)
    step = _next_step(expert, shown)
    if trial.expert in dead:
        return Tried(trial, "failed", dead[trial.expert], next_step=step)
    question, query = _question(registry, trial)
    task = Task(id=f"probe/{trial.name}", question=question, images=(picture,))
    call = Call(expert=trial.expert, skill=trial.skill, query=query)
    try:
        observation = await ensemble.perform(call, task, seconds, leaf=trial.leaf or None)
    except MaestroError as error:  # a card or skill that cannot be used at all: one row of the table, and the others go on
        return Tried(trial, "failed", str(error), next_step=step)
    outcome: Outcome
    match observation.status:
        case "ok":
            outcome = "ok" if observation.value is not None else "nothing found"
        case "policy_error":
            outcome = "refused"
        case _:
            outcome = "failed"
    asked = tuple(dict.fromkeys(child.skill for child in observation.children))
    text = observation.text.removeprefix(f"{trial.expert}@{trial.skill}: ")
    return Tried(trial, outcome, text, observation.latency_seconds, observation.cost_usd, asked, step if outcome == "failed" else "")


async def _dead(registry: Registry, experts: set[str]) -> dict[str, str]:
    """Served experts that do not answer, or not under their name, and why: they are not called again and again."""

    async def fault_at(card: Expert, url: str) -> str:
        health = await check(Address.of(url, card.api_key_env))
        if not health.answers:
            return f"{health.trouble} at {url}"
        return name_fault(card.target or "", health.served) or ""

    async def fault(card: Expert) -> str:
        found = await asyncio.gather(*(fault_at(card, url) for url in replica_endpoints(card)))
        return found[0] if all(found) else ""  # one replica that is well is enough

    cards = [registry.expert(name) for name in sorted(experts) if registry.expert(name).kind == "openai"]
    found = await asyncio.gather(*map(fault, cards))
    return {card.id: reason for card, reason in zip(cards, found, strict=True) if reason}


def _next_step(card: Expert, shown: str) -> str:
    match card.kind:
        case "openai" if card.serve is not None:
            return f"maestro experts up {shown} --expert {card.id}    (how it is now: maestro experts status {shown})"
        case "openai" if card.api_key_env and not os.environ.get(card.api_key_env):
            return f"set {card.api_key_env} in the environment of this command, and of every engine: export {card.api_key_env}=..."
        case "openai":
            return f"start the server at {card.endpoint}, or correct the card's endpoint, target or api_key_env"
        case "local":
            return "maestro doctor says what is missing here"
        case _:
            return ""


def _question(registry: Registry, trial: Trial) -> tuple[str, str]:
    """(question, query) suited to what the skill takes."""
    skill = registry.skill(trial.skill)
    able = [child for child in registry.children(skill.id) if trial.expert in child.experts]
    leaves = [registry.skill(trial.leaf)] if trial.leaf else [skill, *able]
    question = next((leaf.examples[0] for leaf in leaves if leaf.examples), QUESTION)
    if "question" in skill.takes:
        return question, ""
    queries = {"expression": EQUATION, "code": PROGRAM, "region": REGION}
    return question, queries[skill.takes[0]]


def _allowed(registry: Registry, skill: Skill, leaf: Skill | None) -> list[str]:
    """Experts to try a skill with; through a dispatcher those that some child lets do its work. A recorded one is never alive."""
    children = registry.children(skill.id)
    alive = [expert for expert in (leaf or skill).experts if registry.expert(expert).kind != "recorded"]
    if leaf is not None or not children:
        return alive
    return [expert for expert in alive if any(expert in child.experts for child in children)]


def _targets(registry: Registry) -> Iterator[tuple[Skill, Skill | None]]:
    for skill in registry.level_one:
        yield skill, None
        for child in registry.children(skill.id):
            yield skill, child


def _trial(expert: str, skill: Skill, leaf: Skill | None) -> Trial:
    return Trial(expert, skill.id, leaf.id if leaf else "")


def _grouped(failed: Sequence[Tried]) -> dict[tuple[str, str, str], list[str]]:
    """Names of calls by (expert, reason, next step): a dead expert is told once."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for one in failed:
        groups.setdefault((one.trial.expert, shortened(one.text, 600), one.next_step), []).append(one.trial.name)
    return groups
