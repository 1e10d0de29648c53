"""How services are: process, health, names, memory, time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import psutil

from maestro.experts.fleet.commands import INNER_PORT_OFFSET
from maestro.experts.fleet.gpus import gpu_memory_by_process
from maestro.experts.fleet.health import Address, check, name_fault
from maestro.experts.fleet.memory import GIB
from maestro.experts.fleet.processes import leader, processes_of
from maestro.experts.fleet.records import Record, StateFolder, last_lines
from maestro.experts.fleet.services import Elsewhere, Service

State = Literal["up", "asleep", "wrong name", "not answering", "dead", "not started"]


@dataclass(frozen=True)
class ServiceStatus:
    """One row of `maestro experts status`."""

    name: str
    state: State
    endpoint: str
    pid: int = 0
    """0 where no process of ours runs."""
    processes: int = 0
    served: tuple[str, ...] = ()
    memory_gib: float = 0.0
    """Resident main memory of all its processes."""
    gpu_memory_gib: float | None = None
    """None where nvidia-smi does not tell."""
    uptime_seconds: float = 0.0
    detail: str = ""
    log: str = ""

    @property
    def well(self) -> bool:
        """Whether it takes requests; one asleep is woken by its gate."""
        return self.state in {"up", "asleep"}


async def statuses(records: Sequence[Record], state: StateFolder) -> list[ServiceStatus]:
    """The state of each recorded service."""
    living = await asyncio.to_thread(processes_of, records)
    on_gpu = await asyncio.to_thread(gpu_memory_by_process)
    return list(await asyncio.gather(*(_status(record, state, living[record.name], on_gpu) for record in records)))


def absent(service: Service) -> ServiceStatus:
    """A service that was never started."""
    return ServiceStatus(service.name, "not started", f"http://{service.host}:{service.port}{service.prefix}")


async def distant(other: Elsewhere, target: str, key_variable: str | None) -> ServiceStatus:
    """An expert that somebody else runs: only whether it answers, and under which names."""
    health = await check(Address.of(other.endpoint, key_variable))
    if not health.answers:
        return ServiceStatus(other.expert, "not answering", other.endpoint, detail=f"{health.trouble} ({other.reason})")
    fault = name_fault(target, health.served)
    return ServiceStatus(other.expert, "wrong name" if fault else "up", other.endpoint, served=health.served, detail=fault or other.reason)


async def _status(record: Record, state: StateFolder, processes: Sequence[psutil.Process], on_gpu: Mapping[int, float]) -> ServiceStatus:
    address = Address(record.host, record.port, record.prefix, record.key_variable)
    # Who takes turns listens behind its gate; what people use is the gate's port.
    endpoint = replace(address, port=record.port - INNER_PORT_OFFSET) if record.takes_turns else address
    log = state.log(record.name)
    first = leader(record)
    memory = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            memory += process.memory_info().rss / GIB
    seen = [on_gpu[process.pid] for process in processes if process.pid in on_gpu]

    def row(what: State, served: tuple[str, ...] = (), detail: str = "") -> ServiceStatus:
        return ServiceStatus(
            name=record.name,
            state=what,
            endpoint=str(endpoint),
            pid=first.pid if first else 0,
            processes=len(processes),
            served=served,
            memory_gib=memory,
            gpu_memory_gib=sum(seen) if seen else None,
            uptime_seconds=time.time() - record.started if first else 0.0,
            detail=detail,
            log=str(log),
        )

    if first is None:
        left = f"; {len(processes)} of its processes are still there" if processes else ""
        return row("dead", detail=f"{' '.join(last_lines(log, 1)) or 'no word in its log'}{left}")
    if not record.expert:  # a gate: it answers for those behind it
        return row("up")
    health = await check(address, asleep=record.takes_turns)
    if not health.answers:
        return row("not answering", detail=health.trouble)
    if fault := name_fault(record.target, health.served):
        return row("wrong name", health.served, fault)
    return row("asleep" if health.asleep else "up", health.served)
