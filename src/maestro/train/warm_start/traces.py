"""Supervised traces for the warm start: unlimited, seeded, and silent about who is good.

What a trace teaches: the grammar; what the question is about (the thought names the skills it calls for); what the picture
looks like (the thought says so in the scene's own words); copying a value exactly, into an answer or into the next skill's
query; taking the most confident of several values.

A drill is a trace without its picture: it costs half as much and practises wordings and copying, programs and other long values
above all.

What it does not teach: which expert is better (drawn uniformly from the allowed ones), when a cheap one is enough, whether to
ask again (a coin that looks at nothing, except that nothing can be copied from an observation that found nothing).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maestro.errors import ConfigError
from maestro.policy.protocol import Dialect
from maestro.registry.menu import Menu
from maestro.skills.protocol import SkillResult
from maestro.tasks.source import TaughtTask
from maestro.train.seeding import generator
from maestro.train.warm_start.synthetic import UNSEEN, Scene, SyntheticEnsemble, gives, observation, topic
from maestro.types import Action, Answer, Call, Decision, Observation, Task, Turn

NOTHING = "none"
"""What is answered when nobody found anything: the word that their observations said."""


def check_plans(scenes: Sequence[Scene], menu: Menu) -> None:
    """Raises ConfigError when a scene calls for a skill that is not on the menu: its questions are of another registry."""
    offered = {skill.id for skill in menu.skills}
    if unknown := sorted({skill for scene in scenes for skill in scene.plan} - offered):
        raise ConfigError(
            f"the questions to warm up on call for the skills {', '.join(unknown)}, and the registry offers {', '.join(sorted(offered))}. "
            "Train on questions of the registry's own (tasks.source), take the registry they belong to (ensemble.registry), or "
            "load a trained policy (policy.load) and leave out warm_start and rehearsal."
        )


@dataclass(frozen=True)
class Trace:
    """A whole episode, written rather than sampled."""

    task: Task
    turns: tuple[Turn, ...]


class TraceWriter:
    """Writes traces over scenes; `trace(index)` depends on the seed and the index alone."""

    def __init__(
        self,
        scenes: Sequence[Scene],
        menu: Menu,
        dialect: Dialect,
        seed: int,
        *,
        wordings: Sequence[Scene] = (),
        turns: int = 4,
        ask_again: float = 0.35,
    ) -> None:
        """`wordings` are questions without pictures, for drills; half of the drills are on them."""
        if not scenes:
            raise ConfigError("a warm start needs scenes; the task source's warm split is empty.")
        check_plans((*scenes, *wordings), menu)
        self.scenes = scenes
        self.menu = menu
        self.dialect = dialect
        self.seed = seed
        self.turns = turns
        self.ask_again = ask_again
        self._experts = {skill.id: skill.experts for skill in menu.skills}
        self._ensemble = SyntheticEnsemble(menu, (*scenes, *wordings), seed)
        self._kinds = _by_kind(scenes)
        self._drilled = [group for group in (_by_value(scenes), _by_value(wordings)) if group]

    def trace(self, index: int) -> Trace:
        """The trace of an index: every plan and family is visited equally often, in random order."""
        rng = generator(self.seed, "trace", index)
        return self._write(rng.choice(rng.choice(self._kinds)), rng, index)

    def drill(self, index: int) -> Trace:
        """The trace without a picture of an index; every kind of value is carried equally often."""
        rng = generator(self.seed, "drill", index)
        scene = rng.choice(rng.choice(rng.choice(self._drilled)))
        return self._write(TaughtTask(scene.task.model_copy(update={"images": ()}), tuple(scene.plan), UNSEEN), rng, -1 - index)

    def _write(self, scene: Scene, rng: random.Random, index: int) -> Trace:
        """A trace over a scene."""
        turns: list[Turn] = []
        carried = ""
        for place, skill in enumerate(scene.plan):
            later = len(scene.plan) - place - 1
            allowed = self.turns - 1 - len(turns) - later
            found = self._ask(scene, skill, carried, allowed, turns, rng, index)
            carried = found if found is not None else NOTHING
            if found is None:
                break
        text = carried if scene.plan else scene.task.references[0]
        turns.append(self._turn(scene, Answer(text=text), None, first=not turns))
        return Trace(scene.task, tuple(turns))

    def batch(self, step: int, size: int, drills: int = 0) -> list[Trace]:
        """The traces of one training step, then its drills."""
        seen = [self.trace(step * size + member) for member in range(size)]
        return seen + [self.drill(step * drills + member) for member in range(drills if self._drilled else 0)]

    def __iter__(self) -> Iterator[Trace]:
        index = 0
        while True:
            yield self.trace(index)
            index += 1

    def _ask(self, scene: Scene, skill: str, query: str, allowed: int, turns: list[Turn], rng: random.Random, index: int) -> str | None:
        """Call random experts for one skill, at most `allowed` times, until there is something to copy.

        Returns the value; None where nobody found any, which is left at that half of the time.
        """
        experts = rng.sample(self._experts[skill], min(allowed, len(self._experts[skill])))
        best: tuple[float, str] | None = None
        for number, expert in enumerate(experts):
            call = Call(expert=expert, skill=skill, query=query)
            result = self._ensemble.result(call, scene.task.id, index)
            last = number == len(experts) - 1
            if last and best is None and result.value is None:  # somebody has to find something
                if rng.random() < 0.5:
                    turns.append(self._turn(scene, call, observation(result), first=not turns))
                    return None
                result = self._found(call, scene, index)
            turns.append(self._turn(scene, call, observation(result), first=not turns))
            shown = round(result.confidence, 2)
            if result.value is not None and (best is None or shown > best[0]):
                best = (shown, result.value)
            if best is not None and rng.random() >= self.ask_again:
                break
        return best[1] if best is not None else None

    def _found(self, call: Call, scene: Scene, index: int) -> SkillResult:
        """A result of this call that found something."""
        return next(
            result
            for attempt in range(1, 1000)
            if (result := self._ensemble.result(call, scene.task.id, (index, attempt))).value is not None
        )

    def _turn(self, scene: Scene, action: Action, seen: Observation | None, *, first: bool) -> Turn:
        """Only the first decision thinks: later ones follow from what they read."""
        thought = f"{topic(scene.plan)}; {scene.look}" if first else ""
        return Turn(decision=Decision(text=self.dialect.write(action, thought)), action=action, observation=seen)


def _by_kind(scenes: Sequence[Scene]) -> list[list[Scene]]:
    """Scenes grouped by family, in order of first appearance."""
    groups: dict[str, list[Scene]] = {}
    for scene in scenes:
        groups.setdefault(scene.task.category, []).append(scene)
    return list(groups.values())


def _by_value(scenes: Sequence[Scene]) -> list[list[Scene]]:
    """Scenes that call for a skill, grouped by the kind of value their first skill gives."""
    groups: dict[str, list[Scene]] = {}
    for scene in scenes:
        if scene.plan:
            groups.setdefault(gives(scene.plan, scene.plan[0]), []).append(scene)
    return list(groups.values())
