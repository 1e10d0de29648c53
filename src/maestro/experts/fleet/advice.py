"""What would hold the services that have no place: more cards, fewer services, or smaller needs. Found by planning it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from maestro.experts.fleet.gpus import Gpu
from maestro.experts.fleet.memory import need_of
from maestro.experts.fleet.placement import largest_first, place
from maestro.experts.fleet.services import Service

_USUAL_GIB = 80.0
_VARIANTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("as the cards are", {}),
    ("with sequences: 1", {"sequences": 1}),
    ("with quantization: fp8", {"quantization": "fp8"}),
    ("with sequences: 1 and quantization: fp8", {"sequences": 1, "quantization": "fp8"}),
)


def advice(services: Sequence[Service], gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Sentences, the nearest first: which experts fit here, and how many cards of the largest kind here hold all of them."""
    waiting = [one for one in services if one.need.gpus]
    lines = []
    if subset := fitting_subset(services, gpus):
        lines.append("here and now: " + " ".join(f"--expert {expert}" for expert in dict.fromkeys(one.card.id for one in subset)))
    size = max((gpu.total_gib for gpu in gpus), default=_USUAL_GIB)
    said = set()
    for words, update in _VARIANTS:
        counts = _cards_needed([_varied(one, update) for one in waiting], size)
        if counts not in said:
            said.add(counts)
            lines.append(f"{words}: {_counts_text(counts, size)}")
    return tuple(lines)


def fitting_subset(services: Sequence[Service], gpus: Sequence[Gpu]) -> tuple[Service, ...]:
    """The services that are left when the largest one is given up until the rest fits."""
    kept = sorted((one for one in services if one.need.gpus), key=largest_first)
    while kept and place(kept, gpus).unplaced:
        kept = kept[1:]
    names = {one.name for one in kept}
    return tuple(one for one in services if one.name in names or not one.need.gpus)


def _cards_needed(services: Sequence[Service], size: float) -> tuple[int | None, int | None]:
    """How many cards hold all of them in turns, and awake; None when no number does."""
    fewest = max(one.need.gpus for one in services)
    turns: int | None = None
    for count in range(fewest, sum(one.need.gpus for one in services) + 1):
        plan = place(services, [Gpu(k, size, size) for k in range(count)])
        if plan.unplaced:
            continue
        turns = turns or count
        if not any(placed.takes_turns for placed in plan.placed):
            return turns, count
    return turns, None


def _counts_text(counts: tuple[int | None, int | None], size: float) -> str:
    turns, awake = counts
    if awake is None:
        return f"no number of {size:.0f} GiB GPUs, for a service needs more than one of them has"
    held = f"{awake} x {size:.0f} GiB hold all of them awake"
    return held if turns == awake else f"{turns} x {size:.0f} GiB hold all of them in turns, {held}"


def _varied(service: Service, update: dict[str, Any]) -> Service:
    """The service with other settings; a size that its card gives outright stays."""
    if service.serve.command:
        return service
    change = {name: value for name, value in update.items() if name != "quantization" or service.serve.quantization is None}
    serve = service.serve.model_copy(update=change)
    return replace(service, card=service.card.model_copy(update={"serve": serve}), need=need_of(serve))
