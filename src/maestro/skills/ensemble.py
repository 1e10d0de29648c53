"""The ensemble: a registry with its experts alive, ready to perform a policy's calls."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import orjson

from maestro.errors import CallTimeout, InfrastructureFault, MaestroError, NotRecorded, PolicyFault, RegistryError
from maestro.experts.pool import ExpertPool
from maestro.experts.protocol import ExpertRequest
from maestro.experts.store import CallStore
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.skills.dispatch import Retrieval, by_expert, by_keywords
from maestro.skills.prompted import run_prompted
from maestro.skills.protocol import Caller, SkillProcedure, SkillRequest, SkillResult
from maestro.skills.region import clip, enlargement, parse_region
from maestro.types import Call, ChildCall, Observation, Skill, Task


class Ensemble:
    """Performs calls: checks them against the registry, dispatches, runs the skill and reports what came back.

    One ensemble serves any number of episodes at once. Close it (or use it as an async context manager) to stop the experts.
    """

    def __init__(self, registry: Registry, images: ImageStore, pool: ExpertPool) -> None:
        self.registry = registry
        self.images = images
        self.pool = pool
        self.menu = registry.menu()
        self.name = f"{registry.name}@{registry.digest[:12]}"
        self._procedures: dict[str, SkillProcedure] = {}
        self._indexes: dict[str, Retrieval] = {}

    @classmethod
    def load(cls, registry: str | Path, images: ImageStore, store: CallStore | None = None, *, workers: int | None = None) -> Ensemble:
        """The ensemble of a registry given by name or folder. `workers` bounds the processes of in-process experts."""
        loaded = Registry.load(registry)
        return cls(loaded, images, ExpertPool(loaded.experts, images=images, store=store, workers=workers))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop the experts. The call store stays open: whoever opened it closes it."""
        await self.pool.close()

    async def perform(self, call: Call, task: Task, deadline_seconds: float = 120.0, *, leaf: str | None = None) -> Observation:
        """Run one call. Failures come back as the observation's status, never as an exception.

        `leaf` names a level-2 skill of the call's skill to run in place of the one its dispatcher would choose (to try each out).
        `policy_error` when the call makes no sense (the policy reads why), `timeout` and `expert_error` when the
        infrastructure failed, a call missing from a replayed store included.
        """
        children: list[ChildCall] = []
        started = time.monotonic()
        try:
            async with asyncio.timeout(deadline_seconds):
                result = await self._run(call, task, children, started + deadline_seconds, leaf)
        except (PolicyFault, ValueError) as fault:
            return _failed("policy_error", f"error: {fault}", children, started)
        except (TimeoutError, CallTimeout) as fault:
            reason = str(fault) or f"no reply within {deadline_seconds:.0f} s"
            return _failed("timeout", f"{call.expert}@{call.skill}: {reason}", children, started)
        except (InfrastructureFault, NotRecorded) as fault:
            return _failed("expert_error", f"{call.expert}@{call.skill}: {fault}", children, started)
        return Observation(
            text=clipped(result.text, self.registry.settings.observation.max_characters),
            value=result.value,
            gives=result.gives,
            confidence=result.confidence,
            children=tuple(children),
            cost_usd=sum(child.cost_usd for child in children),
            latency_seconds=_latency(children, started),
        )

    async def _run(self, call: Call, task: Task, children: list[ChildCall], deadline: float, leaf_id: str | None) -> SkillResult:
        skill = self._allowed(call)
        images, query = self._focus(skill, call.query, task)
        request = SkillRequest(question=task.question, query=query, images=images, choices=task.choices)
        caller = self._caller(call.expert, skill, children, deadline)
        leaf = self._child(skill, leaf_id) if leaf_id else await self._leaf(skill, request, caller)
        if leaf.id != skill.id:
            if leaf.experts and call.expert not in leaf.experts:
                raise PolicyFault(f"{call.expert} cannot do {leaf.id}; {', '.join(leaf.experts)} can")
            caller = self._caller(call.expert, leaf, children, deadline)
        if leaf.target is None:
            return await run_prompted(leaf, request, caller)
        procedure = self._procedure(leaf)
        try:
            return await procedure(request, caller)
        except (MaestroError, ValueError, TimeoutError):
            raise
        except Exception as bug:  # a skill author's bug must cost one episode, not the run; the episode keeps it
            raise InfrastructureFault(f"skill {leaf.id} broke: {type(bug).__name__}: {bug}") from bug

    def _allowed(self, call: Call) -> Skill:
        """The skill of an allowed call. Raises PolicyFault naming what exists."""
        skill = next((known for known in self.menu.skills if known.id == call.skill), None)
        if skill is None:
            raise PolicyFault(f"no skill {call.skill!r}; there are {', '.join(known.id for known in self.menu.skills)}")
        if call.expert not in {expert.id for expert in self.menu.experts}:
            raise PolicyFault(f"no expert {call.expert!r}; for {skill.id} there are {', '.join(skill.experts)}")
        if not self.menu.allows(call.expert, call.skill):
            raise PolicyFault(f"{call.expert} is not offered for {skill.id}; {', '.join(skill.experts)} are")
        return skill

    def _focus(self, skill: Skill, query: str, task: Task) -> tuple[tuple[str, ...], str]:
        """The images and query a skill works on: a query that is a region becomes a crop of the first image."""
        box = parse_region(query) if "region" in skill.takes else None
        if box is None or not task.images:
            return task.images, query
        whole = self.images.pixels(task.images[0])
        box = clip(box, whole)
        scale = enlargement(box)
        part = whole.crop(box)
        if scale != 1.0:
            part = part.resize((round(part.width * scale), round(part.height * scale)), resample=3)
        return (self.images.put(part), *task.images[1:]), ""

    def _child(self, skill: Skill, leaf: str) -> Skill:
        """The level-2 skill named. Raises PolicyFault naming what exists."""
        children = {child.id: child for child in self.registry.children(skill.id)}
        if leaf not in children:
            raise PolicyFault(f"no level-2 skill {leaf!r} of {skill.id}; there are {', '.join(children) or 'none'}")
        return children[leaf]

    async def _leaf(self, skill: Skill, request: SkillRequest, caller: Caller) -> Skill:
        """The skill itself when it is a procedure, else the level-2 skill its dispatcher names."""
        children = self.registry.children(skill.id)
        match skill.dispatch:
            case "retrieval":
                if skill.id not in self._indexes:
                    self._indexes[skill.id] = Retrieval(children)
                return self._indexes[skill.id].choose(request.text)
            case "keywords":
                return by_keywords(children, request.text)
            case "expert":
                return await by_expert(children, request.text, caller.ask)
            case _:
                return skill

    def _caller(self, expert: str, skill: Skill, children: list[ChildCall], deadline: float) -> Caller:
        async def ask(operation: str, images: tuple[str, ...] = (), **arguments: Any) -> Any:
            request = ExpertRequest(operation=operation, skill=skill.id, skill_digest=skill.digest, images=images, arguments=arguments)
            reply = await self.pool.call(expert, request, max(0.0, deadline - time.monotonic()))
            children.append(reply.child(expert, skill.id))
            return reply.text if operation == "chat" else orjson.loads(reply.text)

        return Caller(expert=expert, ask=ask, pixels=self.images.pixels, put=self.images.put)

    def _procedure(self, skill: Skill) -> SkillProcedure:
        """The coded procedure of a skill, imported once. Raises RegistryError when its target is not there."""
        if skill.id not in self._procedures:
            assert skill.target is not None
            self._procedures[skill.id] = load_target(skill.target, f"skill {skill.id}")
        return self._procedures[skill.id]


def load_target(target: str, owner: str) -> Callable[..., Any]:
    """The object named `package.module:attribute`. Raises RegistryError saying which part is missing."""
    module, _, attribute = target.partition(":")
    try:
        loaded: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise RegistryError(f"{owner}: target {target!r}: {error}. Check the module path or install the extra that has it.") from error
    except AttributeError as error:
        raise RegistryError(f"{owner}: target {target!r}: module {module} has no {attribute!r}.") from error
    return loaded


def clipped(text: str, limit: int) -> str:
    """The first `limit` characters of `text`, cut behind the last whole line when there is one."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    return head[: head.rfind("\n")] if "\n" in head else head


def _latency(children: list[ChildCall], started: float) -> float:
    """Seconds the call took, or would have taken with its replayed replies live."""
    replayed = sum(child.latency_seconds for child in children if child.replayed)
    return time.monotonic() - started + replayed


def _failed(status: Any, text: str, children: list[ChildCall], started: float) -> Observation:
    return Observation(
        text=text,
        status=status,
        children=tuple(children),
        cost_usd=sum(child.cost_usd for child in children),
        latency_seconds=_latency(children, started),
    )
