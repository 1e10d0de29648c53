"""What a run needs of its task source, checked before anything heavy is loaded."""

from __future__ import annotations

from maestro.errors import ConfigError, not_found
from maestro.tasks.source import TaskSource, TeachingSource
from maestro.train.config import TrainConfig


def writes_traces(config: TrainConfig) -> bool:
    """Whether a stage is taught by traces, which only a teaching source can write."""
    return any(stage.kind == "warm_start" or (stage.kind == "expert_iteration" and stage.rehearsal) for stage in config.stages)


def runs_episodes(config: TrainConfig) -> bool:
    """Whether a stage learns from outcomes."""
    return any(stage.kind != "warm_start" for stage in config.stages)


def check_source(config: TrainConfig, source: TaskSource) -> None:
    """Raise ConfigError when the source lacks a split that a stage needs, or cannot teach where one is taught."""
    needed = (["train", "validation"] if runs_episodes(config) else []) + (["warm"] if writes_traces(config) else [])
    if writes_traces(config) and not isinstance(source, TeachingSource):
        raise ConfigError(
            f"the task source {source.name} cannot teach (no `teach`); load a trained policy (policy.load), leave out warm_start, and set "
            "rehearsal: 0 in expert_iteration."
        )
    for name in needed:
        if (split := getattr(config.tasks, name)) not in source.splits:
            raise ConfigError(f"tasks.{name}: {not_found(f'split in {source.name}', split, source.splits)}")
