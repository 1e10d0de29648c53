"""Which service goes on which GPU: a pure function of what is needed and what is there.

Services are packed largest first. All awake at once is tried spread out (the emptiest card first), then tight (the first card that
has room). When neither fits, those that can sleep share their cards in turns: on each card as many as possible stay awake, the rest
take turns in one slot as large as the largest of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from maestro.experts.fleet.gpus import Gpu
from maestro.experts.fleet.memory import ASLEEP_GIB
from maestro.experts.fleet.services import Service


@dataclass(frozen=True)
class Placed:
    """A service and its place."""

    service: Service
    gpus: tuple[int, ...]
    """Indices of its GPUs; empty for a service of the CPU."""
    utilization: float | None = None
    """Share of each GPU's memory that it may use (vLLM's --gpu-memory-utilization); None on the CPU."""
    takes_turns: bool = False
    """It sleeps while another service of its card is awake."""


@dataclass(frozen=True)
class Unplaced:
    """A service without a place, and why."""

    service: Service
    reason: str


@dataclass(frozen=True)
class Placement:
    """Where everything goes."""

    gpus: tuple[Gpu, ...]
    placed: tuple[Placed, ...]
    """In the order of the services given."""
    unplaced: tuple[Unplaced, ...] = ()

    def on(self, gpu: int) -> tuple[Placed, ...]:
        """What is on a GPU."""
        return tuple(placed for placed in self.placed if gpu in placed.gpus)

    def turns(self, gpu: int) -> tuple[Placed, ...]:
        """The services that take turns on a GPU."""
        return tuple(placed for placed in self.on(gpu) if placed.takes_turns)

    def used_gib(self, gpu: int) -> float:
        """The most that is in use on a GPU at any time."""
        turns = [placed.service.need.gpu_gib for placed in self.turns(gpu)]
        awake = sum(placed.service.need.gpu_gib for placed in self.on(gpu) if not placed.takes_turns)
        return awake + _slot(turns)

    @property
    def asleep_host_gib(self) -> float:
        """Main memory for the weights of everybody asleep, when on each card the one with the smallest weights is awake."""
        total = 0.0
        for gpu in self.gpus:
            weights = [placed.service.need.weights_gib for placed in self.turns(gpu.index)]
            total += sum(weights) - min(weights, default=0.0)
        return total


@dataclass
class _Card:
    """A GPU while it is filled."""

    gpu: Gpu
    awake: list[Service] = field(default_factory=list)
    turns: list[Service] = field(default_factory=list)

    @property
    def used_gib(self) -> float:
        return sum(service.need.gpu_gib for service in self.awake) + _slot([service.need.gpu_gib for service in self.turns])

    @property
    def left_gib(self) -> float:
        return self.gpu.usable_gib - self.used_gib

    def left_with(self, service: Service) -> float:
        """What would be left with one more in the turns; negative when it does not fit."""
        turns = [other.need.gpu_gib for other in (*self.turns, service)]
        return self.gpu.usable_gib - sum(other.need.gpu_gib for other in self.awake) - _slot(turns)


Order = Callable[[list[_Card], Service], list[_Card]]


def place(services: Sequence[Service], gpus: Sequence[Gpu], kept: Sequence[Placed] = ()) -> Placement:
    """Give each service its GPUs, or say why it has none. The same input gives the same plan.

    `kept` are services of these that run already and stay where they are.
    """
    running = {placed.service.name: placed for placed in kept}
    waiting = sorted((one for one in services if one.need.gpus and one.name not in running), key=largest_first)
    for order in (_emptiest_first, _as_numbered):
        cards = _cards(gpus, kept)
        if not (left := _pack(waiting, cards, order)):
            return _placement(services, cards, left, running)
    cards = _cards(gpus, kept)
    left = _pack([one for one in waiting if not one.need.can_sleep], cards, _as_numbered)
    left += _share(sorted((one for one in waiting if one.need.can_sleep), key=largest_first), cards)
    for card in cards:
        _wake(card)
    return _placement(services, cards, left, running)


def _cards(gpus: Sequence[Gpu], kept: Sequence[Placed]) -> list[_Card]:
    cards = {gpu.index: _Card(gpu) for gpu in gpus}
    for placed in kept:
        for index in placed.gpus:
            if index in cards:
                (cards[index].turns if placed.takes_turns else cards[index].awake).append(placed.service)
    return list(cards.values())


def _pack(waiting: Iterable[Service], cards: list[_Card], order: Order) -> list[Service]:
    """Put services on cards, awake; those that found no place come back."""
    left = []
    for service in waiting:
        room = [card for card in order(cards, service) if card.left_gib >= service.need.gpu_gib]
        if len(room) < service.need.gpus:
            left.append(service)
            continue
        for card in room[: service.need.gpus]:
            card.awake.append(service)
    return left


def _share(waiting: Iterable[Service], cards: list[_Card]) -> list[Service]:
    """Put services in the turns of the card that keeps most room; those that found no place come back."""
    left = []
    for service in waiting:
        best = max(cards, key=lambda card: (card.left_with(service), -card.gpu.index), default=None)
        if best is None or best.left_with(service) < 0:
            left.append(service)
        else:
            best.turns.append(service)
    return left


def _wake(card: _Card) -> None:
    """Take services out of the turns, smallest first, while everything still fits: as many as possible are always awake."""
    for service in sorted(card.turns, key=largest_first, reverse=True):
        card.turns.remove(service)
        card.awake.append(service)
        if card.left_gib < 0:
            card.awake.remove(service)
            card.turns.append(service)
            break
    if len(card.turns) == 1:
        card.awake.append(card.turns.pop())


def _placement(services: Sequence[Service], cards: Sequence[_Card], left: Sequence[Service], running: Mapping[str, Placed]) -> Placement:
    gpus = tuple(card.gpu for card in cards)
    totals = {gpu.index: gpu.total_gib for gpu in gpus}
    without = {service.name for service in left}
    placed = []
    for service in services:
        if service.name in without:
            continue
        on = tuple(sorted(card.gpu.index for card in cards if service in card.awake or service in card.turns))
        turns = any(service in card.turns for card in cards)
        before = running.get(service.name)
        share = before.utilization if before and before.gpus == on else _share_of(service, [totals[index] for index in on])
        placed.append(Placed(service, on, share, turns))
    return Placement(gpus, tuple(placed), tuple(Unplaced(service, _reason(service, cards)) for service in left))


def _reason(service: Service, cards: Sequence[_Card]) -> str:
    need = service.need
    wanted = f"it needs {need.gpu_gib:.2f} GiB" + (f" on each of {need.gpus} GPUs" if need.gpus > 1 else " on one GPU")
    if not cards:
        return f"{wanted}, and there is no GPU"
    largest = max(card.gpu.usable_gib for card in cards)
    if largest < need.gpu_gib:
        return f"{wanted}; the largest has {largest:.2f} GiB to give"
    if need.gpus > len(cards):
        return f"{wanted}; there are {len(cards)}"
    if not need.can_sleep:
        why = "a command of its own" if service.serve.command else "tensor parallel"
        return f"{wanted}, awake all the time ({why} cannot take turns); at most {max(card.left_gib for card in cards):.1f} GiB are left"
    room = max(card.left_with(service) for card in cards)
    return f"{wanted} in turns, beside {ASLEEP_GIB} GiB for each service asleep there; {-room:.1f} GiB are lacking"


def _share_of(service: Service, totals: Sequence[float]) -> float | None:
    """Share of the smallest of its cards, rounded up to a thousandth."""
    return min(1.0, math.ceil(service.need.gpu_gib / min(totals) * 1000) / 1000) if totals else None


def _slot(needs: Sequence[float]) -> float:
    """What services that take turns use together: the largest awake, all others asleep."""
    return max(needs) + ASLEEP_GIB * (len(needs) - 1) if needs else 0.0


def largest_first(service: Service) -> tuple[int, float, str]:
    """Sorting key: most GPUs, then most memory, then name."""
    return (-service.need.gpus, -service.need.gpu_gib, service.name)


def _emptiest_first(cards: list[_Card], service: Service) -> list[_Card]:
    """Cards without a replica of the same expert before others, then by room: services and replicas spread out."""
    return sorted(cards, key=lambda card: (_twins(card, service), -card.left_gib, card.gpu.index))


def _as_numbered(cards: list[_Card], service: Service) -> list[_Card]:
    """First fit; still, replicas of one expert go to different cards where they can."""
    return sorted(cards, key=lambda card: (_twins(card, service), card.gpu.index))


def _twins(card: _Card, service: Service) -> int:
    return sum(other.card.id == service.card.id for other in (*card.awake, *card.turns))
