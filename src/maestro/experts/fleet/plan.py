"""The plan: every process to start, in order, and what it all takes."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from maestro.experts.fleet.advice import advice
from maestro.experts.fleet.commands import Launch, launch_of
from maestro.experts.fleet.gpus import Gpu
from maestro.experts.fleet.placement import Placed, Placement, place
from maestro.experts.fleet.services import Wanted


@dataclass(frozen=True)
class Gate:
    """Who takes turns on one GPU: the gate listens at their endpoints and wakes whom a request is for."""

    name: str
    gpu: int
    members: tuple[Placed, ...]


@dataclass(frozen=True)
class Plan:
    """What `maestro experts up` does."""

    wanted: Wanted
    placement: Placement
    launches: tuple[Launch, ...]
    """The services in their order, then the gates."""
    gates: tuple[Gate, ...]
    advice: tuple[str, ...] = ()
    """What would hold the services that have no place."""

    @property
    def fits(self) -> bool:
        """Whether every service has a place."""
        return not self.placement.unplaced

    @property
    def gpu_gib(self) -> float:
        """GPU memory that all services would take awake."""
        return sum(placed.service.need.gpu_gib * len(placed.gpus) for placed in self.placement.placed)

    @property
    def host_gib(self) -> float:
        """Main memory: services of the CPU, and the weights of those asleep."""
        return sum(placed.service.need.host_gib for placed in self.placement.placed) + self.placement.asleep_host_gib


def plan_fleet(wanted: Wanted, gpus: Sequence[Gpu], python: str = "python", kept: Mapping[str, Placed] | None = None) -> Plan:
    """Place the services and write their commands; `python` is the interpreter with vLLM, `kept` what runs already, by name."""
    services = wanted.services
    placement = place(services, gpus, tuple((kept or {}).values()))
    gates = tuple(Gate(f"gate-gpu{gpu.index}", gpu.index, members) for gpu in placement.gpus if (members := placement.turns(gpu.index)))
    launches = [launch_of(placed, python) for placed in placement.placed]
    launches += [_gate_launch(gate, launches) for gate in gates]
    return Plan(wanted, placement, tuple(launches), gates, advice(services, gpus) if placement.unplaced else ())


def _gate_launch(gate: Gate, launches: Sequence[Launch]) -> Launch:
    inner = {launch.name: launch for launch in launches}
    members = [
        {
            "name": placed.service.name,
            "host": placed.service.host,
            "port": placed.service.port,
            "inner_host": inner[placed.service.name].host,
            "inner_port": inner[placed.service.name].port,
        }
        for placed in gate.members
    ]
    command = (sys.executable, "-m", "maestro.experts.fleet.gate", orjson.dumps(members).decode())
    first = gate.members[0].service
    return Launch(gate.name, command, {"PYTHONUNBUFFERED": "1"}, {}, None, first.host, first.port)
