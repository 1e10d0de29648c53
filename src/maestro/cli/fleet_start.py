"""`maestro experts up`, step by step: what runs, the plan, what would go wrong, the start."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from maestro.cli.fleet_view import StartDisplay, plan_content, show_outcomes, show_plan
from maestro.cli.output import print_json
from maestro.errors import FleetError
from maestro.experts.fleet.bring_up import GRACE_SECONDS, bring_up
from maestro.experts.fleet.commands import Launch
from maestro.experts.fleet.gpus import ADVICE, FoundGpus, Gpu, find_gpus, parse_gpus
from maestro.experts.fleet.placement import Placed
from maestro.experts.fleet.plan import Plan, plan_fleet
from maestro.experts.fleet.preflight import faults
from maestro.experts.fleet.processes import leader, stop
from maestro.experts.fleet.records import Record, StateFolder, state_folder, state_root
from maestro.experts.fleet.services import Wanted, services_of
from maestro.registry.registry import Registry


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    registry: Registry
    shown: str
    """The registry as the user wrote it, for commands in messages."""
    only: tuple[str, ...]
    gpu_list: str | None
    python: str
    wait_seconds: float
    keep_going: bool
    root: Path | None
    as_json: bool


@dataclass(frozen=True)
class _Prepared:
    """What is to be done, beside what runs."""

    plan: Plan
    alive: dict[str, Record]
    """Runs, and stays."""
    again: tuple[Record, ...]
    """Runs, and has to start again: services whose turns change."""
    notes: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    fresh: bool
    """The GPUs were looked at now, with nothing of ours on them."""

    @property
    def starting(self) -> list[Launch]:
        return [launch for launch in self.plan.launches if launch.name not in self.alive]

    def launches(self, only: Sequence[str]) -> list[Launch]:
        """What is waited for: everything, or the experts asked for and all who share turns with somebody that starts."""
        if not only:
            return list(self.plan.launches)
        starting = {launch.name for launch in self.starting}
        groups = [{gate.name, *(one.service.name for one in gate.members)} for gate in self.plan.gates]
        together = {name for group in groups if group & starting for name in group}
        asked = {placed.service.name for placed in self.plan.placement.placed if placed.service.card.id in only}
        return [launch for launch in self.plan.launches if launch.name in starting | together | asked]


async def run_up(asked: Request, *, dry_run: bool) -> int:
    """Plan, show, and (unless `dry_run`) start. Raises FleetError, ConfigError; returns the exit code."""
    state = state_folder(state_root(asked.root), asked.registry.name, asked.registry.folder)
    if dry_run:
        prepared = await asyncio.to_thread(_prepare, asked, state)
        if asked.as_json:
            print_json({"plan": plan_content(prepared.plan), "notes": prepared.notes})
        else:
            show_plan(prepared.plan, prepared.notes, sorted(prepared.alive), commands=True)
        return 0 if prepared.plan.fits else 1
    with state.locked():
        await _sweep(state)
        prepared = await asyncio.to_thread(_prepare, asked, state)
        if not asked.as_json:
            show_plan(prepared.plan, prepared.notes, sorted(prepared.alive), commands=False)
        return await _start(asked, state, prepared)


async def _sweep(state: StateFolder) -> None:
    """Stop what services that died have left, so that neither its ports nor its GPU memory count as somebody else's."""
    await _clear(state, [record for record in state.records() if leader(record) is None])


async def _clear(state: StateFolder, records: Sequence[Record]) -> None:
    for stopped in await asyncio.to_thread(stop, records, GRACE_SECONDS):
        if stopped.left:
            raise FleetError(f"{stopped.name}: process {stopped.left[0]} of an earlier start cannot be stopped. See it with ps.")
        state.forget(stopped.name)


async def _start(asked: Request, state: StateFolder, prepared: _Prepared) -> int:
    plan = prepared.plan
    if not plan.fits:
        lines = [f"{one.service.name}: {one.reason}" for one in plan.placement.unplaced]
        raise FleetError("nothing was started, for not everything fits:" + "".join(f"\n  {line}" for line in [*lines, *plan.advice]))
    await _clear(state, prepared.again)
    if found := await asyncio.to_thread(faults, plan, prepared.starting, asked.python):
        raise FleetError("nothing was started:" + "".join(f"\n  {fault}" for fault in found))
    if prepared.fresh:
        state.write_fleet(asked.registry.name, asked.registry.folder, prepared.gpus)
    launches = prepared.launches(asked.only)
    with StartDisplay([launch.name for launch in launches]) as display:
        outcomes = await bring_up(
            plan, launches, state, prepared.alive, wait_seconds=asked.wait_seconds, keep_going=asked.keep_going, tell=display.tell
        )
    failed = [outcome for outcome in outcomes if outcome.state in {"failed", "not started"}]
    if asked.as_json:
        print_json({"ok": not failed, "plan": plan_content(plan), "services": [asdict(outcome) for outcome in outcomes]})
    else:
        show_outcomes(outcomes, asked.shown)
    return 1 if failed else 0


