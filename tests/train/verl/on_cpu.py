"""What lets verl run on a CPU in tests: environment and overrides."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[3]
OVERRIDES = (
    "actor_rollout_ref.actor.use_torch_compile=false",
    "actor_rollout_ref.actor.fsdp_config.use_torch_compile=false",
    "actor_rollout_ref.model.use_remove_padding=false",
    "+actor_rollout_ref.model.override_config.attn_implementation=sdpa",
    "trainer.device=cpu",
)
WHOLE = (
    *OVERRIDES,
    "actor_rollout_ref.rollout.name=processor",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units=1",
    "ray_kwargs.ray_init.num_cpus=16",  # nominal: its processes hardly work at the same time
    "+ray_kwargs.ray_init.num_gpus=1",
    "+ray_kwargs.ray_init.include_dashboard=false",
)
"""Besides, for verl's trainer from end to end."""
ALONE = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
"""Where the training worker lives in the process itself."""


def environment(**more: str) -> dict[str, str]:
    """Of a process that imports verl."""
    return {
        **os.environ,
        "VERL_PLATFORM": "processor",
        "VERL_ENGINE_DEVICE": "cuda",
        "VERL_USE_EXTERNAL_MODULES": "maestro.train.verl.plugin,tests.train.verl.cpu_platform",
        "OMP_NUM_THREADS": "1",
        "RAY_DEDUP_LOGS": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        **more,
    }
