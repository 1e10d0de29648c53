"""The recorded pool: every allowed call on every task made once, so that any policy can be judged without an expert alive.

For each task every allowed (expert, skill) pair is called on the task's own question; where a region, an expression or
code comes back, every allowed pair that takes it is called with it, and so on to `depth` calls. The pool performs calls
from this table (it is what `run_episode` takes as an ensemble), so a replayed episode costs what the live one would have.
"""

from __future__ import annotations

import asyncio
import gzip
import lzma
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import orjson
from pydantic import ValidationError

from maestro.errors import StoreError
from maestro.policy.baselines.recorded import CallKey, Plan, RecordedTask, best, key_of
from maestro.policy.baselines.route import followers
from maestro.registry.menu import Menu
from maestro.rollout.episode import Performs
from maestro.types import Call, Observation, Task

VERSION = 1
DEPTH = 3
"""Calls in a row that are recorded."""
DEADLINE_SECONDS = 600.0
"""Of one call; long, because calls queue behind each other at an expert."""


@dataclass
class Progress:
    """What a recording has done so far; handed to the progress callback after each task."""

    tasks: int = 0
    total: int = 0
    calls: int = 0
    replayed: int = 0
    """Calls whose every reply was in the store already."""
    refused: int = 0
    """Calls that made no sense for the task (the skill said so): recorded, because a policy may make them too."""
    failures: Counter[str] = field(default_factory=Counter)
    """Infrastructure failures by `expert@skill`; not recorded."""
    examples: dict[str, str] = field(default_factory=dict)
    """One message for each key of `failures`."""


class RecordedPool:
    """A table of outcomes per task, and a deterministic ensemble made of it."""

    def __init__(self, tasks: Iterable[RecordedTask], menu: Menu, name: str, cost_weight: float = 20.0) -> None:
        """`name` is that of the ensemble it was recorded on."""
        self.tasks = {recorded.task.id: recorded for recorded in tasks}
        self.menu = menu
        self.name = name
        self.cost_weight = cost_weight

    @classmethod
    async def gather(
        cls,
        tasks: Sequence[Task],
        ensemble: Performs,
        *,
        cost_weight: float = 20.0,
        depth: int = DEPTH,
        concurrency: int = 4,
        progress: Callable[[Progress], None] | None = None,
    ) -> tuple[RecordedPool, Progress]:
        """Make (or replay, as the ensemble's store decides) every allowed call on every task, `concurrency` tasks at a time."""
        state = Progress(total=len(tasks))
        recorded: dict[str, RecordedTask] = {}
        queue = iter(enumerate(tasks))

        async def work() -> None:
            for number, task in queue:
                outcomes = await _record(task, ensemble, depth, number, state)
                recorded[task.id] = RecordedTask(task, outcomes, cost_weight)
                state.tasks += 1
                if progress is not None:
                    progress(state)

        await asyncio.gather(*(work() for _ in range(max(1, concurrency))))
        return cls((recorded[task.id] for task in tasks), ensemble.menu, ensemble.name, cost_weight), state

    async def perform(self, call: Call, task: Task, deadline_seconds: float = 0.0) -> Observation:  # noqa: ARG002 (an ensemble's signature)
        """The recorded outcome. A call the menu does not allow is the policy's error, one never recorded the infrastructure's."""
        if (observation := self.known(call, task)) is not None:
            return observation
        if not self.menu.allows(call.expert, call.skill):
            offered = ", ".join(expert for expert, skill in self.menu.pairs if skill == call.skill)
            reason = f"{call.expert} is not offered for {call.skill}; {offered} are" if offered else f"no skill {call.skill!r}"
            return Observation(text=f"error: {reason}", status="policy_error")
        return Observation(text=f"{call.expert}@{call.skill}: not recorded for {task.id} with query {call.query!r}", status="expert_error")

    def known(self, call: Call, task: Task) -> Observation | None:
        """The recorded outcome of a call, None when there is none."""
        recorded = self.tasks.get(task.id)
        return recorded.outcomes.get((call.expert, call.skill, call.query.strip())) if recorded is not None else None

    def __getitem__(self, task_id: str) -> RecordedTask:
        """The record of one task. Raises StoreError when there is none."""
        try:
            return self.tasks[task_id]
        except KeyError as error:
            raise StoreError(
                f"task {task_id} is not in the recorded pool of {len(self.tasks)} tasks; record it with `maestro record`."
            ) from error

    def select(self, tasks: Iterable[Task]) -> RecordedPool:
        """The pool of these tasks only. Raises StoreError for one that is missing or was another question when it was recorded."""
        chosen = [(task, self[task.id]) for task in tasks]
        for task, recorded in chosen:
            if recorded.task != task:
                raise StoreError(f"task {task.id} has changed since it was recorded; record it again with `maestro record … --resume`.")
        return RecordedPool((recorded for _, recorded in chosen), self.menu, self.name, self.cost_weight)

    def plans(self, task_id: str) -> tuple[Plan, ...]:
        """Every plan on one task, the one without calls first."""
        return self[task_id].plans(self.menu)

    def best(self, task_id: str, *, direct: bool = False) -> Plan:
        """The plan of highest utility. With `direct`, answering at once with the reference is a plan as well."""
        recorded = self[task_id]
        options = list(recorded.plans(self.menu))
        if direct and recorded.task.references:
            options.insert(0, recorded.plan((), recorded.task.references[0]))
        return best(options)

    def save(self, path: Path, code: str = "") -> None:
        """Write the table, one task a line; `.xz` and `.gz` names are compressed. `code` names the code it was made by."""
        header = {"version": VERSION, "name": self.name, "menu": self.menu.digest, "code": code, "tasks": len(self.tasks)}
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.stem}.part{path.suffix}")
        with _open(partial, "wb") as file:
            file.write(orjson.dumps(header) + b"\n")
            for recorded in self.tasks.values():
                calls = [[*key, _slim(observation)] for key, observation in recorded.outcomes.items()]
                file.write(orjson.dumps({"task": recorded.task.model_dump(mode="json"), "calls": calls}) + b"\n")
        partial.replace(path)

    @classmethod
    def load(cls, path: Path, menu: Menu, cost_weight: float = 20.0, code: str | None = "") -> RecordedPool:
        """Read a table back. Raises StoreError when it is not there, damaged, of another version, menu or code.

        `code` None takes a table whatever code made it: `maestro record verify` is then what tells whether it still holds.
        """
        try:
            with _open(path, "rb") as file:
                header = orjson.loads(file.readline())
                if header.get("version") != VERSION:
                    raise StoreError(f"{path} is version {header.get('version')}, this Maestro reads {VERSION}; record it again.")
                if header["menu"] != menu.digest or (code is not None and header["code"] != code):
                    raise StoreError(f"{path} was made on another registry or by other code ({header['name']}); record it again.")
                tasks = [_revive(orjson.loads(line), cost_weight) for line in file]
                if len(tasks) != header["tasks"]:
                    raise StoreError(f"{path} is cut short: {len(tasks)} of {header['tasks']} tasks; record it again.")
        except FileNotFoundError as error:
            raise StoreError(f"no recorded pool at {path}; make one with `maestro record`.") from error
        except (OSError, EOFError, lzma.LZMAError, orjson.JSONDecodeError, ValidationError, KeyError, AttributeError, TypeError) as error:
            raise StoreError(f"{path} is not a recorded pool or is damaged ({type(error).__name__}: {error}); record it again.") from error
        return cls(tasks, menu, header["name"], cost_weight)


