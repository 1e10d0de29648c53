"""Starting services: one after the other on each GPU, side by side otherwise, until each answers under its right name.

Two vLLM servers must not measure their memory on one GPU at the same time, hence one after the other there. Services that take turns
are put to sleep as soon as they answer; their gate starts last.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Literal

from maestro.errors import FleetError
from maestro.experts.fleet.commands import Launch
from maestro.experts.fleet.health import REQUEST_SECONDS, Address, Health, check, name_fault, request
from maestro.experts.fleet.plan import Plan
from maestro.experts.fleet.processes import leader, start, stop
from maestro.experts.fleet.records import Record, StateFolder, last_lines

GRACE_SECONDS = 15.0
"""Between SIGTERM and SIGKILL."""
_SLEEP_SECONDS = 300.0
_POLL_SECONDS = 0.2
_TELL_SECONDS = 1.0
_AT_ONCE_ON_CPU = 4

Tell = Callable[[str, str, str], None]
"""(service, state, detail): called whenever something changed."""


@dataclass(frozen=True)
class Outcome:
    """How the start of one service went."""

    name: str
    state: Literal["up", "already up", "failed", "not started"]
    seconds: float = 0.0
    served: tuple[str, ...] = ()
    detail: str = ""


@dataclass
class _Start:
    """One `maestro experts up` at work."""

    plan: Plan
    state: StateFolder
    alive: Mapping[str, Record]
    """What runs already, by name."""
    wait_seconds: float
    tell: Tell
    started: list[Record] = field(default_factory=list)
    reaped: list[subprocess.Popen[bytes]] = field(default_factory=list)
    gpus: dict[int, asyncio.Lock] = field(default_factory=dict)
    cpu: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE_ON_CPU))
    tasks: dict[str, asyncio.Task[Outcome]] = field(default_factory=dict)


async def bring_up(
    plan: Plan,
    launches: Sequence[Launch],
    state: StateFolder,
    alive: Mapping[str, Record],
    *,
    wait_seconds: float,
    keep_going: bool,
    tell: Tell,
) -> list[Outcome]:
    """Start those of `launches` that do not run yet and wait until all of them answer under their names, each at most `wait_seconds`.

    `launches` are some of the plan's; with a gate there is everybody behind it. The first failure ends it: what this call started is
    stopped, and FleetError has the last lines of the log. With `keep_going` only the failed service is stopped. Cancelling (Ctrl-C)
    stops everything that this call started.
    """
    work = _Start(plan, state, alive, wait_seconds, tell)
    for launch in launches:
        work.tasks[launch.name] = asyncio.create_task(_one(work, launch))
    until = asyncio.ALL_COMPLETED if keep_going else asyncio.FIRST_EXCEPTION
    try:
        await asyncio.wait(work.tasks.values(), return_when=until)
        if not keep_going:
            for task in work.tasks.values():
                if task.done():
                    task.result()  # raises what it raised
    except BaseException:
        for task in work.tasks.values():
            task.cancel()
        await asyncio.gather(*work.tasks.values(), return_exceptions=True)
        await _undo(work, work.started)
        raise
    return [_outcome(name, task) for name, task in work.tasks.items()]


def _outcome(name: str, task: asyncio.Task[Outcome]) -> Outcome:
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, FleetError):
        return Outcome(name, "failed", detail=str(error))
    raise error


async def _one(work: _Start, launch: Launch) -> Outcome:
    if launch.placed is None:
        return await _gate(work, launch)
    began = time.monotonic()
    async with AsyncExitStack() as slots:
        for gpu in launch.placed.gpus:  # in ascending order, so that nobody waits for somebody who waits for him
            await slots.enter_async_context(work.gpus.setdefault(gpu, asyncio.Lock()))
        if not launch.placed.gpus:
            await slots.enter_async_context(work.cpu)
        record, process = _begin(work, launch)
        try:
            health = await _ready(work, record, process)
        except FleetError:
            if process is not None:  # what ran before is not ours to stop
                await _undo(work, [record])
            raise
    seconds = time.monotonic() - began
    state: Literal["up", "already up"] = "up" if process else "already up"
    work.tell(launch.name, state, f"{seconds:.0f} s" if process else "")
    return Outcome(launch.name, state, seconds, health.served)


async def _ready(work: _Start, record: Record, process: subprocess.Popen[bytes] | None) -> Health:
    """Wait until the service answers, under its name, and sleeps when it takes turns. Raises FleetError."""
    health = await _answering(work, record, process, [_address(record)])
    if fault := name_fault(record.target, health.served):
        raise FleetError(f"{record.name} answers at {_address(record)}, but {fault}. Make target and served name equal.")
    if record.takes_turns and process is not None:
        work.tell(record.name, "falling asleep", "")
        await _put_to_sleep(record)
    return health


async def _gate(work: _Start, launch: Launch) -> Outcome:
    """Start a gate when everybody behind it is asleep, or has failed."""
    gate = next(gate for gate in work.plan.gates if gate.name == launch.name)
    behind = {placed.service.name: work.tasks[placed.service.name] for placed in gate.members}
    await asyncio.wait(behind.values())
    sound = [one.service for one in gate.members if not behind[one.service.name].cancelled() and not behind[one.service.name].exception()]
    if not sound:
        return Outcome(launch.name, "not started", detail="nobody behind it came up")
    began = time.monotonic()
    record, process = _begin(work, launch)
    addresses = [Address(service.host, service.port, service.prefix, service.card.api_key_env or "") for service in sound]
    try:
        await _answering(work, record, process, addresses)
    except FleetError:
        if process is not None:
            await _undo(work, [record])
        raise
    work.tell(launch.name, "up" if process else "already up", "")
    return Outcome(launch.name, "up" if process else "already up", time.monotonic() - began)


def _begin(work: _Start, launch: Launch) -> tuple[Record, subprocess.Popen[bytes] | None]:
    """Start the process, or take the one that runs."""
    if launch.name in work.alive:
        return work.alive[launch.name], None
    work.tell(launch.name, "starting", "")
    record, process = start(launch, work.state)
    work.started.append(record)
    work.reaped.append(process)
    return record, process


async def _answering(work: _Start, record: Record, process: subprocess.Popen[bytes] | None, addresses: Sequence[Address]) -> Health:
    """What the last address said once all of them answer. Raises FleetError when the process ends or time is up."""
    began = told = time.monotonic()
    health = Health(answers=False)
    while (left := began + work.wait_seconds - time.monotonic()) > 0:
        code = process.poll() if process else None
        if code is not None or (process is None and leader(record) is None):
            ended = f"ended with {_exit_text(code)}" if code is not None else "is gone"
            raise FleetError(f"{record.name} {ended} {time.monotonic() - began:.1f} s after its start.{_log(work, record)}")
        for address in addresses:
            if not (health := await check(address, seconds=min(left, REQUEST_SECONDS))).answers:
                break
        if health.answers:
            return health
        if time.monotonic() - told > _TELL_SECONDS:
            told = time.monotonic()
            work.tell(record.name, "waiting", " ".join(last_lines(work.state.log(record.name), 1)))
        await asyncio.sleep(_POLL_SECONDS)
    raise FleetError(
        f"{record.name} did not answer at {addresses[-1]} within {work.wait_seconds:g} s ({health.trouble}); give it longer with --wait."
        f"{_log(work, record)}"
    )


async def _put_to_sleep(record: Record) -> None:
    """Send a fresh service to sleep, its weights in main memory. Raises FleetError."""
    address = _address(record)
    try:
        status, body = await asyncio.to_thread(request, address, "POST", "/sleep?level=1", seconds=_SLEEP_SECONDS)
    except OSError as error:
        raise FleetError(f"{record.name} did not fall asleep: {error}") from error
    if status != 200:
        raise FleetError(f"{record.name} did not fall asleep: /sleep says {status} {body[:200].decode(errors='replace')}")
    deadline = time.monotonic() + _SLEEP_SECONDS
    while (await check(address, asleep=True)).asleep is False:
        if time.monotonic() > deadline:
            raise FleetError(f"{record.name} was told to sleep and is still awake after {_SLEEP_SECONDS:.0f} s.")
        await asyncio.sleep(_POLL_SECONDS)


async def _undo(work: _Start, records: Sequence[Record]) -> None:
    """Stop what was started, and say so when something is left."""
    for record in records:
        work.tell(record.name, "stopping", "")
    left = []
    for stopped in await asyncio.to_thread(stop, records, GRACE_SECONDS):
        if stopped.left:
            left.append(f"{stopped.name} (process {', '.join(map(str, stopped.left))})")
        else:
            work.state.forget(stopped.name)
            work.tell(stopped.name, "stopped", "")
    for process in work.reaped:
        process.poll()
    work.started[:] = [record for record in work.started if record not in records]
    if left:
        raise FleetError(f"these could not be stopped: {'; '.join(left)}. See them with ps, and try: maestro experts down")


def _address(record: Record) -> Address:
    return Address(record.host, record.port, record.prefix, record.key_variable)


def _exit_text(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def _log(work: _Start, record: Record) -> str:
    path = work.state.log(record.name)
    lines = [line for line in last_lines(path) if not line.startswith("# ")]
    shown = "".join(f"\n    {line}" for line in lines) or " It printed nothing."
    return f" Its log ends ({path}):{shown}" if lines else f"{shown} ({path})"
