"""From the words of the command line to tasks and async work."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from maestro.errors import MaestroError, TaskError, not_found
from maestro.images import ImageStore
from maestro.registry.plugins import registered
from maestro.tasks.source import TaskSource
from maestro.types import Task

Result = TypeVar("Result")


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
