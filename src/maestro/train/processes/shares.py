"""How a step's episodes are shared among the processes that train together."""

from __future__ import annotations

from maestro.errors import ConfigError
from maestro.train.config.run import GrpoStage, TrainConfig


def check_shares(config: TrainConfig, count: int, *, sharded: bool = False) -> None:
    """Raise ConfigError when the stages cannot be shared by `count` processes, of which each trains a part of the weights if `sharded`."""
    if count == 1:
        return
    if sharded and config.policy.lora is not None:
        raise ConfigError("adapters (policy.lora) are too few to be sharded; leave out compute.shard_weights, or --use_fsdp of the launch.")
    for index, stage in enumerate(config.stages):
        if not isinstance(stage, GrpoStage):
            raise ConfigError(
                f"stages.{index}: {stage.kind} runs in one process, not in {count}. Run it first without a launcher, and name its policy "
                "in policy.load of a config that has only grpo."
            )
        share_of(stage, count)


def share_of(stage: GrpoStage, count: int) -> int:
    """Episodes of one process in a step; groups stay whole, to be drawn again as such. Raises ConfigError."""
    total = stage.prompts * stage.members
    if total % (stage.micro_batch * count):
        raise ConfigError(f"micro_batch {stage.micro_batch} x {count} processes does not divide prompts x members = {total}; change one.")
    if stage.prompts % count:
        raise ConfigError(f"{stage.prompts} groups do not come out even on {count} processes, and groups stay whole; change prompts.")
    return total // count
