"""Groups of episodes in which every member counts: what infrastructure broke is drawn again, and so are groups without a difference.

An episode's draw is repeatable from (seed, task, sample number), so a further draw is the same sample plus a multiple of `WAVE`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from maestro.rollout.engine import Job
from maestro.train.config.signal import SignalConfig
from maestro.train.episodes.metrics import broken
from maestro.train.episodes.signal import Standing, equal, fault_counts, overlong, penalised, standing, truncated
from maestro.types import Episode, Task

WAVE = 10**9
"""Added to a sample number for each time that it is drawn again; no run has so many samples of one task."""

Draw = Callable[[Sequence[Job]], list[Episode]]


@dataclass
class Drawn:
    """A step's groups, and what became of every episode that was drawn for them."""

    tasks: Sequence[Task]
    groups: list[list[Episode]]
    """`groups[i]` are the members on `tasks[i]`, those that are not trained on among them."""
    replaced: list[Episode] = field(default_factory=list)
    """Drawn, and then drawn again."""
    dropped: set[int] = field(default_factory=set)
    """Groups that are masked as a whole because their rewards are equal."""
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def together(cls, shares: Sequence[Drawn]) -> Drawn:
        """What several processes drew, as one."""
        whole = cls([task for share in shares for task in share.tasks], [])
        for share in shares:
            whole.dropped |= {place + len(whole.groups) for place in share.dropped}
            whole.groups += share.groups
            whole.replaced += share.replaced
            whole.counts += share.counts
        return whole

    @property
    def members(self) -> list[Episode]:
        """Every group's members in order."""
        return [member for group in self.groups for member in group]

    @property
    def everything(self) -> list[Episode]:
        """All that was drawn: the members, then what they replaced."""
        return [*self.members, *self.replaced]

    def trained(self, config: SignalConfig) -> list[bool]:
        """Of every member, whether it is trained on."""
        return [
            place not in self.dropped and standing(member, config) is Standing.TRAINED
            for place, group in enumerate(self.groups)
            for member in group
        ]


def draw_groups(draw: Draw, tasks: Sequence[Task], groups: Sequence[Sequence[Episode]], first_sample: int, config: SignalConfig) -> Drawn:
    """Groups as first drawn (members numbered from `first_sample`), with the config's penalties and further draws.

    `draw` runs further episodes. What it draws for a group of equal rewards is a whole new group, so that nothing is chosen by reward
    but the groups themselves.
    """
    drawn = Drawn(tasks, [[penalised(member, config) for member in group] for group in groups])
    _replace_broken(draw, drawn, range(len(groups)), first_sample, config, wave=0)
    if config.equal_groups == "keep":
        return drawn
    drawn.dropped = _equal(drawn, config)
    for turn in range(config.equal_redraws if config.equal_groups == "resample" else 0):
        if not drawn.dropped:
            break
        wave = 1 + config.redraws + turn * (1 + config.redraws)
        places = sorted(drawn.dropped)
        _draw_again(draw, drawn, [(place, member) for place in places for member in range(len(groups[place]))], first_sample, config, wave)
        drawn.counts["groups drawn again"] += len(places)
        _replace_broken(draw, drawn, places, first_sample, config, wave)
        drawn.dropped = _equal(drawn, config)
    return drawn


def signal_numbers(drawn: Drawn, config: SignalConfig) -> dict[str, Any]:
    """What became of the episodes, as shares (for alarms) and counts (for the record)."""
    everything, trained = drawn.everything, drawn.trained(config)
    reasons = Counter(standing(member, config).value for member in drawn.members)
    faults = fault_counts(everything)
    lost = sum(faults["kinds"].values())
    signal = {
        "drawn": len(everything),
        "lost": lost,
        "drawn_again": drawn.counts["drawn again"],
        "not_replaced": reasons[Standing.INFRASTRUCTURE.value],
        "truncated": sum(truncated(episode) for episode in everything),
        "overlong": sum(overlong(episode) for episode in everything),
        "masked": {name: count for name, count in reasons.items() if name != Standing.TRAINED.value},
        "trained": sum(trained),
        "groups": len(drawn.groups),
        "equal_groups": sum(equal(group, config) for group in drawn.groups),
        "groups_drawn_again": drawn.counts["groups drawn again"],
        "dropped_groups": len(drawn.dropped),
    }
    return {
        "infrastructure_share": lost / len(everything) if everything else 0.0,
        "truncated_share": signal["truncated"] / len(everything) if everything else 0.0,
        "equal_share": signal["equal_groups"] / len(drawn.groups) if drawn.groups else 0.0,
        "signal": signal,
        "faults": faults,
    }


def _equal(drawn: Drawn, config: SignalConfig) -> set[int]:
    return {place for place, group in enumerate(drawn.groups) if equal(group, config)}


def _replace_broken(draw: Draw, drawn: Drawn, places: Sequence[int], first_sample: int, config: SignalConfig, wave: int) -> None:
    """Draw again what infrastructure broke, at most `redraws` times each."""
    for further in range(1, config.redraws + 1):
        broke = [(place, number) for place in places for number, member in enumerate(drawn.groups[place]) if broken(member)]
        if not broke:
            return
        _draw_again(draw, drawn, broke, first_sample, config, wave + further)


def _draw_again(draw: Draw, drawn: Drawn, members: Sequence[tuple[int, int]], first_sample: int, config: SignalConfig, wave: int) -> None:
    """Replace members, given as (group, number), by new draws."""
    jobs = [Job(drawn.tasks[place], first_sample + number + wave * WAVE) for place, number in members]
    for (place, number), fresh in zip(members, draw(jobs), strict=True):
        drawn.replaced.append(drawn.groups[place][number])
        drawn.groups[place][number] = penalised(fresh, config)
    drawn.counts["drawn again"] += len(members)
