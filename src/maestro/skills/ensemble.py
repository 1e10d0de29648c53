"""The ensemble: a registry with its experts alive, ready to perform a policy's calls."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from maestro.errors import CallTimeout, InfrastructureFault, NotRecorded, PolicyFault, RegistryError
from maestro.experts.pool import ExpertPool
from maestro.experts.store import CallStore
from maestro.images import ImageStore
from maestro.registry.registry import InvalidRegistry, Registry
from maestro.registry.stamp import stamp
from maestro.registry.targets import check_targets
from maestro.skills.coded import run_coded
from maestro.skills.dispatch import PooledRetrieval, Retrieval, by_expert, by_keywords
from maestro.skills.observation import clipped, observed
from maestro.skills.performance import Performance
from maestro.skills.prompted import run_prompted
from maestro.skills.protocol import Caller, SkillProcedure, SkillRequest, SkillResult
from maestro.skills.region import clip, enlargement, parse_region
from maestro.types import Call, Observation, Skill, Task

_BLIND = "{} works on a picture, and this question has none"
_log = logging.getLogger(__name__)


class Ensemble:
    """Performs calls: checks them against the registry, dispatches, runs the skill and reports what came back.

    One ensemble serves any number of episodes at once. Close it (or use it as an async context manager) to stop the experts.
    The registry may be edited meanwhile: `refresh` notices it, `reload` is told.
    """

    def __init__(self, registry: Registry, images: ImageStore, pool: ExpertPool) -> None:
        self.images = images
        self.pool = pool
        self.problem: str | None = None
        """Why the last edit of the registry is not in use; None when it is."""
        self._stamp = stamp(registry.folder)
        self._looked_at = time.monotonic()
        self._use(registry)

    @classmethod
    def load(cls, registry: str | Path, images: ImageStore, store: CallStore | None = None, *, workers: int | None = None) -> Ensemble:
        """The ensemble of a registry given by name or folder. `workers` bounds the processes of in-process experts."""
        loaded = Registry.load(registry)
        return cls(loaded, images, ExpertPool(loaded.experts, images=images, store=store, workers=workers))

    def reload(self) -> bool:
        """Read the registry's folder again and use what it says from the next call on; whether anything has changed.

        Episodes under way keep the menu they began with; a call of theirs that is no longer offered is told so. The code behind
        targets is not read again. Raises RegistryError with every problem of a broken edit, and goes on with the registry it has.
        """
        self._stamp = stamp(self.registry.folder)
        try:
            fresh = Registry.load(self.registry.folder)
            if problems := check_targets(fresh):
                raise InvalidRegistry(fresh.folder, problems)
        except RegistryError as error:
            self.problem = str(error)
            raise
        self.problem = None
        if fresh.digest == self.registry.digest and fresh.experts == self.registry.experts:
            return False
        self.pool.replace_experts(fresh.experts)
        self._use(fresh)
        return True

    def refresh(self, every_seconds: float = 1.0) -> bool:
        """Reload when a file of the registry has changed, looking at most every so many seconds; whether anything has changed.

        A broken edit is logged, kept in `problem` and not used; it is looked at again when a file changes again.
        """
        now = time.monotonic()
        if now - self._looked_at < every_seconds:
            return False
        self._looked_at = now
        if stamp(self.registry.folder) == self._stamp:
            return False
        try:
            return self.reload()
        except RegistryError as error:
            _log.warning("the registry was edited and cannot be used; the one before it stays in use. %s", error)
            return False

    def _use(self, registry: Registry) -> None:
        self.registry = registry
        self.menu = registry.menu()
        self.name = f"{registry.name}@{registry.digest[:12]}"
        self._procedures: dict[str, SkillProcedure] = {}
        self._indexes: dict[str, Retrieval | PooledRetrieval] = {}

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
        performance = Performance(self.pool, self.images, deadline_seconds)
        try:
            async with asyncio.timeout(deadline_seconds):
                skill, result = await self._run(call, task, performance, leaf)
        except (PolicyFault, ValueError) as fault:
            return performance.observation("policy_error", f"error: {fault}")
        except (TimeoutError, CallTimeout) as fault:
            reason = str(fault) or f"no reply within the {deadline_seconds:.3g} s that were left"
            return performance.observation("timeout", f"{call.expert}@{call.skill}: {reason}")
        except (InfrastructureFault, NotRecorded) as fault:
            return performance.observation("expert_error", f"{call.expert}@{call.skill}: {fault}")
        settings = skill.observation or self.registry.settings.observation
        text = observed(result, settings, performance.lost)
        value = None if result.value is None else clipped(result.value, settings)
        return performance.observation("ok", text, value=value, gives=result.gives, confidence=result.confidence)

    async def _run(self, call: Call, task: Task, performance: Performance, leaf_id: str | None) -> tuple[Skill, SkillResult]:
        """The skill that did the work in the end, and what it found."""
        expert, skill = self._allowed(call)
        images, query = self._focus(skill, call.query, task)
        request = SkillRequest(question=task.question, query=query, images=images, choices=task.choices)
        caller = performance.caller(expert, skill)
        if skill.needs_image and not request.images:
            raise PolicyFault(_BLIND.format(skill.id))
        leaf = self._child(skill, leaf_id) if leaf_id else await self._leaf(skill, request, caller)
        if leaf.experts and expert not in leaf.experts:
            raise PolicyFault(f"{expert} cannot do {leaf.id}; {', '.join(leaf.experts)} can")
        if leaf.needs_image and not request.images:
            raise PolicyFault(_BLIND.format(skill.id))
        caller = performance.caller(expert, leaf)
        if leaf.target is None:
            return leaf, await run_prompted(leaf, request, caller)
        return leaf, await run_coded(leaf, self._procedure(leaf), request, caller)

    def _allowed(self, call: Call) -> tuple[str, Skill]:
        """Expert id and skill of an allowed call, given by id or alias. Raises PolicyFault naming what exists."""
        skill_id = self.menu.skill_id(call.skill)
        skill = next((known for known in self.menu.skills if known.id == skill_id), None)
        if skill is None:
            raise PolicyFault(f"no skill {call.skill!r}; there are {', '.join(known.id for known in self.menu.skills)}")
        expert = self.menu.expert_id(call.expert)
        if expert is None:
            raise PolicyFault(f"no expert {call.expert!r}; for {skill.id} there are {', '.join(skill.experts)}")
        if not self.menu.allows(expert, skill.id):
            raise PolicyFault(f"{expert} is not offered for {skill.id}; {', '.join(skill.experts)} are")
        return expert, skill

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
                    self._indexes[skill.id] = (PooledRetrieval if skill.similarity == "pooled" else Retrieval)(children)
                return self._indexes[skill.id].choose(request.text)
            case "keywords":
                fallback = next((child for child in children if child.id == skill.fallback), None)
                return by_keywords(children, request.text, len(request.images), fallback)
            case "expert":
                return await by_expert(children, request.text, caller.ask)
            case _:
                return skill

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
