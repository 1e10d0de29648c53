"""What every stage works with: policy, episodes, run folder, and the ways to log, validate and save."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from maestro.errors import CheckpointError
from maestro.rollout.engine import Job
from maestro.train.alarms.watch import Alarm, Alarms
from maestro.train.config.run import TrainConfig
from maestro.train.episodes.metrics import standing, summarise
from maestro.train.episodes.oracle import Oracle
from maestro.train.episodes.sampling import Sampler
from maestro.train.folder.checkpoint import Position
from maestro.train.folder.layout import RunFolder
from maestro.train.learner import Learner
from maestro.train.processes.start import Processes
from maestro.train.progress import Progress
from maestro.train.rows import RowWriter
from maestro.train.warm_start.synthetic import Scene
from maestro.train.warm_start.traces import TraceWriter
from maestro.types import Episode, Task


@dataclass
class Workbench:
    """One run's tools. Stages hold no other state than `position`, their optimiser and the model."""

    config: TrainConfig
    sampler: Sampler
    folder: RunFolder
    train: Sequence[Task]
    validation: Sequence[Task]
    scenes: Sequence[Scene]
    """Of the warm split, for traces."""
    wordings: Sequence[Scene]
    """Questions without pictures, for drills."""
    held_out: Sequence[Scene]
    """Of the warm split, for probes; no trace is written over them."""
    progress: Progress
    position: Position
    start: Path
    """Folder of the policy that the run began with."""
    describe: Callable[[Path, str], None] = field(default=lambda _folder, _name: None)
    """Writes registry.lock and the model card into a checkpoint, given its folder and name."""
    started: float = field(default_factory=time.monotonic)
    learner: Learner | None = None
    """How the policy is saved when it has adapters or a dialect to tell of; None: as `LocalPolicy.save` does."""
    processes: Processes = field(default_factory=Processes)
    """This process among those that train together."""

    def __post_init__(self) -> None:
        self.rows = RowWriter(self.policy, self.sampler.ensemble.menu, self.sampler.cost_weight)
        self.oracle = Oracle.of(self.sampler.ensemble, self.config.reward)
        self.alarms = self._alarms()
        if self.position.alarms:
            self.alarms.restore(self.position.alarms)

    def _alarms(self) -> Alarms:
        menu = self.sampler.ensemble.menu
        return Alarms(self.config.alarms, experts=len(menu.experts), skills=len(menu.skills))

    @property
    def policy(self) -> Any:
        """The policy that is trained."""
        return self.sampler.policy

    def writer(self, seed: int) -> TraceWriter:
        """Writes traces over the run's scenes and drills over its wordings."""
        return TraceWriter(
            self.scenes,
            self.sampler.ensemble.menu,
            self.policy.dialect,
            seed,
            wordings=self.wordings,
            turns=self.config.limits.turns,
        )

    def log(self, kind: str, step: int, numbers: Mapping[str, Any]) -> None:
        """One record to metrics.jsonl and to whoever watches."""
        record = {"kind": kind, "stage": self.position.stage, "name": self.config.stages[self.position.stage].kind, "step": step, **numbers}
        self.folder.metrics.append({**record, "seconds": round(time.monotonic() - self.started, 3)})
        self.progress.step(record)

    def check(self, step: int, numbers: Mapping[str, Any], *, rounds: bool = False) -> bool:
        """Sound alarms; True when the run shall end. `rounds`: the numbers are those of a whole round."""
        alarms = self.alarms.check(step, numbers, rounds=rounds)
        for alarm in alarms:
            self._sound(alarm)
        ending = [alarm.name for alarm in alarms if alarm.name == "nan" or (alarm.fatal and self.config.alarms.stop)]
        if ending:
            self.position.stopped = ending[0]
        # Agreed upon: a process that went on alone would wait for the others for ever.
        return self.processes.any(bool(ending))

    def _sound(self, alarm: Alarm) -> None:
        self.log("alarm", alarm.step, alarm.record())
        self.progress.alarm(alarm)

    def look(self, step: int) -> None:
        """Validate greedily and, if wished, at temperature 1; keep the policy when its greedy look is the best so far."""
        if not self.validation:
            return
        numbers = {"greedy": self.evaluate(greedy=True)}
        if self.config.validation.sampled:
            numbers["sampled"] = self.evaluate(greedy=False)
        self.log("validation", step, numbers)
        at = self.position
        reached = standing(numbers["greedy"], self.config.alarms.grammar_floor)
        if reached is not None and (at.best is None or reached > (at.best_wellformed, at.best)):
            at.best_wellformed, at.best = reached
            self._write(self.position.model_copy(update={"step": step}), lambda folder: self._save_policy(folder, "best"), "best")

    def evaluate(self, *, greedy: bool) -> dict[str, Any]:
        """Summary of one episode on every validation task; always the same draws, so that looks compare."""
        before = self.policy.sampling
        self.policy.sampling = replace(before, greedy=greedy, temperature=1.0, seed=self.config.seed)
        try:
            mine = self.sampler.episodes([Job(task) for task in self.processes.share(self.validation)])
            episodes = self.processes.collect(mine)
            gap = self.oracle.numbers(self.validation, episodes) if self.oracle is not None else {}
            return {**summarise(self.validation, episodes), **gap}
        finally:
            self.policy.sampling = before

    def save(self, trainer: Callable[[Path], None] | None) -> None:
        """A checkpoint of model, optimiser (written by `trainer`) and position."""
        position = self.position
        position.config = self.config.digest
        self.folder.to_disk()
        position.metrics_bytes, position.episodes_bytes = self.folder.metrics.size, self.folder.episodes.size
        position.alarms = self.alarms.state()

        def write(folder: Path) -> None:
            self._save_policy(folder, f"stage {position.stage + 1}, step {position.step}")
            if trainer is not None:
                trainer(folder / "trainer.pt")

        self._write(position.model_copy(deep=True), write)

    def _save_policy(self, folder: Path, name: str) -> None:
        """The policy as others read it: Hugging Face layout, with the registry it was trained on and its model card."""
        (self.learner or self.policy).save(folder)
        self.describe(folder, name)

    def _write(self, position: Position, write: Callable[[Path], None], name: str | None = None) -> None:
        """A checkpoint, written by the first process; the others wait until it is whole. Raises CheckpointError, as on a full disk."""
        if self.processes.main:
            try:
                self.folder.checkpoints.save(position, write, name=name)
            except (OSError, SafetensorError, RuntimeError) as error:  # what the system says of a file, and theirs for it
                raise CheckpointError(
                    f"cannot write a checkpoint into {self.folder.checkpoints.folder}: {error}. Those that are there are whole: make room, "
                    f"then take the run up with: maestro train --resume {shlex.quote(str(self.folder.path))}"
                ) from error
        self.processes.wait()

    def record(self, episodes: Sequence[Episode]) -> None:
        """Append episodes to episodes.jsonl."""
        for episode in episodes:
            self.folder.log_episode(episode)

    def next_stage(self) -> None:
        """Stand at the beginning of the next stage; the best validation so far stays known."""
        self.position = Position(stage=self.position.stage + 1, best=self.position.best, best_wellformed=self.position.best_wellformed)
        self.alarms = self._alarms()

    @property
    def resumed(self) -> Path | None:
        """Trainer state to take up, when the run stands inside the current stage."""
        latest = self.folder.checkpoints.latest() if self.position.step else None
        return latest.trainer if latest is not None else None
