"""Run a policy over tasks and keep every episode; what is done is never run twice, and errors count 0 and are listed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from maestro.errors import MaestroError
from maestro.evaluate.folder import EvaluationFolder
from maestro.evaluate.results import Result, Summary, measure, summarise
from maestro.policy.protocol import Policy
from maestro.reward import RewardRule
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.episode import Performs
from maestro.rollout.limits import Limits
from maestro.scoring import score_off_loop
from maestro.types import Episode, Task


@dataclass(frozen=True)
class Evaluation:
    """A policy's episodes on some tasks, and what they came to."""

    name: str
    results: tuple[Result, ...]
    """By task, then sample, whatever the order in which the episodes ended."""
    episodes: tuple[Episode, ...]
    """In the order of `results`, without token rows."""

    def __repr__(self) -> str:
        """Short: `asyncio.run` writes its result out once on the way (CPython looks the SIGINT handler up as an enum)."""
        return f"Evaluation({self.name!r}, {len(self.results)} results)"

    def summary(self) -> Summary:
        """The numbers with intervals."""
        return summarise(self.name, self.results)


async def evaluate(
    policy: Policy,
    tasks: Sequence[Task],
    ensemble: Performs,
    limits: Limits | None = None,
    rule: RewardRule | None = None,
    *,
    samples: int = 1,
    concurrency: int = 32,
    told_cost_weight: float | None = None,
    folder: EvaluationFolder | None = None,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Run `samples` episodes on every task and measure them; `progress(n)` hears how many are done.

    `told_cost_weight` is what the policy reads in its prompt; None, as for policies that were trained without being told, leaves it out.
    With a folder, episodes it holds already are taken from there and new ones are appended as they end; the caller then finishes it.
    """
    rule = rule or RewardRule()
    jobs = [Job(task, sample) for task in tasks for sample in range(samples)]
    wanted = {(job.task.id, job.sample): job.task for job in jobs}
    known = folder.done() if folder is not None else {}
    measured = await _measured({key: episode for key, episode in known.items() if key in wanted}, wanted, rule)
    todo = [job for job in jobs if (job.task.id, job.sample) not in measured]

    async def keep(index: int, episode: Episode) -> None:
        task = todo[index].task
        scored = await score_off_loop(task, episode.answer)
        whole = rule.scored(task, episode.model_copy(update={"tokens": None}), scored.score)
        measured[task.id, episode.sample] = (whole, measure(task, whole, rule, scored))
        if folder is not None:
            folder.append(whole)
        if progress is not None:
            progress(len(measured))

    try:
        await run_episodes(todo, policy, ensemble, limits, concurrency=concurrency, cost_weight=told_cost_weight, done=keep)
    except ExceptionGroup as group:
        raise first_error(group) from group
    kept = [measured[job.task.id, job.sample] for job in jobs]
    return Evaluation(policy.name, tuple(result for _, result in kept), tuple(episode for episode, _ in kept))


async def _measured(
    known: Mapping[tuple[str, int], Episode], wanted: Mapping[tuple[str, int], Task], rule: RewardRule
) -> dict[tuple[str, int], tuple[Episode, Result]]:
    """Finished episodes with what they came to; scored anew, so that a run that was resumed is scored by one version of the rules."""
    scores = await asyncio.gather(*(score_off_loop(wanted[key], episode.answer) for key, episode in known.items()))
    return {
        key: (episode, measure(wanted[key], episode, rule, scored)) for (key, episode), scored in zip(known.items(), scores, strict=True)
    }


def first_error(group: ExceptionGroup[Exception]) -> Exception:
    """The error a user can act on inside a group, else the group's first."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if isinstance(leaf, MaestroError)), leaves[0])


def _leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, ExceptionGroup) else [error]
    return found


__all__ = ["Evaluation", "EvaluationFolder", "evaluate", "first_error"]
