"""The services of a registry: one process for each replica of each card with `serve` whose endpoint is on this machine."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from maestro.errors import ConfigError, not_found
from maestro.experts.fleet.memory import Need, need_of
from maestro.registry.serving import replica_ports
from maestro.types import Expert, Serve


@dataclass(frozen=True)
class Service:
    """One process to start: a replica of one expert."""

    name: str
    """The expert's id; `id#2` for its second replica."""
    card: Expert
    replica: int
    host: str
    """The address to listen on."""
    port: int
    need: Need

    @property
    def serve(self) -> Serve:
        """How it is started."""
        assert self.card.serve is not None
        return self.card.serve

    @property
    def target(self) -> str:
        """The name under which it has to serve."""
        return self.card.target or ""

    @property
    def prefix(self) -> str:
        """Path of the API below host and port, as the card's endpoint has it (`/v1`)."""
        return urlsplit(self.card.endpoint or "").path.rstrip("/")


@dataclass(frozen=True)
class Elsewhere:
    """An expert that is not started here, and why."""

    expert: str
    endpoint: str
    reason: str


@dataclass(frozen=True)
class Wanted:
    """What a registry wants to have running on this machine."""

    services: tuple[Service, ...]
    elsewhere: tuple[Elsewhere, ...]


def services_of(experts: Mapping[str, Expert], only: Iterable[str] = (), *, here: Callable[[str], bool] | None = None) -> Wanted:
    """The services of the served (`openai`) cards, in their order; `only` names experts, none means all.

    `here` says whether a host is this machine. Raises ConfigError for an expert that does not exist or has no `serve`.
    """
    here = here or is_this_machine
    chosen = tuple(dict.fromkeys(only))
    for name in chosen:
        if name not in experts:
            raise ConfigError(not_found("expert", name, experts))
        if experts[name].serve is None:
            startable = [card.id for card in experts.values() if card.serve]
            step = f"those that can be started are {', '.join(startable)}" if startable else "no card of this registry has one"
            raise ConfigError(f"expert {name} ({experts[name].kind}) has no serve block, so it cannot be started; {step}.")
    services: list[Service] = []
    elsewhere: list[Elsewhere] = []
    for card in experts.values():
        if card.kind != "openai" or (chosen and card.id not in chosen):
            continue
        assert card.endpoint is not None
        host = urlsplit(card.endpoint).hostname or ""
        if card.serve is None:
            elsewhere.append(Elsewhere(card.id, card.endpoint, "no serve block: somebody else runs it"))
        elif card.endpoint.startswith("https:"):
            elsewhere.append(Elsewhere(card.id, card.endpoint, "https: what is started here speaks plain http, so somebody else runs it"))
        elif not here(host):
            elsewhere.append(Elsewhere(card.id, card.endpoint, f"{host} is another machine: run maestro experts up there"))
        else:
            services += _replicas(card, host)
    return Wanted(tuple(services), tuple(elsewhere))


def is_this_machine(host: str) -> bool:
    """Whether an address or host name is one of this machine's. A name that cannot be resolved is not."""
    if host in {"localhost", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.gethostbyname(host))
        except (OSError, UnicodeError):
            return False
    if address.is_loopback or address.is_unspecified:
        return True
    own = {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    return str(address) in own


def _replicas(card: Expert, host: str) -> list[Service]:
    assert card.serve is not None
    need = need_of(card.serve)
    address = "127.0.0.1" if host == "localhost" else host
    ports = replica_ports(card)
    return [Service(card.id if k == 0 else f"{card.id}#{k + 1}", card, k, address, port, need) for k, port in enumerate(ports)]
