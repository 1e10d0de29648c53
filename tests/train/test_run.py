from __future__ import annotations

from pathlib import Path
from typing import Any

from maestro.images import ImageStore
from maestro.train.config.run import TrainConfig
from maestro.train.folder.layout import read_metrics
from maestro.train.run import Materials, train
from tests.train.toy import ToyEnsemble, scenes

SIZES = {
    "hidden": 32,
    "layers": 2,
    "heads": 2,
    "kv_heads": 1,
    "head_width": 16,
    "intermediate": 64,
    "vision_hidden": 16,
    "vision_heads": 2,
    "vision_depth": 2,
    "vision_intermediate": 32,
    "deepstack": (0,),
    "image_tokens": 16,
    "smallest_image_tokens": 4,
    "vocabulary": 700,
}


def config(**changes: Any) -> Any:
    stages = [
        {"kind": "warm_start", "steps": 6, "batch": 4, "micro_batch": 2, "probe_every": 3, "probe_scenes": 4},
        {"kind": "expert_iteration", "rounds": 2, "tasks_per_round": 4, "members": 4, "batch": 4, "micro_batch": 2, "floor": -9},
        {"kind": "grpo", "steps": 4, "prompts": 2, "members": 4, "micro_batch": 4, "stratified": 0.5},
    ]
    often = {"checkpoint": {"every": 2}, "validation": {"every": 2}}
    return TrainConfig.model_validate({"policy": {"sizes": SIZES}, "stages": stages, "result": "last", **often, **changes})


def materials() -> Materials:
    images = ImageStore()
    warm, fresh, val = scenes(40, "warm", images), scenes(20, "train", images), scenes(6, "val", images)
    ensemble = ToyEnsemble.over(warm, fresh, val)
    return Materials(images, ensemble, [s.task for s in fresh], [s.task for s in val], warm, {"name": "toy", "digest": "1"})


def test_all_three_stages_learn_something_and_leave_a_whole_run_folder(speaking: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    final = train(config(policy={"load": str(speaking)}), materials(), run)
    assert (final / "model.safetensors").exists()
    records = list(read_metrics(run / "metrics.jsonl"))
    assert {record["kind"] for record in records} >= {"step", "probe", "round", "validation"}
    assert all(record["kept"] > 0 for record in records if record["kind"] == "round")
    gradients = [record["grad_norm"] for record in records if record["name"] == "grpo" and record["kind"] == "step"]
    assert len(gradients) == 4
    assert max(gradients) > 0
    assert len({(path / "model.safetensors").read_bytes() for path in (run / "checkpoints").iterdir() if path.name != "best"}) >= 3
    assert len((run / "episodes.jsonl").read_text().splitlines()) == 2 * 4 * 4 + 4 * 2 * 4
