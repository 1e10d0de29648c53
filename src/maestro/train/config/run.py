"""What a training run is: one schema, checked before anything heavy is loaded. An unknown key is an error."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from maestro.config import Config
from maestro.registry.located import located
from maestro.reward import RewardRule
from maestro.rollout.limits import Limits
from maestro.train.config.alarms import AlarmConfig
from maestro.train.config.compute import ComputeConfig
from maestro.train.config.dial import DialConfig
from maestro.train.config.lora import LoraConfig
from maestro.train.config.outages import OutageConfig
from maestro.train.config.signal import SignalConfig
from maestro.train.config.speech import SpeechConfig
from maestro.train.config.variation import VariationConfig
from maestro.train.config.verl import VerlConfig


class PolicyConfig(Config):
    """Where the policy comes from."""

    load: str | None = None
    """A checkpoint folder or a policy known to the plugins; None builds an untrained one."""
    sizes: dict[str, Any] = Field(default_factory=dict)
    """Sizes of the untrained policy, passed to `build_tiny`."""
    blank_images: bool = False
    """The policy sees grey pictures of the right size (the experts see the real ones): what training without eyes gives."""
    speech: SpeechConfig = SpeechConfig()
    lora: LoraConfig | None = None
    """Train low-rank adapters instead of all weights; what the run hands over has them merged in."""


class EnsembleConfig(Config):
    """The experts and skills that episodes run on."""

    registry: str = "playground"
    store: Path | None = None
    """Call store; with `replay` the run touches no expert."""
    mode: Literal["off", "cache", "record", "replay"] = "cache"
    outages: OutageConfig = OutageConfig()
    """Experts that are out while training goes on; without any, whom the failures of live experts are told to."""
    variation: VariationConfig = VariationConfig()
    """Registry randomisation."""


class TasksConfig(Config):
    """Which questions are trained on and which are looked at."""

    source: str = "playground"
    train: str = "train"
    validation: str = "val"
    warm: str = "warm"
    """Split of the supervised traces; only their seeds are used, so it is never short."""
    train_limit: int | None = Field(default=None, ge=1)
    validation_limit: int | None = Field(default=200, ge=1)
    warm_limit: int | None = Field(default=4000, ge=1)


class OptimizerConfig(Config):
    """AdamW with a linear warm-up and a cosine or constant rest."""

    lr: float = Field(default=1e-3, gt=0)
    final_lr: float = Field(default=0.0, ge=0)
    """Learning rate at the end of a cosine schedule."""
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = Field(default=20, ge=0)
    weight_decay: float = Field(default=0.01, ge=0)
    beta2: float = Field(default=0.98, gt=0, lt=1)
    clip_norm: float = Field(default=1.0, gt=0)


class WarmStartStage(Config):
    """Supervised traces: grammar, topic, look, exact copying."""

    kind: Literal["warm_start"] = "warm_start"
    steps: int = Field(default=2000, ge=1)
    batch: int = Field(default=32, ge=1)
    """Traces a step."""
    drills: int = Field(default=0, ge=0)
    """Traces without a picture a step, besides."""
    micro_batch: int = Field(default=16, ge=1)
    """Traces a forward pass; groups of similar length."""
    probe_every: int = Field(default=500, ge=1)
    """Steps between measurements of grammar, topic, look and copying."""
    probe_scenes: int = Field(default=96, ge=1)
    optimizer: OptimizerConfig = OptimizerConfig()


class ExpertIterationStage(Config):
    """Sample, keep what paid best per task, imitate, repeat."""

    kind: Literal["expert_iteration"] = "expert_iteration"
    rounds: int = Field(default=3, ge=1)
    tasks_per_round: int = Field(default=512, ge=1)
    members: int = Field(default=8, ge=2)
    """Episodes a task and round."""
    stratified: bool = True
    """Spread the first call over the allowed experts of the skills the policy finds plausible."""
    again: float = Field(default=0.0, ge=0, le=1)
    """Share of the later decisions in stratified episodes that are made to ask another expert."""
    keep: int = Field(default=2, ge=1)
    """Best distinct episodes kept a task."""
    redraws: int = Field(default=2, ge=0, le=16)
    """Further draws of an episode that infrastructure broke."""
    floor: float = 0.0
    """Episodes whose total reward is not above this are never imitated."""
    margin: float = Field(default=0.02, ge=0)
    """Kept episodes lie within this of the task's best reward."""
    epochs: int = Field(default=2, ge=1)
    """Passes over the kept episodes a round."""
    rehearsal: float = Field(default=0.25, ge=0, lt=1)
    """Share of warm-start traces in each batch, against forgetting how to copy. Their expert tokens carry no loss."""
    batch: int = Field(default=32, ge=1)
    micro_batch: int = Field(default=16, ge=1)
    optimizer: OptimizerConfig = OptimizerConfig(lr=5e-4, schedule="constant")


