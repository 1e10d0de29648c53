"""What a run needs of its task source, checked before anything heavy is loaded."""

from __future__ import annotations

from maestro.errors import ConfigError, not_found
from maestro.images import ImageStore
from maestro.registry.menu import Menu
from maestro.tasks.source import TaskSource
from maestro.train.config.run import TrainConfig
from maestro.train.warm_start.scenes import check_scenes, teaches


def runs_episodes(config: TrainConfig) -> bool:
    """Whether a stage learns from outcomes."""
    return any(stage.kind != "warm_start" for stage in config.stages)


def check_source(config: TrainConfig, source: TaskSource, images: ImageStore, menu: Menu) -> None:
    """Raise ConfigError when the source lacks a split that a stage needs, or cannot teach this registry where one is taught."""
    if teaches(config):
        check_scenes(source, config, images, menu)
    for name in ("train", "validation") if runs_episodes(config) else ():
        if (split := getattr(config.tasks, name)) not in source.splits:
            raise ConfigError(f"tasks.{name}: {source.name}: {not_found('split', split, source.splits)}")
