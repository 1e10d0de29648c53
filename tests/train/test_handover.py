"""A checkpoint is a policy as it is, and a run that an alarm has ended hands over the best one."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest

from maestro.errors import CheckpointError
from maestro.images import ImageStore
from maestro.policy.local import LocalPolicy
from maestro.train.config.run import TrainConfig
from maestro.train.folder.checkpoint import Checkpoints
from maestro.train.folder.layout import read_metrics
from maestro.train.run import train
from maestro.train.supervised import Supervised
from tests.train.test_run import SIZES, config, materials

SERVED = {
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "registry.lock",
    "README.md",
}
"""What a server and a reader need."""


@pytest.mark.slow
def test_an_alarm_ends_the_run_and_the_best_policy_is_handed_over(speaking: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    grpo = {"kind": "grpo", "steps": 4, "prompts": 2, "members": 4, "micro_batch": 4}
    alarms = {"window": 1, "collapse_share": 0.01, "stop": True}
    settings = config(policy={"load": str(speaking)}, stages=[grpo, grpo], alarms=alarms, validation={"every": 50, "sampled": False})
    final = train(settings, materials(), run)
    records = list(read_metrics(run / "metrics.jsonl"))
    assert {record["stage"] for record in records} == {0}
    assert [record["step"] for record in records if record["kind"] == "step"] == [1]
    (alarm,) = [record for record in records if record["kind"] == "alarm" and record["alarm"] == "collapse"]
    assert "of first actions are the same" in alarm["message"]
    assert (final / "model.safetensors").read_bytes() == (run / "checkpoints" / "best" / "model.safetensors").read_bytes()
    assert train(settings, materials(), run, resume=True) == final
    assert len(list(read_metrics(run / "metrics.jsonl"))) == len(records)

    for folder in (run / "checkpoints" / "best", run / "checkpoints" / "00-00000001", final):
        assert {path.name for path in folder.iterdir()} >= SERVED
        assert (folder / "registry.lock").read_bytes() == (run / "registry.lock").read_bytes()
        assert "## Stages" in (folder / "README.md").read_text()
    LocalPolicy.load(run / "checkpoints" / "00-00000001", ImageStore())


def diverging(**changes: Any) -> TrainConfig:
    """A warm start whose weights are no numbers after its first step."""
    optimizer = {"lr": 1e30, "warmup_steps": 0, "clip_norm": 1e9, "schedule": "constant"}
    stage = {"kind": "warm_start", "steps": 4, "batch": 2, "micro_batch": 2, "probe_every": 9, "probe_scenes": 1, "optimizer": optimizer}
    return config(stages=[stage], **changes)


def test_a_run_that_diverges_before_its_first_checkpoint_hands_over_what_it_began_with(speaking: Path, tmp_path: Path) -> None:
    settings = diverging(policy={"load": str(speaking)}, checkpoint={"every": 100})
    final = train(settings, materials(), tmp_path / "run")
    assert (final / "model.safetensors").read_bytes() == (speaking / "model.safetensors").read_bytes()
    assert "ended the run" in (final / "README.md").read_text()


def test_an_untrained_one_hands_over_nothing(tmp_path: Path) -> None:
    settings = diverging(policy={"sizes": SIZES}, checkpoint={"every": 100})
    for resume in (False, True):
        with pytest.raises(CheckpointError, match=r"alarm nan ended the run .* there is none to hand over"):
            train(settings, materials(), tmp_path / "run", resume=resume)
    assert not (tmp_path / "run" / "policy").exists()


def test_a_full_disk_is_said_so_and_the_checkpoints_before_are_whole(
    speaking: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's limit on the size of a file, which fails a write as a full disk does, behind the first checkpoint."""
    stage = {"kind": "warm_start", "steps": 4, "batch": 2, "micro_batch": 2, "probe_every": 9, "probe_scenes": 1}
    settings = config(policy={"load": str(speaking)}, stages=[stage], checkpoint={"every": 1})
    before, asked = resource.getrlimit(resource.RLIMIT_FSIZE), []
    fills = Supervised.save

    def filling(self: Supervised, path: Path) -> None:
        asked.append(path)
        if len(asked) == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
        fills(self, path)

    monkeypatch.setattr(Supervised, "save", filling)
    try:
        with pytest.raises(CheckpointError, match=r"cannot write a checkpoint into .* make room, .*--resume"):
            train(settings, materials(), tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    monkeypatch.undo()
    found = Checkpoints(tmp_path / "run" / "checkpoints").newest_whole()
    assert found is not None
    assert found.position.step == 1
    train(settings, materials(), tmp_path / "run", resume=True)
