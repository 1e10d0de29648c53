"""Run a policy over tasks and keep every episode; what is done is never run twice, and errors count 0 and are listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import yaml

from maestro.errors import CheckpointError, MaestroError
from maestro.evaluate.results import Result, Summary, measure, summarise
from maestro.policy.protocol import Policy
from maestro.reward import RewardRule
from maestro.rollout.engine import Job, run_episodes
from maestro.rollout.episode import Performs
from maestro.rollout.limits import Limits
from maestro.rollout.record import EpisodeLog, read_episodes
from maestro.types import Episode, StopReason, Task


@dataclass(frozen=True)
class Evaluation:
    """A policy's episodes on some tasks, and what they came to."""

    name: str
    results: tuple[Result, ...]
    episodes: tuple[Episode, ...]
    """In the order of `results`, without token rows."""

    def summary(self) -> Summary:
        """The numbers with intervals."""
        return summarise(self.name, self.results)


class EvaluationFolder:
    """An evaluation on disk: `config.yaml` with its hash, `episodes.jsonl` and, when done, `summary.json`.

    Raises CheckpointError when the folder holds a run and `resume` is off, or holds another config than the one resumed.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = path
        plain = orjson.loads(orjson.dumps(dict(config), option=orjson.OPT_SORT_KEYS))
        self.digest = hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()
        stored = path / "config.yaml"
        if stored.exists() and not resume:
            raise CheckpointError(f"{path} already holds a run. Give another folder, or continue it with --resume {path}.")
        if resume:
            _check_same(stored, plain, self.digest)
        path.mkdir(parents=True, exist_ok=True)
        stored.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))
        (path / "config.sha256").write_text(self.digest + "\n")
        self._log = EpisodeLog(path / "episodes.jsonl")

    def done(self) -> dict[tuple[str, int], Episode]:
        """Finished episodes by (task id, sample). Those that infrastructure broke are not among them: they are run again."""
        found = {(episode.task_id, episode.sample): episode for episode in read_episodes(self._log.path)}
        return {key: episode for key, episode in found.items() if episode.stop is not StopReason.INFRASTRUCTURE}

    def append(self, episode: Episode) -> None:
        """Keep a finished episode."""
        self._log.append(episode)

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write `summary.json` and close the log."""
        (self.path / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))
        self._log.close()


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
    With a folder, episodes it holds already are taken from there and new ones are appended as they end.
    """
    rule = rule or RewardRule()
    known = folder.done() if folder is not None else {}
    jobs = [Job(task, sample) for task in tasks for sample in range(samples)]
    todo = [job for job in jobs if (job.task.id, job.sample) not in known]
    finished = len(jobs) - len(todo)
    fresh: dict[tuple[str, int], Episode] = {}

    def keep(index: int, episode: Episode) -> None:
        nonlocal finished
        scored = rule.scored(todo[index].task, episode.model_copy(update={"tokens": None}))
        fresh[episode.task_id, episode.sample] = scored
        if folder is not None:
            folder.append(scored)
        finished += 1
        if progress is not None:
            progress(finished)

    try:
        await run_episodes(todo, policy, ensemble, limits, concurrency=concurrency, cost_weight=told_cost_weight, done=keep)
    except ExceptionGroup as group:
        raise first_error(group) from group
    episodes = known | fresh
    kept = tuple(episodes[job.task.id, job.sample] for job in jobs)
    results = tuple(measure(job.task, episode, rule) for job, episode in zip(jobs, kept, strict=True))
    return Evaluation(policy.name, results, kept)


def first_error(group: ExceptionGroup[Exception]) -> Exception:
    """The error a user can act on inside a group, else the group's first."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if isinstance(leaf, MaestroError)), leaves[0])


def _leaves(group: ExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, ExceptionGroup) else [error]
    return found


def _check_same(stored: Path, config: Mapping[str, Any], digest: str) -> None:
    if not stored.exists():
        raise CheckpointError(f"{stored.parent} holds no run to resume (no config.yaml).")
    if (stored.parent / "config.sha256").read_text().strip() == digest:
        return
    old = yaml.safe_load(stored.read_text())
    names = sorted({*old, *config})
    lines = [f"  {name}: {old.get(name)!r} -> {config.get(name)!r}" for name in names if old.get(name) != config.get(name)]
    raise CheckpointError("a run is resumed only under an identical config; these settings differ:\n" + "\n".join(lines))
