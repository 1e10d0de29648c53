"""How much memory a GRPO step takes beside what the plan of `maestro train --dry-run` says.

A real `maestro train` of one step in a process of its own, on a random policy large enough that its weights and activations outweigh
libraries and questions, minus the same with a tiny one; beside the difference of the two plans. Rows are as long as the limits allow,
because a random policy never stops. The processor's allocator and that of a graphics card differ: the ratio says how good the plan is,
not what a card would show.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from maestro.bench.measurement import Bar, Measurement
from maestro.config import load_config
from maestro.errors import MaestroError
from maestro.train.config.run import GrpoStage, TrainConfig
from maestro.train.memory.plan import GIB, layouts, plan
from maestro.train.memory.shape import read_shape

SMALL: dict[str, Any] = {"hidden": 32, "layers": 1, "heads": 2, "kv_heads": 1, "head_width": 16, "intermediate": 64, "deepstack": []}
LARGE: dict[str, Any] = {"hidden": 256, "layers": 6, "heads": 4, "kv_heads": 2, "head_width": 64, "intermediate": 768, "deepstack": [0]}
CASES = {
    "activations kept": ("compute.gradient_checkpointing=false",),
    "computed again": ("compute.gradient_checkpointing=true",),
}
_CHILD = """
import json, resource, sys
from maestro.cli.main import cli
try:
    cli.main(sys.argv[1:], standalone_mode=False)
finally:  # the command line leaves by SystemExit
    print("\\n" + json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
"""


def measure() -> list[Measurement]:
    """Peak memory of the real process beside the plan, by case. Raises MaestroError when a run fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = []
        for case, overrides in CASES.items():
            peaks, plans = [], []
            for sizes in (SMALL, LARGE):
                checkpoint = _checkpoint(folder / f"{case}-{sizes['hidden']}", sizes)
                config = _config(checkpoint, overrides)
                peaks.append(_peak(config, folder / f"run-{case}-{sizes['hidden']}"))
                plans.append(_planned(config))
            bar = Bar(1.0, of="ratio", least=False)  # a plan from above
            figures = [(peaks[1] - peaks[0]) / GIB], [(plans[1] - plans[0]) / GIB]
            found.append(Measurement.of(f"peak memory, {case}", "GiB", figures[0], "the plan", figures[1], bar))
        return found


def _checkpoint(folder: Path, sizes: dict[str, Any]) -> Path:
    from maestro.policy.local_model import build_tiny
    from maestro.registry.registry import Registry

    menu = Registry.load("playground").menu()
    names = {"experts": [expert.id for expert in menu.experts], "skills": [skill.id for skill in menu.skills]}
    return build_tiny(folder, 1, **names, **sizes)


def _config(checkpoint: Path, overrides: tuple[str, ...]) -> TrainConfig:
    from maestro.registry.plugins import registered

    pool = registered().registries["playground"].parent / "pool"
    stage = {"kind": "grpo", "steps": 1, "prompts": 2, "members": 4, "micro_batch": 8}
    return load_config(
        TrainConfig,
        None,
        [
            f"policy.load={checkpoint}",
            f"ensemble.store={pool}",
            "tasks.train_limit=4",
            "tasks.validation_limit=1",
            "validation.sampled=false",
            f"stages={json.dumps([stage])}",
            *overrides,
        ],
    )


def _planned(config: TrainConfig) -> int:
    stage = config.stages[0]
    assert isinstance(stage, GrpoStage)
    return plan(config, stage, read_shape(Path(str(config.policy.load))), layouts(1)[0]).peak


def _peak(config: TrainConfig, run: Path) -> int:
    """Bytes resident at most in a process that trains by this config."""
    file = run.with_suffix(".yaml")
    file.write_text(config.to_yaml())
    words = [sys.executable, "-c", _CHILD, "train", str(file), "--run", str(run), "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "0"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  ourselves
    if done.returncode:
        raise MaestroError(f"the measured run failed: {done.stderr[-2000:]}")
    return int(json.loads(done.stdout.splitlines()[-1])["peak"])
