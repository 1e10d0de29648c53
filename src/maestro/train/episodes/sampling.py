"""Episodes for training: groups on one task, some of them with their first call spread over the experts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from maestro.policy.protocol import Dialect, Opening, Session
from maestro.registry.menu import Menu
from maestro.reward import RewardRule
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.episode import Performs
from maestro.rollout.limits import Limits
from maestro.train.episodes.encounters import Encounter
from maestro.train.episodes.signal import judged
from maestro.train.seeding import generator
from maestro.types import Call, Decision, Episode, Task, Tokens, Turn


class ForcedFirst:
    """A policy whose first decision on chosen episodes starts with given token ids; the rest it samples freely.

    In those episodes it is also made to ask an expert it has not asked yet, for the skill it called last, before a share `again` of
    its later decisions.
    """

    def __init__(self, policy: Any, prefixes: Mapping[tuple[str, int], tuple[int, ...]], again: float = 0.0) -> None:
        self.policy = policy
        self.prefixes = prefixes
        self.again = again
        self.name: str = policy.name
        self.dialect: Dialect = policy.dialect

    def open(self, opening: Opening) -> Session:
        """A session of the policy, with the prefix of this task and sample if there is one."""
        prefix = self.prefixes.get((opening.task.id, opening.sample))
        session = self.policy.open(opening, first_ids=prefix or ())
        return AskingAgain(session, self.policy, opening, self.again) if prefix and self.again else session


class AskingAgain:
    """A session that is made to ask another expert now and then, so that what a second opinion is worth comes to be known."""

    def __init__(self, session: Any, policy: Any, opening: Opening, share: float) -> None:
        self.session = session
        self.policy = policy
        self.opening = opening
        self.share = share
        self._asked: list[Call] = []
        self._rng = generator(policy.sampling.seed, "again", opening.task.id, opening.sample)

    async def decide(self) -> Decision:
        """The session's decision, begun as a call of an untried expert when the draw says so."""
        if self._asked and self._rng.random() < self.share:
            last = self._asked[-1]
            tried = {call.expert for call in self._asked if (call.skill, call.query) == (last.skill, last.query)}
            others = [expert for expert, skill in self.opening.menu.pairs if skill == last.skill and expert not in tried]
            if others:
                self.session.force(self.policy.encode(f"<search>{self._rng.choice(others)}@@{last.skill}:"))
        decision: Decision = await self.session.decide()
        return decision

    def observe(self, turn: Turn) -> bool:
        """Remember who was asked."""
        fine = turn.observation is not None and turn.observation.status == "ok"
        self._asked = [*self._asked, turn.action] if isinstance(turn.action, Call) and fine else self._asked
        noted: bool = self.session.observe(turn)
        return noted

    def tokens(self) -> Tokens | None:
        """The session's row."""
        row: Tokens | None = self.session.tokens()
        return row


