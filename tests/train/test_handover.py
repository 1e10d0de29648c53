"""A checkpoint is a policy as it is, and a run that an alarm has ended hands over the best one."""

from __future__ import annotations

from pathlib import Path

import pytest

from maestro.images import ImageStore
from maestro.policy.local import LocalPolicy
from maestro.train.folder import read_metrics
from maestro.train.run import train
from tests.train.test_run import config, materials

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
