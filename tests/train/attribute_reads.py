"""Watches which module reads which setting, while a run goes on."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import BaseModel

from maestro.train.config import run as schema
from maestro.train.config.outages import RandomOutages

MODELS: tuple[type[BaseModel], ...] = (
    schema.TrainConfig,
    schema.PolicyConfig,
    schema.SpeechConfig,
    schema.LoraConfig,
    schema.ComputeConfig,
    schema.EnsembleConfig,
    schema.TasksConfig,
    schema.Limits,
    schema.RewardRule,
    schema.OptimizerConfig,
    schema.WarmStartStage,
    schema.ExpertIterationStage,
    schema.GrpoStage,
    schema.AlarmConfig,
    schema.ValidationConfig,
    schema.CheckpointConfig,
    schema.OutageConfig,
    RandomOutages,
    schema.VariationConfig,
    schema.DialConfig,
    schema.SignalConfig,
)
Reads = dict[tuple[str, str], set[str]]
"""(model, field) to the modules that read it."""


@contextmanager
def reading() -> Iterator[Reads]:
    """Within: every read of a field of the schema by a module of ours is noted. Dumping and comparing whole models reads nothing."""
    found: Reads = defaultdict(set)

    def watched(model: type[BaseModel]) -> Any:
        fields = frozenset(model.model_fields)

        def get(self: BaseModel, name: str) -> Any:
            if name in fields:
                module = sys._getframe(1).f_globals.get("__name__", "")
                if module.startswith("maestro") and module not in {"maestro.train.config.run", "maestro.train.readers"}:
                    found[model.__name__, name].add(module)
            return object.__getattribute__(self, name)

        return get

    with pytest.MonkeyPatch.context() as patch:
        for model in MODELS:
            patch.setattr(model, "__getattribute__", watched(model), raising=False)
        yield found
