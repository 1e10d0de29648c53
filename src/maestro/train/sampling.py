"""Episodes for training: groups on one task, some of them with their first call spread over the experts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maestro.policy.protocol import Dialect, Opening, Session
from maestro.reward import RewardRule
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.episode import Performs
from maestro.rollout.limits import Limits
from maestro.train.seeding import generator
from maestro.types import Call, Episode, Task


class ForcedFirst:
    """A policy whose first decision on chosen episodes starts with given token ids; the rest it samples freely."""

    def __init__(self, policy: Any, prefixes: Mapping[tuple[str, int], tuple[int, ...]]) -> None:
        self.policy = policy
        self.prefixes = prefixes
        self.name: str = policy.name
        self.dialect: Dialect = policy.dialect

    def open(self, opening: Opening) -> Session:
        """A session of the policy, with the prefix of this task and sample if there is one."""
        session: Session = self.policy.open(opening, first_ids=self.prefixes.get((opening.task.id, opening.sample), ()))
        return session


@dataclass
class Sampler:
    """Runs and scores episodes of one policy on one ensemble; `runner` owns the event loop that the ensemble lives on."""

    policy: Any
    ensemble: Performs
    rule: RewardRule
    limits: Limits
    runner: asyncio.Runner
    concurrency: int = 512
    cost_weight: float | None = None
    """Told to the policy; None leaves it out of the prompt."""

    def episodes(
        self, jobs: Sequence[Job], prefixes: Mapping[tuple[str, int], tuple[int, ...]] | None = None, *, policy: Any = None
    ) -> list[Episode]:
        """Scored episodes in the order of the jobs."""
        deciding = policy or self.policy
        if prefixes:
            deciding = ForcedFirst(deciding, prefixes)
        work = run_episodes(jobs, deciding, self.ensemble, self.limits, concurrency=self.concurrency, cost_weight=self.cost_weight)
        episodes = self.runner.run(work)
        return [self.rule.scored(job.task, episode) for job, episode in zip(jobs, episodes, strict=True)]

    def groups(self, tasks: Sequence[Task], members: int, first_sample: int, forced: int, *seed: object) -> list[list[Episode]]:
        """`members` episodes on every task, `forced` of them with a first call that is spread over experts.

        Samples are numbered from `first_sample`, which with the task's id makes every draw repeatable. The free episodes run
        first: the skills they call and the thoughts they had are what the forced ones start from. A task on which no free
        episode calls anything gets free episodes only.
        """
        free = members - forced
        first = self.episodes([Job(task, first_sample + member) for task in tasks for member in range(free)])
        groups = [first[index * free : (index + 1) * free] for index in range(len(tasks))]
        if not forced:
            return groups
        prefixes: dict[tuple[str, int], tuple[int, ...]] = {}
        for task, group in zip(tasks, groups, strict=True):
            for number, prefix in enumerate(self._prefixes(group, forced, generator(*seed, task.id, first_sample))):
                prefixes[task.id, first_sample + free + number] = prefix
        second = self.episodes([Job(task, first_sample + free + member) for task in tasks for member in range(forced)], prefixes)
        return [group + second[index * forced : (index + 1) * forced] for index, group in enumerate(groups)]

    def _prefixes(self, group: Sequence[Episode], forced: int, rng: Any) -> list[tuple[int, ...]]:
        """Token ids of first decisions up to the colon after the skill: untried experts first, then all in turn."""
        openings: dict[str, list[tuple[int, ...]]] = {}
        tried: Counter[tuple[str, str]] = Counter()
        search = self.policy.tokenizer.convert_tokens_to_ids("<search>")
        for episode in group:
            action = episode.turns[0].action if episode.turns else None
            ids = episode.turns[0].decision.token_ids if episode.turns else ()
            if isinstance(action, Call) and self.ensemble.menu.allows(action.expert, action.skill) and search in ids:
                openings.setdefault(action.skill, []).append(ids[: ids.index(search) + 1])
                tried[action.expert, action.skill] += 1
        pairs = [(expert, skill) for expert, skill in self.ensemble.menu.pairs if skill in openings]
        chosen: list[tuple[int, ...]] = []
        for _ in range(forced if pairs else 0):
            fewest = min(tried[pair] for pair in pairs)
            pair = rng.choice([pair for pair in pairs if tried[pair] == fewest])
            tried[pair] += 1
            name = self.policy.tokenizer.encode(f"{pair[0]}@@{pair[1]}:", add_special_tokens=False)
            chosen.append((*rng.choice(openings[pair[1]]), *name))
        return chosen
