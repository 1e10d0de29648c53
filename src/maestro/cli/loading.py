"""From the words of the command line to tasks, policies and async work."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from maestro.errors import CheckpointError, ConfigError, MaestroError, TaskError, not_found
from maestro.images import ImageStore
from maestro.policy.protocol import Policy
from maestro.registry.menu import Menu
from maestro.registry.plugins import registered
from maestro.tasks.source import TaskSource
from maestro.types import Task

Result = TypeVar("Result")
DEFAULT_POLICY = "maestro-mini"
DEFAULT_REGISTRY = "playground"
CHECKPOINT_CARD = "config.json"
"""A folder with this is a Transformers checkpoint."""
FEATURES_CARD = "features.json"
"""A folder with this is a feature policy."""
FEATURES_TEMPERATURE = 0.05
"""Of a feature policy that is sampled rather than greedy, in units of utility."""
BASELINES = ("random", "fixed:EXPERT@SKILL[>EXPERT@SKILL...]")
"""Policies that need neither checkpoint nor record."""


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; of several errors at once the one that a user can act on is raised."""
    try:
        return asyncio.run(work)
    except ExceptionGroup as group:
        first = next(_errors(group), None)
        if first is None:
            raise
        raise first from group


def _errors(group: ExceptionGroup[Exception]) -> Iterator[MaestroError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _errors(error)
        elif isinstance(error, MaestroError):
            yield error


def task_source(name: str) -> TaskSource:
    """The registered task source of this name. Raises RegistryError naming what exists."""
    source: TaskSource = registered().task_source(name)
    return source


def load_tasks(source: TaskSource, split: str, limit: int | None, images: ImageStore) -> list[Task]:
    """Tasks of one split. Raises TaskError when there is no such split or nothing in it."""
    if split not in source.splits:
        raise TaskError(not_found("split", split, source.splits, f"See them with: maestro tasks show {source.name}"))
    if not (tasks := source.load(split, limit, images)):
        raise TaskError(f"{source.name}/{split} has no tasks.")
    return tasks


class _HasPlan(Protocol):
    plan: Sequence[str]


@runtime_checkable
class _KnowsPlans(Protocol):
    """A task source that says which skills its families call for."""

    def families(self, split: str) -> dict[str, _HasPlan]: ...


def direct_categories(source: TaskSource) -> frozenset[str]:
    """Categories whose questions call for no skill; empty for a source that does not say."""
    if not isinstance(source, _KnowsPlans):
        return frozenset()
    return frozenset(name for split in source.splits for name, family in source.families(split).items() if not family.plan)


def load_policy(name: str, menu: Menu, images: ImageStore, *, greedy: bool = True, seed: int = 0) -> Policy:
    """A policy by registered name, checkpoint or run folder, or as a baseline (`random`, `fixed:ROUTE`).

    Raises ConfigError, CheckpointError or RegistryError saying what exists.
    """
    from maestro.policy.baselines import FixedPolicy, RandomPolicy, read_route
    from maestro.policy.dialect_maestro import MaestroDialect

    if name == "random":
        return RandomPolicy(MaestroDialect(), seed)
    if name.startswith("fixed:"):
        return FixedPolicy(read_route(name.removeprefix("fixed:"), menu), MaestroDialect())
    if name in registered().policies:
        made: Policy | Path = registered().policy(name)
        return _checkpoint(made, images, greedy=greedy, seed=seed, name=name) if isinstance(made, Path) else made
    folder = Path(name).expanduser()
    for place in (folder / "policy", folder):
        if any((place / card).is_file() for card in (CHECKPOINT_CARD, FEATURES_CARD)):
            return _checkpoint(place, images, greedy=greedy, seed=seed, name=folder.name)
    if folder.is_dir():
        raise CheckpointError(f"the folder {folder} holds no policy (no {CHECKPOINT_CARD} or {FEATURES_CARD}, there or in policy/).")
    existing = sorted(registered().policies)
    step = f"A checkpoint folder works too, and so do the baselines {', '.join(BASELINES)}."
    raise ConfigError(registered().missing("policy", name, existing, step))


def _checkpoint(folder: Path, images: ImageStore, *, greedy: bool, seed: int, name: str) -> Policy:
    """A policy in this process. Raises MissingDependency when torch and transformers are not installed."""
    from maestro.errors import MissingDependency

    if (folder / FEATURES_CARD).is_file():
        from maestro.policy.features.policy import FeaturePolicy

        return FeaturePolicy.load(folder, images, temperature=0.0 if greedy else FEATURES_TEMPERATURE, seed=seed)
    try:
        from maestro.policy.local import LocalPolicy, Sampling
    except ModuleNotFoundError as error:
        message = f"the policy in {folder} needs {error.name}; install it with: pip install 'maestro-orchestrator[train]'"
        raise MissingDependency(message) from error
    policy: Any = LocalPolicy.load(folder, images, Sampling(greedy=greedy, seed=seed), name=name)
    loaded: Policy = policy
    return loaded
