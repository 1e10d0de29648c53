"""What only the engine verl needs to know: machines, cards, and how they are shared by sampling and update."""

from __future__ import annotations

from pydantic import Field

from maestro.config import Config


class VerlConfig(Config):
    """Sizes of a run on verl; the algorithm is said in the stage, as for every engine."""

    nodes: int = Field(default=1, ge=1)
    """Machines of the Ray cluster that the run takes."""
    gpus: int = Field(default=8, ge=1)
    """Cards of each machine."""
    tensor_parallel: int = Field(default=1, ge=1)
    """Cards that share one copy of the policy while it is sampled."""
    memory_share: float = Field(default=0.5, gt=0, lt=1)
    """Part of each card's memory that vLLM takes while it samples."""
    prompt_tokens: int = Field(default=12_288, ge=64)
    """Longest prompt, images included. A longer one is an error: nothing is cut."""
    workers: int = Field(default=8, ge=1)
    """Ray processes that run episodes."""
    offload: bool = False
    """Keep weights and optimiser state in main memory while they are not needed."""
    epochs: int = Field(default=1_000, ge=1)
    """Most passes over the training questions; the stage's steps end the run before."""
