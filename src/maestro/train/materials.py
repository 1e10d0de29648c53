"""From the names in a config to what a run works on: tasks, scenes, and an ensemble with its call store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maestro.errors import ConfigError
from maestro.experts.store import CallStore
from maestro.images import ImageStore
from maestro.registry.registry import Registry
from maestro.rollout.episode import Performs
from maestro.rollout.pool import PooledEnsemble
from maestro.rollout.systems import offered_menu, with_systems
from maestro.rollout.tables import read_tables
from maestro.scoring.scorable import require_scorable
from maestro.skills.ensemble import Ensemble
from maestro.tasks.opening import task_source
from maestro.tasks.source import TaskSource, TaughtTask, TeachingSource
from maestro.train.config.run import TrainConfig
from maestro.train.questions import check_source, runs_episodes
from maestro.train.run import Materials
from maestro.train.warm_start.scenes import teaches
from maestro.train.warm_start.wordings import card_wordings
from maestro.types import Task


@dataclass
class Performing:
    """What performs calls, and what has to be closed behind it."""

    performs: Performs
    ensemble: Ensemble
    store: CallStore | None

    async def close(self) -> None:
        """Stop the experts and close the store."""
        await self.ensemble.close()
        if self.store is not None:
            self.store.close()


@dataclass
class Loaded:
    """Materials, and what has to be closed behind them."""

    materials: Materials
    performing: Performing

    async def close(self) -> None:
        """Stop the experts and close the store."""
        await self.performing.close()


def load_materials(config: TrainConfig, images: ImageStore) -> Loaded:
    """Everything the config names. Raises RegistryError, TaskError, StoreError or ConfigError."""
    source = task_source(config.tasks.source)
    check_source(config, source, images, offered_menu(Registry.load(config.ensemble.registry), source))
    performing = load_ensemble(config, images, source)
    ensemble = performing.ensemble
    needed = runs_episodes(config)
    return Loaded(
        Materials(
            images=images,
            ensemble=performing.performs,
            train=scorable_tasks(source, config.tasks.train, config.tasks.train_limit, images) if needed else [],
            validation=scorable_tasks(source, config.tasks.validation, config.tasks.validation_limit, images) if needed else [],
            scenes=(scenes := _scenes(source, config, images)),
            wordings=card_wordings(ensemble.registry) if scenes else [],
            registry=dict[str, Any](ensemble.registry.lock()),
        ),
        performing,
    )


def load_ensemble(config: TrainConfig, images: ImageStore, source: TaskSource | None = None) -> Performing:
    """The experts and skills that the config names, alive, before its call store or recorded pool.

    `source` is the config's own, where it has been opened already. Raises RegistryError, StoreError or ConfigError.
    """
    tables = config.ensemble.store is not None and config.ensemble.store.is_dir()
    store = CallStore(config.ensemble.store, config.ensemble.mode) if config.ensemble.store is not None and not tables else None
    if store is None and not tables and config.ensemble.mode in {"replay", "record"}:
        raise ConfigError(f"ensemble.mode {config.ensemble.mode} needs ensemble.store, the file of recorded calls (see maestro record).")
    ensemble = Ensemble.load(config.ensemble.registry, images, store)
    performs = with_systems(ensemble, source or task_source(config.tasks.source))
    if tables and config.ensemble.store is not None:
        performs = PooledEnsemble(read_tables(config.ensemble.store, performs.menu), performs)
    return Performing(performs, ensemble, store)


def scorable_tasks(source: TaskSource, split: str, limit: int | None, images: ImageStore) -> list[Task]:
    """Tasks of a split that can all be scored."""
    tasks = source.load(split, limit, images)
    require_scorable(tasks)
    return tasks


def _scenes(source: TaskSource, config: TrainConfig, images: ImageStore) -> list[TaughtTask]:
    """Scenes for traces, when a stage writes any."""
    if not teaches(config) or not isinstance(source, TeachingSource):
        return []
    return source.teach(config.tasks.warm, config.tasks.warm_limit, images)