def _prepare(asked: Request, state: StateFolder) -> _Prepared:
    alive = {record.name: record for record in state.records() if leader(record)}
    experts = asked.registry.experts
    wanted = services_of(experts, asked.only)
    if not wanted.services:
        reasons = "".join(f"\n  {other.expert}: {other.reason}" for other in wanted.elsewhere)
        what = reasons or " it has no expert of kind openai with a serve block."
        raise FleetError(f"{asked.shown} has nothing to start on this machine:{what} How to write one is in docs/fleet.md.")
    if asked.only:  # what runs besides keeps its place
        running = {record.expert for record in alive.values() if record.expert in experts and experts[record.expert].serve}
        wanted = replace(services_of(experts, {*asked.only, *running}), elsewhere=wanted.elsewhere)
    names = {service.name for service in wanted.services}
    strangers = [record for record in alive.values() if record.expert and record.name not in names]
    gpus, notes, fresh = _gpus(asked, state, wanted, list(alive.values()))
    gpus = _without(gpus, strangers)
    notes += tuple(
        f"{one.name} runs, and the registry has it no more: maestro experts down {asked.shown} -e {one.expert}" for one in strangers
    )
    kept = {
        service.name: Placed(service, record.gpus, record.utilization, record.takes_turns)
        for service in wanted.services
        if (record := alive.get(service.name))
    }
    plan = plan_fleet(wanted, gpus, asked.python, kept)
    changed = {launch.name for launch in plan.launches if launch.name in alive and _differs(launch, alive[launch.name])}
    again = _turns_anew(plan, alive, changed)
    if changed - again:
        names_text = ", ".join(sorted(changed - again))
        stop_them = " ".join(f"-e {alive[name].expert}" for name in sorted(changed - again))
        raise FleetError(
            f"{names_text} runs with other settings than the card (or --python) says now. Stop it first: "
            f"maestro experts down {asked.shown} {stop_them}"
        )
    stays = {name: record for name, record in alive.items() if name not in again}
    return _Prepared(plan, stays, tuple(alive[name] for name in sorted(again)), notes, gpus, fresh)


def _gpus(asked: Request, state: StateFolder, wanted: Wanted, alive: Sequence[Record]) -> tuple[tuple[Gpu, ...], tuple[str, ...], bool]:
    """The GPUs to plan for, notes, and whether nothing of ours was on them when they were looked at."""
    if not any(service.need.gpus for service in wanted.services):
        return (), (), not alive
    if asked.gpu_list is not None:
        return parse_gpus(asked.gpu_list), (), not alive
    if any(record.gpus for record in alive) and (before := state.gpus()):
        return before, (), False
    found: FoundGpus = find_gpus()
    if not found.gpus:
        names = ", ".join(service.name for service in wanted.services if service.need.gpus)
        raise FleetError(f"no GPU for {names}: {'; '.join(found.notes)}. {ADVICE}")
    return found.gpus, found.notes, True


def _without(gpus: tuple[Gpu, ...], others: Sequence[Record]) -> tuple[Gpu, ...]:
    """The GPUs without what services outside the plan use."""
    taken = {gpu.index: sum(record.gpu_gib for record in others if gpu.index in record.gpus) for gpu in gpus}
    return tuple(replace(gpu, free_gib=max(0.0, gpu.free_gib - taken[gpu.index])) for gpu in gpus)


def _differs(launch: Launch, record: Record) -> bool:
    return launch.command != record.command or launch.environment != record.environment


def _turns_anew(plan: Plan, alive: Mapping[str, Record], changed: set[str]) -> set[str]:
    """Services that run and have to start again, for somebody who shares their turns is missing or changed.

    A newcomer cannot be started beside somebody who is awake, and only a gate knows who is.
    """
    again: set[str] = set()
    for gate in plan.gates:
        group = {gate.name, *(placed.service.name for placed in gate.members)}
        if group & changed or group - alive.keys():
            again |= group & alive.keys()
    gates = {gate.name for gate in plan.gates}
    stale = {name for name, record in alive.items() if not record.expert and name not in gates}
    return again | stale
