"""Adapters compute what their merged weights compute, and are taken up as they were saved."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from maestro.errors import CheckpointError, ConfigError
from maestro.policy.local_model import load_model, save_model
from maestro.train.adapters import Adapters
from maestro.train.config.lora import LoraConfig
from tests.train.planner import random_checkpoint

CONFIG = LoraConfig(rank=4, alpha=8.0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_checkpoint(tmp_path_factory.mktemp("adapted"))


def logits(model: object) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=torch.arange(40)[None]).logits  # type: ignore[operator]
    return found


def disturb(adapters: Adapters) -> None:
    """Adapters begin as nothing; make them something."""
    generator = torch.Generator().manual_seed(5)
    for name, parameter in adapters.wrapped.named_parameters():
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1


def test_merged_weights_compute_what_the_adapters_compute(checkpoint: Path, tmp_path: Path) -> None:
    model, processor = load_model(checkpoint)
    plain = logits(model)
    adapters = Adapters(model, CONFIG, seed=1)
    assert torch.equal(logits(model), plain), "adapters that were not trained change nothing"
    disturb(adapters)
    adapted = logits(model)
    assert not torch.allclose(adapted, plain, atol=1e-3)
    save_model(model, processor, tmp_path / "merged", weights=adapters.merged())
    again, _ = load_model(tmp_path / "merged")
    assert torch.allclose(logits(again), adapted, atol=1e-5)
    assert torch.equal(logits(model), adapted), "merging leaves the model alone"
    trained = {name for name, parameter in adapters.wrapped.named_parameters() if parameter.requires_grad}
    assert trained
    assert all("lora_" in name and "visual" not in name for name in trained)


def test_saved_adapters_are_taken_up(checkpoint: Path, tmp_path: Path) -> None:
    model, _ = load_model(checkpoint)
    adapters = Adapters(model, CONFIG, seed=1)
    disturb(adapters)
    adapters.save(tmp_path)
    other, _ = load_model(checkpoint)
    taken = Adapters(other, CONFIG, seed=2)
    taken.load(tmp_path)
    assert torch.equal(logits(other), logits(model))
    with pytest.raises(CheckpointError, match="begun without"):
        taken.load(tmp_path / "elsewhere")


def test_layers_that_do_not_exist_are_named(checkpoint: Path) -> None:
    model, _ = load_model(checkpoint)
    with pytest.raises(ConfigError, match="no linear layer is called no_proj"):
        Adapters(model, LoraConfig(targets=("q_proj", "no_proj")), seed=1)
