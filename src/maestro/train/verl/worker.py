"""What the episodes of one Ray worker share: config, experts, pictures, the journal of episodes."""

from __future__ import annotations

import copy
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from maestro.config import load_config
from maestro.rollout.episode import run_episode
from maestro.train.config.run import GrpoStage, TrainConfig
from maestro.train.episodes.encounters import Encounter, encounter, told
from maestro.train.episodes.memo import RememberingEnsemble
from maestro.train.episodes.metrics import broken
from maestro.train.episodes.outages import experts_out, under_outages
from maestro.train.episodes.resampling import WAVE
from maestro.train.episodes.signal import judged, penalised
from maestro.train.folder.layout import Journal
from maestro.train.materials import load_ensemble
from maestro.train.verl.engine_policy import EnginePolicy
from maestro.train.verl.outcome import Outcome, metrics_of, outcome
from maestro.train.verl.rows import pictures, read_row
from maestro.train.verl.speech import speaking
from maestro.types import Episode, Task

STAGE = 0
"""verl runs a single stage."""


@dataclass(frozen=True)
class Played:
    """An episode, ready for verl."""

    episode: Episode
    outcome: Outcome
    pictures: list[Any]
    """As the policy saw them."""
    seconds: Mapping[str, float]
    versions: tuple[int, int]
    """Oldest and newest weights that sampled it, as verl counts them: by steps."""


class Worker:
    """Plays episodes for one process; `of` makes one for a run folder and keeps it."""

    def __init__(self, run: Path) -> None:
        """Read the run's config and start its experts. Raises what `load_ensemble` raises."""
        self.config = load_config(TrainConfig, run / "config.yaml")
        self.stage = next(stage for stage in self.config.stages if isinstance(stage, GrpoStage))
        self.images = pictures(run)
        self.loaded = load_ensemble(self.config, self.images)
        self.ensemble = RememberingEnsemble(self.loaded.performs)
        (run / "episodes").mkdir(exist_ok=True)
        self.journal = Journal(run / "episodes" / f"{socket.gethostname()}-{os.getpid()}.jsonl")
        self._policy: EnginePolicy | None = None

    @classmethod
    @lru_cache(maxsize=1)
    def of(cls, run: str) -> Worker:
        """This process's worker for a run."""
        return cls(Path(run))

    async def play(self, server: Any, processor: Any, sampling: Mapping[str, Any], fields: Mapping[str, Any]) -> Played:
        """An episode on a row's task, drawn again while infrastructure breaks it, as often as `signal.redraws` says."""
        task, training = read_row(fields)
        step, member = int(fields.get("global_steps", 0)), int(fields.get("session_id", 0))
        met = encounter(self.config, self.ensemble.menu, STAGE, step, task) if training else Encounter(told(self.config))
        policy = self._speaking(server, processor, sampling)
        signal = self.stage.signal
        for draw in range(1 + (signal.redraws if training else 0)):
            sample = step * self.stage.members + member + draw * WAVE
            episode = penalised(await self._episode(task, policy, met, step if training else None, sample), signal)
            self._note(episode, step, training=training)
            if not broken(episode):
                break
        prompt = policy.encode_prompt(met.opening(task, self.ensemble.menu)) if episode.tokens is None else []
        shown = [policy.encoder.picture(name) for name in task.images]
        versions = policy.versions or {step - 1}  # nothing was sampled: what would have been, one step behind
        return Played(episode, outcome(episode, signal, prompt), shown, metrics_of(episode), (min(versions), max(versions)))

    async def _episode(self, task: Task, policy: EnginePolicy, met: Encounter, step: int | None, sample: int) -> Episode:
        """One scored episode; `step` None meets no outage."""
        config, plain = self.config, self.ensemble
        out = frozenset[str]()
        if step is not None:
            out = experts_out(config.ensemble.outages, [expert.id for expert in plain.menu.experts], config.seed, STAGE, step)
        ensemble = met.ensemble(under_outages(plain, config.ensemble.outages, out))
        episode = await run_episode(task, policy, ensemble, config.limits, sample=sample, cost_weight=met.cost_weight)
        return judged(await config.reward.at(met.cost_weight).scored_off_loop(task, episode))

    def _note(self, episode: Episode, step: int, *, training: bool) -> None:
        """Write an episode down, with what `maestro.train.verl.chronicle` needs to tell of it."""
        row = episode.tokens
        about = {"step": step, "training": training, "written": time.time(), "untrainable": row.untrainable if row is not None else None}
        self.journal.append({**about, **episode.model_dump(mode="json", exclude={"tokens"})})

    def _speaking(self, server: Any, processor: Any, sampling: Mapping[str, Any]) -> EnginePolicy:
        """The policy behind a server; what depends on the tokenizer alone is made once."""
        if self._policy is None:
            self._policy = speaking(self.config, processor, self.images, self.ensemble.menu)
        policy = copy.copy(self._policy)
        policy.server, policy.sampling, policy.versions = server, dict(sampling), set()
        return policy
