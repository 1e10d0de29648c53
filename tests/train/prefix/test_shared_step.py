"""A GRPO step through TRL's own loss, with and without sharing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from maestro.train.folder.layout import read_metrics
from maestro.train.grpo.groups import shuffled, whole_groups
from maestro.train.run import train
from tests.train.test_run import config, materials

grpo_trainer = pytest.importorskip("trl.trainer.grpo_trainer", reason="the extra `train` is not installed")


def every_second(total: list[float | None], **_: Any) -> list[float]:
    """Rewards with something to learn from: an untrained policy earns the same whatever it says."""
    return [float(index % 2) for index in range(len(total))]


@pytest.mark.slow
def test_a_step_with_and_without_sharing_gives_the_same_weights(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = tmp_path / "start"
    world[0].save(start)
    monkeypatch.setattr("maestro.train.grpo.stage.reward", every_second)
    stage = {"kind": "grpo", "steps": 1, "prompts": 3, "members": 4, "micro_batch": 6, "stratified": 0.5}
    stage["optimizer"] = {"lr": 1e-3, "warmup_steps": 1}
    weights, records, said = [], [], []
    for share in (False, True):
        run = tmp_path / str(share)
        final = train(config(policy={"load": str(start)}, stages=[stage], shared_prefix=share, limits={"turns": 2}), materials(), run)
        weights.append(load_file(final / "model.safetensors"))
        episodes = [json.loads(line) for line in (run / "episodes.jsonl").read_text().splitlines()]
        said.append([[turn["decision"]["text"] for turn in episode["turns"]] for episode in episodes])
        records.append(next(record for record in read_metrics(run / "metrics.jsonl") if record["kind"] == "step"))
    before = load_file(start / "model.safetensors")
    assert max(float((weights[0][name] - before[name]).abs().max()) for name in before) > 1e-4  # the step went somewhere
    for name, plain in weights[0].items():
        torch.testing.assert_close(weights[1][name], plain, atol=1e-5, rtol=0, msg=lambda text, name=name: f"{name}: {text}")
    assert records[1]["loss"] == pytest.approx(records[0]["loss"], abs=1e-5)
    assert records[1]["token_entropy"] == pytest.approx(records[0]["token_entropy"], abs=1e-5)
    assert said[0] == said[1]
    assert len(said[0]) == 12


def test_groups_are_shuffled_whole() -> None:
    torch.manual_seed(0)
    order = shuffled(24, 4)
    assert sorted(order.tolist()) == list(range(24))
    assert order.tolist() != list(range(24))
    assert all(line.tolist() == list(range(line[0], line[0] + 4)) for line in order.view(6, 4))


def test_what_trl_shuffles_stays_in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    before = grpo_trainer.shuffle_sequence_dict
    columns: dict[str, Any] = {"ids": torch.arange(8), "names": [str(n) for n in range(8)], "count": torch.tensor(3), "none": None}
    with whole_groups(2):
        mixed = grpo_trainer.shuffle_sequence_dict(columns)
    assert [str(n) for n in mixed["ids"].tolist()] == mixed["names"]
    assert mixed["ids"].view(4, 2).diff(dim=1).eq(1).all()
    assert mixed["none"] is None
    assert mixed["count"] == 3
    assert grpo_trainer.shuffle_sequence_dict is before