class GrpoStage(Config):
    """Group-relative policy gradients through TRL."""

    kind: Literal["grpo"] = "grpo"
    steps: int = Field(default=300, ge=1)
    prompts: int = Field(default=16, ge=1)
    """Tasks a step."""
    members: int = Field(default=8, ge=2)
    """Episodes a task."""
    micro_batch: int = Field(default=32, ge=1)
    """Episodes a forward pass; divides prompts x members."""
    stratified: float = Field(default=0.0, ge=0, le=1)
    """Share of members whose first call is spread over the allowed experts of the skill the policy names."""
    temperature: float = Field(default=1.0, gt=0)
    entropy: float = Field(default=0.0, ge=0)
    """Weight of the entropy bonus."""
    clip_low: float = Field(default=0.2, gt=0)
    clip_high: float = Field(default=0.28, gt=0)
    beta: float = Field(default=0.0, ge=0)
    """Weight of the KL divergence (k3 estimator, a token) from the policy that the stage began with; 0 loads no second model."""
    signal: SignalConfig = SignalConfig()
    """Which episodes teach."""
    loss: Literal["dapo", "grpo", "dr_grpo", "bnpo"] = "dapo"
    scale_rewards: Literal["group", "batch", "none"] = "group"
    iterations: int = Field(default=1, ge=1)
    """Optimiser passes over each batch of episodes."""
    optimizer: OptimizerConfig = OptimizerConfig(lr=4e-4, schedule="constant", weight_decay=0.0, beta2=0.99)

    @model_validator(mode="after")
    def _divides(self) -> GrpoStage:
        if (self.prompts * self.members) % self.micro_batch:
            raise ValueError(f"micro_batch {self.micro_batch} does not divide prompts x members = {self.prompts * self.members}")
        return self


Stage = Annotated[WarmStartStage | ExpertIterationStage | GrpoStage, Field(discriminator="kind")]


class ValidationConfig(Config):
    """Regular looks at the validation split."""

    every: int = Field(default=25, ge=1)
    """Optimiser steps in GRPO; in expert iteration every round is followed by one."""
    sampled: bool = True
    """Also at temperature 1, not only greedy."""


class CheckpointConfig(Config):
    """How often the run can be taken up again."""

    every: int = Field(default=100, ge=1)
    """Optimiser steps."""
    keep: int = Field(default=2, ge=1)
    """Newest checkpoints kept; the last of each stage is kept besides."""


class TrainConfig(Config):
    """A whole run."""

    name: str = Field(default="maestro-mini-vl", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the default run folder, so it is a plain name."""
    seed: int = 1
    engine: Literal["trl", "verl"] = "trl"
    """Engine of the policy-gradient stages."""
    threads: int = Field(default=1, ge=1)
    """CPU threads of the tensor library; part of what makes a run repeatable."""
    verl: VerlConfig = VerlConfig()
    compute: ComputeConfig = ComputeConfig()
    shared_prefix: bool = True
    """Read what rows have in common (the menu of a batch; prompt and pictures of a group) once, in generation and in updates: the same
    numbers up to rounding, several times cheaper where prompts are long. Off: every row on its own."""
    policy: PolicyConfig = PolicyConfig()
    ensemble: EnsembleConfig = EnsembleConfig()
    tasks: TasksConfig = TasksConfig()
    limits: Limits = Limits(turns=4)
    reward: RewardRule = RewardRule()
    dial: DialConfig = DialConfig()
    stages: tuple[Stage, ...] = Field(default=(WarmStartStage(), GrpoStage()), min_length=1)
    alarms: AlarmConfig = AlarmConfig()
    validation: ValidationConfig = ValidationConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    result: Literal["best", "last"] = "best"
    """Which policy the run hands over: the best by validation (one that keeps to the grammar, then utility), or the last."""

    def located(self) -> TrainConfig:
        """The same with absolute paths, so that the run folder can be taken up from any directory."""
        load, store, prompt = self.policy.load, self.ensemble.store, self.policy.speech.prompt
        speech = self.policy.speech.model_copy(update={"prompt": prompt.expanduser().absolute()}) if prompt else self.policy.speech
        ensemble = {"registry": located("registries", self.ensemble.registry), "store": store and store.expanduser().absolute()}
        return self.model_copy(
            update={
                "policy": self.policy.model_copy(update={"load": load and located("policies", load), "speech": speech}),
                "ensemble": self.ensemble.model_copy(update=ensemble),
                "tasks": self.tasks.model_copy(update={"source": located("task_sources", self.tasks.source)}),
            }
        )


def difference(old: Mapping[Any, Any], new: Mapping[Any, Any], prefix: str = "") -> list[str]:
    """Dotted names of the settings that differ between two resolved configs, each as `name: old -> new`."""
    lines: list[str] = []
    for key in [*old, *(key for key in new if key not in old)]:
        before, after = old.get(key), new.get(key)
        if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            before, after = dict(enumerate(before)), dict(enumerate(after))
        if isinstance(before, dict) and isinstance(after, dict):
            lines += difference(before, after, f"{prefix}{key}.")
        elif before != after:
            lines.append(f"{prefix}{key}: {before!r} -> {after!r}")
    return lines
