"""Recorded systems as experts: the registry that a folder makes of itself, and an ensemble that plays its outcomes.

Every system of `outcomes.parquet` is an expert, and there is one skill, `ask`. With a registry of its own, a run has that registry's
experts, and those of kind `recorded` whose system the folder knows; the others of that kind are not on the menu.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import partial

import orjson

from maestro.errors import TaskError
from maestro.experts.pool import price_of
from maestro.experts.protocol import Reply
from maestro.images import ImageStore
from maestro.policy.baselines.recorded import CallKey, RecordedTask
from maestro.registry.menu import Menu
from maestro.registry.registry import Registry, system_of
from maestro.rollout.episode import Performs
from maestro.rollout.pool import RecordedPool
from maestro.rollout.system_replies import SystemReplies
from maestro.scoring.blocking import off_loop
from maestro.skills.ensemble import Ensemble
from maestro.skills.observation import clipped
from maestro.tasks.recorded_folder import RecordedFolder
from maestro.tasks.source import TaskSource
from maestro.types import Call, ChildCall, Expert, Observation, ObservationSettings, Price, Skill, Task

RECORDED = "recorded"
"""The registry that a folder of tasks makes of its own systems; `./recorded` is a folder of that name."""
ASK = "ask"
DEFAULT_PRICE = Price(call_usd=0.001)
"""Of a call, where nobody gave prices: the same for every system, so that none is favoured; where an order is needed, names decide."""
_OBSERVATION = ObservationSettings()
_NO_ID = re.compile(r"[^A-Za-z0-9._-]+")


def systems_menu(folder: RecordedFolder, prices: Mapping[str, Price] | None = None) -> Menu:
    """The menu of a folder's own systems. Raises TaskError when two of their names come to the same id."""
    prices = prices or {}
    cards: dict[str, Expert] = {}
    for system in folder.outcomes.systems:
        name = expert_id(system)
        if name in cards:
            raise TaskError(
                f"{folder.outcomes_path}: the systems {cards[name].target} and {system} would both be called {name}; rename one."
            )
        summary = f"{system}, as recorded on these questions."
        cards[name] = Expert(id=name, summary=summary, kind="recorded", target=system, price=prices.get(system, DEFAULT_PRICE))
    ask = Skill(id=ASK, summary="Ask the model the question as it stands, with its picture.", experts=tuple(cards))
    text = orjson.dumps([card.model_dump(mode="json") for card in cards.values()], option=orjson.OPT_SORT_KEYS)
    return Menu(tuple(cards.values()), (ask,), hashlib.sha256(text).hexdigest())


def expert_id(system: str) -> str:
    """The id of a system's expert: its name, with a hyphen for whatever an id may not hold."""
    return _NO_ID.sub("-", system).strip("-._")[:64] or "system"


def offered_menu(registry: Registry, source: TaskSource) -> Menu:
    """A registry's menu for the tasks of a source: with its recorded experts, where the source knows their systems."""
    known = isinstance(source, RecordedFolder) and source.is_recorded
    wanted = any(card.kind == "recorded" for card in registry.experts.values())
    return registry.menu(source.outcomes.systems) if isinstance(source, RecordedFolder) and known and wanted else registry.menu()


