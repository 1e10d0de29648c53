"""From the words of the command line to tasks and async work."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from maestro.cli.output import progress, warnings_told
from maestro.errors import MaestroError, TaskError, not_found
from maestro.images import ImageStore
from maestro.tasks.opening import task_source
from maestro.tasks.source import CountedSource, MeasuredSource, TaskSource, WholeSource
from maestro.types import Task

Result = TypeVar("Result")


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; of several errors at once the one that a user can act on is raised."""
    found: list[Result] = []

    async def keep() -> None:
        # Not as the task's own result: `asyncio.run` writes its finished task out as text while it restores the signal handler, and the
        # text of thousands of episodes takes as long as running them.
        found.append(await work)

    try:
        asyncio.run(keep())
    except ExceptionGroup as group:
        first = next(_errors(group), None)
        if first is None:
            raise
        raise first from group
    return found[0]


def _errors(group: ExceptionGroup[Exception]) -> Iterator[MaestroError]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _errors(error)
        elif isinstance(error, MaestroError):
            yield error


def load_tasks(source: TaskSource, split: str, limit: int | None, images: ImageStore) -> list[Task]:
    """Tasks of one split. Raises TaskError when there is no such split or nothing in it."""
    if split not in source.splits:
        raise TaskError(f"{source.name}: " + not_found("split", split, source.splits, f"See them with: maestro tasks show {source.name}"))
    with warnings_told():
        if isinstance(source, CountedSource):
            with progress(f"reading {source.name}", source.count(split, limit)) as done:
                tasks = source.load(split, limit, images, done)
        else:
            tasks = source.load(split, limit, images)
    if not tasks:
        raise TaskError(f"{source.name}/{split} has no tasks.")
    return tasks


def one_split(source: TaskSource, asked: str | None, usual: str) -> str:
    """The split that was asked for, else the one that is measured, all of a source whose splits overlap, the usual or the only one.

    Raises TaskError when that leaves it open.
    """
    if asked is not None:
        return asked
    if isinstance(source, MeasuredSource):
        return source.measured
    if isinstance(source, WholeSource):
        return source.whole
    if usual in source.splits:
        return usual
    if len(source.splits) == 1:
        return source.splits[0]
    raise TaskError(f"{source.name} has no split {usual!r}; name one of {', '.join(source.splits)} with --split.")


def several_splits(source: TaskSource, asked: Sequence[str], usual: Sequence[str]) -> tuple[str, ...]:
    """The splits that were asked for, else the usual ones where all of them are there, else every one; none of them twice.

    Of a benchmark the split that is measured; of a source whose splits overlap those of the usual ones that are there, else the whole.
    """
    if not asked and isinstance(source, MeasuredSource):
        return (source.measured,)
    if not asked and isinstance(source, WholeSource):
        return tuple(name for name in usual if name in source.splits) or (source.whole,)
    return tuple(asked) or (tuple(usual) if set(usual) <= set(source.splits) else source.splits)


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


__all__ = ["direct_categories", "load_tasks", "one_split", "run_async", "several_splits", "task_source"]
