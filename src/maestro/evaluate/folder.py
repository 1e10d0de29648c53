"""An evaluation on disk: what was asked for, every episode as it ends, and when all are there the numbers.

    config.yaml, config.sha256   what is run; a run is resumed only under the same
    episodes.jsonl               every episode, appended as it ends; in the order of the tasks once the run is finished
    samples.jsonl                one `Result` an episode, in that order
    summary.json                 the numbers

A process may be killed at any moment: a line that was cut short is dropped, and everything else is written whole beside the old file and
put in its place. So a run that was killed and resumed ends with the files of one that was not, but for the times in them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml
from pydantic import TypeAdapter, ValidationError

from maestro.errors import CheckpointError
from maestro.evaluate.results import Result
from maestro.rollout.record import EpisodeLog, read_episodes, write_episodes, write_lines
from maestro.types import Episode, StopReason

EPISODES, SAMPLES, SUMMARY = "episodes.jsonl", "samples.jsonl", "summary.json"
_RESULT = TypeAdapter(Result)
_NUMBERS = ("score", "cost_usd", "utility", "seconds", "deciding_seconds")


class EvaluationFolder:
    """The folder of one run, open for writing by one process at a time.

    Raises CheckpointError when the folder holds a run and `resume` is off, holds another config than the one resumed, or another process
    is at it.
    """

    def __init__(self, path: Path, config: Mapping[str, Any], *, resume: bool = False) -> None:
        self.path = path
        plain = orjson.loads(orjson.dumps(dict(config), option=orjson.OPT_SORT_KEYS))
        self.digest = hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()
        stored = path / "config.yaml"
        if stored.exists() and not resume:
            raise CheckpointError(f"{path} already holds a run. Give another folder with --out, or continue it with --resume {path}.")
        if resume:
            _check_same(stored, plain, self.digest)
        path.mkdir(parents=True, exist_ok=True)
        self._log = EpisodeLog(path / EPISODES, alone=True)
        if not resume:  # the digest first: a folder with a config.yaml has both
            _write(path / "config.sha256", self.digest + "\n")
            _write(stored, yaml.safe_dump(plain, sort_keys=False, allow_unicode=True))

    def done(self) -> dict[tuple[str, int], Episode]:
        """Finished episodes by (task id, sample). Those that infrastructure broke are not among them: they are run again."""
        found = {(episode.task_id, episode.sample): episode for episode in read_episodes(self._log.path)}
        return {key: episode for key, episode in found.items() if episode.stop is not StopReason.INFRASTRUCTURE}

    def append(self, episode: Episode) -> None:
        """Keep a finished episode."""
        self._log.append(episode)

    def finish(self, summary: Mapping[str, Any], episodes: tuple[Episode, ...] = (), results: tuple[Result, ...] = ()) -> None:
        """Put the episodes in order, write the samples and the summary, and close; without episodes only the summary is written."""
        if episodes:
            write_episodes(self.path / EPISODES, episodes)
            write_lines(self.path / SAMPLES, results)
        text = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
        _write(self.path / SUMMARY, text.decode())
        self.close()

    def close(self) -> None:
        """Let go of the folder; it can be resumed."""
        self._log.close()


def read_results(folder: Path) -> list[Result]:
    """The samples of a finished run. Raises CheckpointError when there is none, it is not finished, or a line is damaged."""
    path = folder / SAMPLES
    if not path.is_file():
        if (folder / EPISODES).is_file():
            raise CheckpointError(f"the run in {folder} is not finished; go on with: maestro eval --resume {folder}")
        raise CheckpointError(f"{folder} holds no evaluation (no {SAMPLES}); make one with: maestro eval --out {folder}")
    found: list[Result] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            result = _RESULT.validate_json(line)
        except ValidationError as error:
            raise CheckpointError(f"{path}:{number}: not a sample record: {error}") from error
        if lacking := [name for name in _NUMBERS if not math.isfinite(getattr(result, name))]:
            raise CheckpointError(f"{path}:{number}: not a sample record: {', '.join(lacking)} is no finite number")
        found.append(result)
    if not found:
        raise CheckpointError(f"{path} has no samples; run the evaluation again into another folder.")
    return found


def read_config(folder: Path) -> dict[str, Any]:
    """What a run was asked to do. Raises CheckpointError when the folder holds none."""
    path = folder / "config.yaml"
    if not path.is_file():
        raise CheckpointError(f"{folder} holds no evaluation (no config.yaml); make one with: maestro eval --out {folder}")
    try:
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    return found


def read_registries(folder: Path) -> tuple[str, ...]:
    """The registries, by name and digest, that the episodes of a finished run were made with; none where its summary does not say.

    Raises CheckpointError for a summary that cannot be read.
    """
    path = folder / "summary.json"
    try:
        found = orjson.loads(path.read_bytes()) if path.is_file() else {}
    except orjson.JSONDecodeError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    return tuple(sorted(found.get("registries") or {}))


def _write(path: Path, text: str) -> None:
    """Write a file at once."""
    partial = path.with_name(f"{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _check_same(stored: Path, config: Mapping[str, Any], digest: str) -> None:
    if not stored.exists():
        raise CheckpointError(f"{stored.parent} holds no run to resume (no config.yaml).")
    if (stored.parent / "config.sha256").read_text().strip() == digest:
        return
    old = yaml.safe_load(stored.read_text())
    names = sorted({*old, *config})
    lines = [f"  {name}: {old.get(name)!r} -> {config.get(name)!r}" for name in names if old.get(name) != config.get(name)]
    raise CheckpointError("a run is resumed only under an identical config; these settings differ:\n" + "\n".join(lines))