class SystemsEnsemble:
    """Plays the recorded experts of a menu from a folder's outcomes, and leaves all others to a live ensemble, if there is one.

    A recorded system was asked the question itself, so a call with another query is the policy's error, and it is told so.
    """

    def __init__(
        self, folder: RecordedFolder, menu: Menu, name: str, live: Performs | None = None, images: ImageStore | None = None
    ) -> None:
        """`images` are asked for the size of pictures where a card has a price per megapixel."""
        self.menu = menu
        self.name = name
        self.live = live
        self.images = images
        self.folder = folder
        self.replies = SystemReplies(folder)
        self._cards = {card.id: card for card in menu.experts if card.kind == "recorded"}
        self._judged: dict[str, RecordedTask] = {}
        self._seen: dict[tuple[str, str, str], Observation] = {}

    async def perform(self, call: Call, task: Task, deadline_seconds: float = 0.0) -> Observation:
        """The recorded reply, or the live ensemble's."""
        expert = self.menu.expert_id(call.expert) or call.expert
        if expert in self._cards:
            return await self._recorded(expert, self.menu.skill_id(call.skill) or call.skill, call.query, task)
        if self.live is not None:
            return await self.live.perform(call, task, deadline_seconds)
        return _refused(f"no expert {call.expert!r}; there are {', '.join(card.id for card in self.menu.experts)}")

    def pool(self, tasks: Iterable[Task], cost_weight: float = 20.0) -> RecordedPool:
        """Every recorded expert's outcome on these tasks: what baselines are fitted on."""
        return RecordedPool((self._table(task, cost_weight) for task in tasks), self.menu, self.name, cost_weight)

    def _table(self, task: Task, cost_weight: float) -> RecordedTask:
        judged = RecordedTask(task, {}, cost_weight)
        for expert, skill in self.menu.pairs:
            if expert in self._cards:
                key: CallKey = (expert, skill, "")
                card = self._cards[expert]
                judged.outcomes[key] = self._observation(self.replies.say(judged, system_of(card)), card, skill, task.images)
        return judged

    async def _recorded(self, expert: str, skill: str, query: str, task: Task) -> Observation:
        if not self.menu.allows(expert, skill):
            return _refused(f"{expert} is not offered for {skill}; {', '.join(s.id for s in self.menu.skills if expert in s.experts)} is")
        if query.strip() not in {"", task.question}:
            return _refused(f"{expert} was recorded on the question itself and can be asked nothing else; leave the query empty")
        key = (task.id, expert, skill)
        if (seen := self._seen.get(key)) is None:
            if task.id not in self.replies.outcomes.by_task:
                return Observation(text=f"{expert}@{skill}: not recorded for {task.id}", status="expert_error")
            judged = self._judged.get(task.id)
            if judged is None:
                judged = self._judged[task.id] = RecordedTask(self.folder.questions[task.id], {})
            card = self._cards[expert]
            said = await off_loop(partial(self.replies.say, judged, system_of(card)))
            seen = self._seen[key] = self._observation(said, card, skill, task.images)
        return seen

    def _observation(self, said: tuple[str, str], card: Expert, skill: str, images: tuple[str, ...]) -> Observation:
        value, reply = said
        text = clipped(f"answer: {value}\nreply: {reply}" if reply else f"answer: {value}", _OBSERVATION)
        cost = price_of(card.price, Reply(reply), self._pixels(images) if card.price.megapixel_usd else 0)
        child = ChildCall(expert=card.id, skill=skill, replayed=True, cost_usd=cost)
        return Observation(text=text, value=value, children=(child,), cost_usd=cost)

    def _pixels(self, images: tuple[str, ...]) -> int:
        if self.images is None:
            return 0
        return sum(picture.width * picture.height for picture in map(self.images.pixels, images))


def own_systems(folder: RecordedFolder, prices: Mapping[str, Price] | None = None) -> SystemsEnsemble:
    """The ensemble of a folder's own systems. Raises TaskError, BrokenRows."""
    menu = systems_menu(folder, prices)
    return SystemsEnsemble(folder, menu, f"{RECORDED}@{menu.digest[:12]}")


def with_systems(live: Ensemble, source: TaskSource) -> Performs:
    """A live ensemble together with the recorded systems that its registry asks for and the source knows; else the ensemble itself."""
    menu = offered_menu(live.registry, source)
    if isinstance(source, RecordedFolder) and any(card.kind == "recorded" for card in menu.experts):
        return SystemsEnsemble(source, menu, live.name, live, live.images)
    return live


def _refused(reason: str) -> Observation:
    return Observation(text=f"error: {reason}", status="policy_error")


__all__ = [
    "ASK",
    "DEFAULT_PRICE",
    "RECORDED",
    "SystemsEnsemble",
    "expert_id",
    "offered_menu",
    "own_systems",
    "systems_menu",
    "with_systems",
]