@dataclass
class Sampler:
    """Runs and scores episodes of one policy on one ensemble; `runner` owns the event loop that the ensemble lives on."""

    policy: Any
    ensemble: Performs
    rule: RewardRule
    limits: Limits
    runner: asyncio.Runner
    concurrency: int = 512
    """Episodes that are under way at a time."""
    cost_weight: float | None = None
    """Told to the policy; None leaves it out of the prompt."""
    meets: Callable[[Task], Encounter] | None = None
    """How each task is met; None: on the ensemble as it is, and told `cost_weight`."""

    def encounter(self, task: Task) -> Encounter:
        """How a task is met just now."""
        return Encounter(self.cost_weight) if self.meets is None else self.meets(task)

    def episodes(
        self,
        jobs: Sequence[Job],
        prefixes: Mapping[tuple[str, int], tuple[int, ...]] | None = None,
        *,
        policy: Any = None,
        again: float = 0.0,
    ) -> list[Episode]:
        """Scored episodes in the order of the jobs."""
        deciding = policy or self.policy
        if prefixes:
            deciding = ForcedFirst(deciding, prefixes, again)
        met = [self.encounter(job.task) for job in jobs]
        drawn = [
            replace(job, ensemble=one.ensemble(self.ensemble), cost_weight=one.cost_weight) for job, one in zip(jobs, met, strict=True)
        ]
        episodes: list[Episode] = []
        for start in range(0, len(jobs), self.concurrency):  # whole batches, so that no clock decides who decides together
            some = drawn[start : start + self.concurrency]
            episodes += self.runner.run(run_episodes(some, deciding, self.ensemble, self.limits, concurrency=len(some)))
        return self.runner.run(self._scored(jobs, met, episodes))

    async def _scored(self, jobs: Sequence[Job], met: Sequence[Encounter], episodes: Sequence[Episode]) -> list[Episode]:
        """The episodes with their rewards; answers that need algebra or a sandbox are scored beside each other."""
        rules = [self.rule.at(one.cost_weight) for one in met]
        given = (rule.scored_off_loop(job.task, episode) for rule, job, episode in zip(rules, jobs, episodes, strict=True))
        return [judged(episode) for episode in await asyncio.gather(*given)]

    def groups(
        self, tasks: Sequence[Task], members: int, first_sample: int, forced: int, *seed: object, again: float = 0.0
    ) -> list[list[Episode]]:
        """`members` episodes on every task, `forced` of them with a first call that is spread over experts.

        Samples are numbered from `first_sample`, which with the task's id makes every draw repeatable. The free episodes run
        first: the skills they call and the thoughts they had are what the forced ones start from. A task on which no free
        episode calls anything gets free episodes only. `again` is the share of later decisions in forced episodes that are made to
        ask another expert.
        """
        free = members - forced
        first = self.episodes([Job(task, first_sample + member) for task in tasks for member in range(free)])
        groups = [first[index * free : (index + 1) * free] for index in range(len(tasks))]
        if not forced:
            return groups
        prefixes: dict[tuple[str, int], tuple[int, ...]] = {}
        for task, group in zip(tasks, groups, strict=True):
            for number, prefix in enumerate(
                self._prefixes(self.encounter(task).menu(self.ensemble.menu), group, forced, generator(*seed, task.id, first_sample))
            ):
                prefixes[task.id, first_sample + free + number] = prefix
        jobs = [Job(task, first_sample + free + member) for task in tasks for member in range(forced)]
        second = self.episodes(jobs, prefixes, again=again)
        return [group + second[index * forced : (index + 1) * forced] for index, group in enumerate(groups)]

    def _prefixes(self, menu: Menu, group: Sequence[Episode], forced: int, rng: Any) -> list[tuple[int, ...]]:
        """Token ids of first decisions up to the colon after the skill: untried experts first, then all in turn."""
        openings: dict[str, list[tuple[int, ...]]] = {}
        tried: Counter[tuple[str, str]] = Counter()
        search = self.policy.tokenizer.convert_tokens_to_ids("<search>")
        for episode in group:
            action = episode.turns[0].action if episode.turns else None
            ids = episode.turns[0].decision.token_ids if episode.turns else ()
            if isinstance(action, Call) and menu.allows(action.expert, action.skill) and search in ids:
                openings.setdefault(action.skill, []).append(ids[: ids.index(search) + 1])
                tried[action.expert, action.skill] += 1
        pairs = [(expert, skill) for expert, skill in menu.pairs if skill in openings]
        chosen: list[tuple[int, ...]] = []
        for _ in range(forced if pairs else 0):
            fewest = min(tried[pair] for pair in pairs)
            pair = rng.choice([pair for pair in pairs if tried[pair] == fewest])
            tried[pair] += 1
            name = self.policy.tokenizer.encode(f"{pair[0]}@@{pair[1]}:", add_special_tokens=False)
            chosen.append((*rng.choice(openings[pair[1]]), *name))
        return chosen
