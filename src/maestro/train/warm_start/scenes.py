"""The scenes that warm-start traces are written from, looked at before thousands are drawn."""

from __future__ import annotations

from maestro.errors import ConfigError, not_found
from maestro.images import ImageStore
from maestro.registry.menu import Menu
from maestro.tasks.source import TaskSource, TeachingSource
from maestro.train.config.run import TrainConfig
from maestro.train.warm_start.traces import check_plans

_GLIMPSE = 64
"""Scenes that show most families of a source."""


def teaches(config: TrainConfig) -> bool:
    """Whether a stage writes traces."""
    return any(stage.kind == "warm_start" or (stage.kind == "expert_iteration" and stage.rehearsal) for stage in config.stages)


def check_scenes(source: TaskSource, config: TrainConfig, images: ImageStore, menu: Menu) -> None:
    """Look at a few scenes, before thousands are drawn. Raises ConfigError when the source cannot teach this registry."""
    if not isinstance(source, TeachingSource):
        raise ConfigError(
            f"the task source {source.name} cannot teach (no `teach`); load a trained policy (policy.load), leave out warm_start, and set "
            "rehearsal: 0 in expert_iteration."
        )
    known_split(source, config.tasks.warm)
    check_plans(source.teach(config.tasks.warm, min(config.tasks.warm_limit or _GLIMPSE, _GLIMPSE), images), menu)


def known_split(source: TaskSource, split: str) -> None:
    """Raises ConfigError for a split that the source does not have."""
    if split not in source.splits:
        raise ConfigError(not_found("split", split, source.splits, f"See them with: maestro tasks show {source.name}"))
