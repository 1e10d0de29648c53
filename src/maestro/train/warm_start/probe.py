"""What a warm start taught, measured apart on held-out scenes: grammar, topic, look and exact copying."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from maestro.rollout.engine import Job
from maestro.train.episodes.metrics import wellformed
from maestro.train.episodes.sampling import Sampler
from maestro.train.warm_start.synthetic import Scene, SyntheticEnsemble, topic
from maestro.types import Answer, Call, Episode, Observation

_THOUGHT = re.compile(r"<think>(.*?)</think>", re.DOTALL)


class Tally:
    """Counts of right and all, by name."""

    def __init__(self) -> None:
        self.right: dict[str, int] = {}
        self.all: dict[str, int] = {}

    def add(self, name: str, right: bool) -> None:
        """One more observation."""
        self.all[name] = self.all.get(name, 0) + 1
        self.right[name] = self.right.get(name, 0) + right

    def rates(self) -> dict[str, float]:
        """Share of right ones by name."""
        return {name: self.right[name] / self.all[name] for name in sorted(self.all)}


def probe(sampler: Sampler, scenes: Sequence[Scene], seed: int) -> dict[str, dict[str, float]]:
    """Rates on episodes with synthetic experts, `greedy` and `sampled` (temperature 1); one episode a scene and mode.

    `grammar`: every turn valid and an answer at the end; `topic`, `look`: the thought names the plan, and the look; `skill`: the
    first action follows the plan; `copy`: what is answered or passed on is, character for character, a value that was seen, also
    by kind of value; `best`: of several values the most confident was taken; `direct`: zero-call scenes are answered rightly.
    """
    ensemble = SyntheticEnsemble(sampler.ensemble.menu, scenes, seed)
    policy, before = sampler.policy, sampler.policy.sampling
    rates: dict[str, dict[str, float]] = {}
    try:
        for mode, greedy in (("greedy", True), ("sampled", False)):
            policy.sampling = replace(before, greedy=greedy, temperature=1.0, seed=seed)
            episodes = replace(sampler, ensemble=ensemble).episodes([Job(scene.task) for scene in scenes])
            tally = Tally()
            for scene, episode in zip(scenes, episodes, strict=True):
                measure(scene, episode, tally)
            rates[mode] = tally.rates()
    finally:
        policy.sampling = before
    return rates


def measure(scene: Scene, episode: Episode, tally: Tally) -> None:
    """Add one episode to the tally."""
    tally.add("grammar", wellformed(episode))
    if not episode.turns:
        return
    found = _THOUGHT.search(episode.turns[0].decision.text)
    named, _, look = (found.group(1) if found else "").partition(";")
    tally.add("topic", named.strip() == topic(scene.plan))
    tally.add("look", look.strip() == scene.look)
    first = episode.turns[0].action
    tally.add("skill", isinstance(first, Answer) if not scene.plan else isinstance(first, Call) and first.skill == scene.plan[0])
    seen: list[Observation] = []
    for turn in episode.turns:
        written = turn.action.text if isinstance(turn.action, Answer) else turn.action.query if isinstance(turn.action, Call) else None
        if seen and written:
            same = [one for one in seen if one.value == written]
            kind = same[-1].gives if same else seen[-1].gives
            tally.add("copy", bool(same))
            tally.add(f"copy {kind}", bool(same))
            rivals = [one for one in seen if one.gives == kind]
            if same and len({one.value for one in rivals}) > 1:
                tally.add("best", same[-1].confidence == max(one.confidence or 0.0 for one in rivals))
        elif isinstance(turn.action, Answer) and not scene.plan:
            right = written in scene.task.references
            tally.add("direct from question" if scene.task.references[0] in scene.task.question else "direct from picture", right)
        if turn.observation is not None and turn.observation.value is not None:
            seen.append(turn.observation)
