"""A tiny policy over the toy world, shared by the training tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.images import ImageStore
from maestro.policy.dialect_maestro import MaestroDialect
from maestro.policy.local import LocalPolicy
from maestro.policy.local_model import build_tiny
from maestro.train.rows import RowWriter
from maestro.train.run import train, vocabulary_texts
from maestro.train.warm_start.traces import TraceWriter
from tests.train.planner import random_checkpoint, rows_folder, speaking_checkpoint
from tests.train.test_run import SIZES, config, materials
from tests.train.toy import menu, scenes


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalPolicy, TraceWriter, RowWriter]:
    images = ImageStore()
    warm = scenes(20, "warm", images)
    texts = vocabulary_texts(warm, menu(), 1)
    names = {"experts": [expert.id for expert in menu().experts], "skills": [skill.id for skill in menu().skills]}
    policy = LocalPolicy.load(build_tiny(tmp_path_factory.mktemp("tiny"), 1, texts=texts, **names, **SIZES), images)
    return policy, TraceWriter(warm, menu(), MaestroDialect(), seed=1), RowWriter(policy, menu())


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Parquet rows in the original's schema."""
    return rows_folder(tmp_path_factory.mktemp("rows"))


@pytest.fixture(scope="session")
def planner(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint in the layout of the large ones that speaks `maestro-4b`."""
    place = tmp_path_factory.mktemp("planner")
    return speaking_checkpoint(random_checkpoint(place / "random"), rows, place / "speaking")


@pytest.fixture(scope="session")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny policy that has learned the grammar well enough that its episodes differ in what they pay."""
    stage = {"kind": "warm_start", "steps": 140, "batch": 16, "micro_batch": 16, "probe_every": 200, "probe_scenes": 1}
    settings = config(stages=[{**stage, "optimizer": {"lr": 0.01, "warmup_steps": 10}}], checkpoint={"every": 1000})
    return train(settings, materials(), tmp_path_factory.mktemp("speaking") / "run")