class PooledEnsemble:
    """Recorded outcomes first, live experts for what was never recorded (a query that the policy made up)."""

    def __init__(self, pool: RecordedPool, live: Performs) -> None:
        self.pool = pool
        self.live = live
        self.menu = live.menu
        self.name = live.name

    async def perform(self, call: Call, task: Task, deadline_seconds: float = DEADLINE_SECONDS) -> Observation:
        """The recorded outcome, or a live one."""
        known = self.pool.known(call, task)
        return known if known is not None else await self.live.perform(call, task, deadline_seconds)


async def _record(task: Task, ensemble: Performs, depth: int, turn: int, state: Progress) -> dict[CallKey, Observation]:
    """Every allowed call on one task. Tasks start with different experts, so that they do not queue at the same one."""
    hidden = task.unanswered()
    outcomes: dict[CallKey, Observation] = {}
    calls = _rotated([Call(expert=expert, skill=skill) for expert, skill in ensemble.menu.pairs], turn)
    for _ in range(depth):
        following: dict[CallKey, Call] = {}
        for call in calls:
            observation = await ensemble.perform(call, hidden, DEADLINE_SECONDS)
            state.calls += 1
            state.replayed += bool(observation.children) and all(child.replayed for child in observation.children)
            if observation.status in {"expert_error", "timeout"}:
                name = f"{call.expert}@{call.skill}"
                state.failures[name] += 1
                state.examples.setdefault(name, f"{task.id}: {observation.text}")
                continue
            state.refused += observation.status == "policy_error"
            outcomes[key_of(call)] = observation.model_copy(update={"children": ()})
            following |= {key_of(after): after for after in followers(ensemble.menu, observation)}
        calls = [call for key, call in following.items() if key not in outcomes]
    return outcomes


def _rotated(calls: list[Call], turn: int) -> list[Call]:
    """The calls grouped by expert (one expert's work on one image may share steps), beginning with another expert each turn."""
    experts = list(dict.fromkeys(call.expert for call in calls))
    first = turn % max(1, len(experts))
    order = {expert: position for position, expert in enumerate(experts[first:] + experts[:first])}
    return sorted(calls, key=lambda call: order[call.expert])


def _slim(observation: Observation) -> dict[str, Any]:
    return observation.model_dump(mode="json", exclude_defaults=True, exclude={"children"})


def _revive(line: Mapping[str, Any], cost_weight: float) -> RecordedTask:
    outcomes = {(expert, skill, query): Observation.model_validate(fields) for expert, skill, query, fields in line["calls"]}
    return RecordedTask(Task.model_validate(line["task"]), outcomes, cost_weight)


def _open(path: Path, mode: Literal["rb", "wb"]) -> IO[bytes]:
    opener: Any = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    opened: IO[bytes] = opener(path, mode)
    return opened


__all__ = ["DEPTH", "PooledEnsemble", "Progress", "RecordedPool"]
