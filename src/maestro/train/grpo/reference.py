"""The policy that a stage began with: what the KL term measures the distance from."""

from __future__ import annotations

from pathlib import Path

from maestro.errors import CheckpointError
from maestro.train.bench import Workbench


def stage_start(bench: Workbench) -> Path:
    """Folder of the policy that the current stage began with, also after a resume. Raises CheckpointError when it is gone."""
    stage = bench.position.stage
    if stage == 0:
        return bench.start
    ends = [found for found in bench.folder.checkpoints.all() if found.position.finished and found.position.stage == stage - 1]
    if not ends:
        raise CheckpointError(
            f"{bench.folder.checkpoints.folder} holds no end of stage {stage}, which beta needs as its reference; put that "
            "checkpoint back, or begin another run."
        )
    return ends[-1].path
