"""What a run on verl has done so far, in the records that every other run has: steps, looks, alarms.

verl logs its own numbers, and its Ray processes write down their episodes; both are read here from the run folder as they grow.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from maestro.registry.registry import Registry
from maestro.rollout.systems import offered_menu
from maestro.rollout.tables import read_tables
from maestro.tasks.opening import task_source
from maestro.train.alarms.watch import Alarm, Alarms
from maestro.train.config.run import TrainConfig
from maestro.train.episodes.metrics import standing, summarise
from maestro.train.episodes.oracle import Oracle
from maestro.train.episodes.resampling import WAVE, Drawn
from maestro.train.episodes.signal import penalised
from maestro.train.episodes.step_numbers import step_numbers
from maestro.train.folder.layout import Journal
from maestro.train.progress import Progress
from maestro.train.verl.overrides import only_stage
from maestro.train.verl.rows import read_tasks
from maestro.train.verl.worker import STAGE
from maestro.types import Episode, Tokens

FROM_VERL = {
    "actor/loss": "loss",
    "actor/grad_norm": "grad_norm",
    "actor/lr": "lr",
    "actor/entropy": "token_entropy",
    "actor/kl_loss": "kl",
    "actor/pg_clipfrac": "clipped",
    "rollout_corr/log_ppl_abs_diff": "drift",
    "timing_s/step": "step_seconds",
}
"""Numbers of verl's log, and how they are called in metrics.jsonl. `drift` is a mean over rows, not over their tokens."""


class Chronicle:
    """Tells the steps of a run, each once, into its metrics.jsonl, which is written anew from its beginning."""

    def __init__(self, config: TrainConfig, run: Path, log: Path) -> None:
        """`log` is the file that verl logs to now; older ones count up to the checkpoint that it began with."""
        self.config = config
        self.run = run
        self.log = log
        source = task_source(config.tasks.source)
        self.menu = offered_menu(Registry.load(config.ensemble.registry), source)
        store = config.ensemble.store
        self.oracle = Oracle(read_tables(store, self.menu), config.reward) if store is not None and store.is_dir() else None
        self.alarms = Alarms(config.alarms, experts=len(self.menu.experts), skills=len(self.menu.skills))
        self.stopped: str | None = None
        """Name of the alarm that ends the run."""
        self._tasks = {task.id: task for name in ("train", "validation") for task in read_tasks(run, name)}
        self._begun = latest_step(run)
        self._journal = Journal(run / "metrics.jsonl")
        self._journal.cut(0)
        self._told: set[int] = set()
        self._read: dict[Path, int] = {}
        self._met: dict[tuple[int, bool], dict[tuple[str, int], dict[str, Any]]] = defaultdict(dict)

    def tell(self, progress: Progress) -> None:
        """Record whatever verl has logged since the last time."""
        logged = {step: numbers for step, numbers in self._logged().items() if step not in self._told}
        if not logged:
            return
        self._read_episodes()
        for step, numbers in sorted(logged.items()):
            self._told.add(step)
            if self._met.get((step, True)):
                self._step(step, numbers, progress)
            if any(name.startswith("val-") for name in numbers):
                self._look(step, progress)

    def close(self) -> None:
        """Close metrics.jsonl."""
        self._journal.close()

    def _logged(self) -> dict[int, dict[str, Any]]:
        """Numbers of verl's by step. What an earlier start logged behind the checkpoint that the next one began with has happened again."""
        found: dict[int, dict[str, Any]] = defaultdict(dict)
        for path in sorted(self.run.glob("verl-*.jsonl")):
            for line in _lines(path, 0)[0]:
                if path == self.log or line["step"] <= self._begun:
                    found[line["step"]] |= line["data"]
        return found

    def _read_episodes(self) -> None:
        """Take in what the Ray processes have written since the last time; of the same draw the latest counts."""
        for path in (self.run / "episodes").glob("*.jsonl"):
            lines, self._read[path] = _lines(path, self._read.get(path, 0))
            for line in lines:
                draws = self._met[line["step"], line["training"]]
                key = (line["task_id"], line["sample"])
                if key not in draws or draws[key]["written"] < line["written"]:
                    draws[key] = line

    def _step(self, step: int, numbers: Mapping[str, Any], progress: Progress) -> None:
        """The record of a step, and the alarms that it sounds."""
        signal = only_stage(self.config).signal
        drawn = self._drawn(self._met.pop((step, True)))
        found = step_numbers(self.config, self.menu, self.oracle, drawn, (STAGE, step), signal)
        # verl writes down as null what is not a number.
        theirs = {ours: math.nan if numbers[name] is None else float(numbers[name]) for name, ours in FROM_VERL.items() if name in numbers}
        if not found["signal"][
            "trained"
        ]:  # verl averages over no tokens at all, and skips its update: no number, and no fault of the policy
            theirs = {name: value for name, value in theirs.items() if math.isfinite(value)}
        self._record("step", step, {**found, **theirs}, progress)
        for alarm in self.alarms.check(step, {**found, **theirs}):
            self._sound(alarm, progress)

    def _look(self, step: int, progress: Progress) -> None:
        """The record of a look at the validation split, which verl samples greedily."""
        draws = [_episode(line) for line in self._met.pop((step, False), {}).values()]
        tasks = [self._tasks[episode.task_id] for episode in draws]
        gap = self.oracle.numbers(tasks, draws) if self.oracle is not None else {}
        self._record("validation", step, {"greedy": {**summarise(tasks, draws), **gap}}, progress)

    def _sound(self, alarm: Alarm, progress: Progress) -> None:
        self._record("alarm", alarm.step, alarm.record(), None)
        progress.alarm(alarm)
        if alarm.name == "nan" or (alarm.fatal and self.config.alarms.stop):
            self.stopped = self.stopped or alarm.name

    def _record(self, kind: str, step: int, numbers: Mapping[str, Any], progress: Progress | None) -> None:
        record = {"kind": kind, "stage": STAGE, "name": "grpo", "step": step, **numbers}
        self._journal.append(record)
        if progress is not None:
            progress.step(record)

    def _drawn(self, draws: Mapping[tuple[str, int], dict[str, Any]]) -> Drawn:
        """Groups of a step: of each member's draws the last is the one that counts."""
        signal = only_stage(self.config).signal
        groups: dict[str, list[list[Episode]]] = defaultdict(list)
        for name, sample in sorted(key for key in draws if key[1] < WAVE):
            tries = [draws[key] for key in sorted(draws) if key[0] == name and key[1] % WAVE == sample]
            # What is older than the first draw was drawn before a resume, which began the member anew.
            fresh = [line for line in tries if line["written"] >= tries[0]["written"]]
            groups[name].append([penalised(_episode(line), signal) for line in fresh])
        drawn = Drawn([self._tasks[name] for name in groups], [[tries[-1] for tries in group] for group in groups.values()])
        drawn.replaced = [lost for group in groups.values() for tries in group for lost in tries[:-1]]
        drawn.counts["drawn again"] = len(drawn.replaced)
        return drawn


def latest_step(run: Path) -> int:
    """The step of the newest whole checkpoint, 0 without one."""
    path = run / "checkpoints" / "latest_checkpointed_iteration.txt"
    return int(path.read_text()) if path.is_file() else 0


def _episode(line: Mapping[str, Any]) -> Episode:
    """An episode as it was written down, with as much of its row as a summary needs: what the policy sampled."""
    plain = {name: value for name, value in line.items() if name in Episode.model_fields}
    episode = Episode.model_validate(plain)
    ids = tuple(number for turn in episode.turns for number in turn.decision.token_ids)
    logprobs = tuple(value for turn in episode.turns for value in turn.decision.logprobs)
    row = Tokens(completion_ids=ids, mask=(1,) * len(ids), logprobs=logprobs, untrainable=line["untrainable"])
    return episode.model_copy(update={"tokens": row})


def _lines(path: Path, start: int) -> tuple[list[dict[str, Any]], int]:
    """Whole lines from a place in the file on, and the place behind them; one that is still being written waits."""
    with path.open("rb") as file:
        file.seek(start)
        whole, _, _ = file.read().rpartition(b"\n")
    return [orjson.loads(line) for line in whole.splitlines()], start + len(whole) + bool(whole)


def looks(run: Path, floor: float) -> Iterator[tuple[int, tuple[bool, float]]]:
    """(step, `standing`) of every look at the validation split so far."""
    for record in _lines(run / "metrics.jsonl", 0)[0]:
        reached = standing(record["greedy"], floor) if record["kind"] == "validation" else None
        if reached is not None:
            yield record["step"], reached
