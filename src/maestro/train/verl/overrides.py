"""A training config as Hydra overrides of verl's `ppo_trainer`.

Every line says which of our settings it carries; verl's own config composition refuses a key that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maestro.errors import ConfigError
from maestro.policy.options import sizes
from maestro.policy.spoken import spoken
from maestro.train.config.run import GrpoStage, TrainConfig
from maestro.train.start import starting_folder
from maestro.train.verl.names import ESTIMATOR, POLICY_LOSS
from maestro.train.verl.rows import AGENT

LOSSES = {"dapo": "token-mean", "bnpo": "token-mean", "grpo": "seq-mean-token-mean", "dr_grpo": "seq-mean-token-sum-norm"}
"""Our names of the ways to average a loss, as verl's."""
DTYPES = {"float32": "fp32", "bfloat16": "bf16"}
"""Our names of number formats, as verl's FSDP engine has them."""


def overrides(config: TrainConfig, run: Path) -> list[str]:
    """`key=value` for every setting, in the order of verl's sections. Raises ConfigError for what verl cannot do."""
    stage = only_stage(config)
    return [override(key, value) for key, value in settings(config, stage, run).items()]


def only_stage(config: TrainConfig) -> GrpoStage:
    """The stage that verl runs. Raises ConfigError when there are others, or it asks for what verl cannot do."""
    problems = []
    stages = [stage for stage in config.stages if isinstance(stage, GrpoStage)]
    if len(config.stages) != 1 or not stages:
        kinds = ", ".join(stage.kind for stage in config.stages)
        raise ConfigError(
            f"engine verl runs one grpo stage, not {kinds}; run the others with engine trl, and name their policy in policy.load."
        )
    stage = stages[0]
    if config.policy.load is None:
        problems.append("policy.load: verl trains an existing checkpoint; name its folder or hub id")
    if config.policy.lora is not None:
        problems.append("policy.lora: what verl saves of adapters is no checkpoint that can be handed over; train them with engine trl")
    if stage.stratified:
        problems.append("stages.0.stratified: first calls are spread by engine trl only; set it to 0")
    if stage.scale_rewards == "batch":
        problems.append("stages.0.scale_rewards: verl scales by group or not at all; say group or none")
    if stage.signal.equal_groups != "keep":
        problems.append("stages.0.signal.equal_groups: engine verl keeps equal groups, whose advantages are 0; say keep")
    cards = config.verl.nodes * config.verl.gpus
    total = stage.prompts * stage.members
    if total % cards:
        problems.append(f"stages.0: prompts x members = {total} does not divide by {cards} cards (verl.nodes x verl.gpus)")
    elif total // cards % stage.micro_batch:
        problems.append(
            f"stages.0.micro_batch: {stage.micro_batch} does not divide the {total // cards} episodes of each of {cards} cards "
            "(prompts x members over verl.nodes x verl.gpus)"
        )
    if config.verl.gpus % config.verl.tensor_parallel:
        problems.append(f"verl.tensor_parallel: {config.verl.tensor_parallel} does not divide verl.gpus, which is {config.verl.gpus}")
    if problems:
        raise ConfigError("engine verl: " + "; ".join(problems) + ".")
    return stage


def settings(config: TrainConfig, stage: GrpoStage, run: Path) -> dict[str, Any]:
    """Every override by its key."""
    folder = starting_folder(config.policy.load or "")
    said = spoken(folder, config.policy.speech.options)
    row = sizes(said, said.dialect or "maestro-4b")["max_tokens"]
    run = run.absolute()
    return {
        "algorithm.adv_estimator": ESTIMATOR,
        "algorithm.norm_adv_by_std_in_grpo": stage.scale_rewards == "group",
        "algorithm.use_kl_in_reward": False,
        **_data(config, stage, run, row),
        **_model(config, folder),
        **_actor(config, stage, row),
        **_rollout(config, stage, run, row),
        **_trainer(config, stage, run),
    }


def _data(config: TrainConfig, stage: GrpoStage, run: Path, row: int) -> dict[str, Any]:
    return {
        "data.train_files": str(run / "data" / "train.parquet"),
        "data.val_files": str(run / "data" / "validation.parquet"),
        "data.train_batch_size": stage.prompts,
        "data.max_prompt_length": config.verl.prompt_tokens,
        "data.max_response_length": row,
        "data.truncation": "error",
        "data.filter_overlong_prompts": False,
        "data.shuffle": True,
        "data.seed": config.seed,
        "data.dataloader_num_workers": 0,
    }


def _model(config: TrainConfig, folder: Path) -> dict[str, Any]:
    return {
        "actor_rollout_ref.model.path": str(folder),
        "actor_rollout_ref.model.enable_gradient_checkpointing": config.compute.gradient_checkpointing,
    }


def _actor(config: TrainConfig, stage: GrpoStage, row: int) -> dict[str, Any]:
    actor, optimizer = "actor_rollout_ref.actor", stage.optimizer
    found = {
        f"{actor}.strategy": "fsdp2",
        f"{actor}.ppo_mini_batch_size": stage.prompts,
        f"{actor}.ppo_micro_batch_size_per_gpu": stage.micro_batch,
        f"{actor}.ppo_epochs": stage.iterations,
        f"{actor}.clip_ratio": stage.clip_low,
        f"{actor}.clip_ratio_low": stage.clip_low,
        f"{actor}.clip_ratio_high": stage.clip_high,
        f"{actor}.policy_loss.loss_mode": POLICY_LOSS,
        f"{actor}.loss_agg_mode": LOSSES[stage.loss],
        f"{actor}.entropy_coeff": stage.entropy,
        f"{actor}.calculate_entropy": True,
        f"{actor}.use_kl_loss": stage.beta > 0,
        f"{actor}.kl_loss_coef": stage.beta,
        f"{actor}.kl_loss_type": "low_var_kl",
        f"{actor}.grad_clip": optimizer.clip_norm,
        f"{actor}.optim.lr": optimizer.lr,
        f"{actor}.optim.total_training_steps": stage.steps,
        f"{actor}.optim.lr_warmup_steps": optimizer.warmup_steps,
        f"{actor}.optim.lr_scheduler_type": optimizer.schedule,
        f"{actor}.optim.min_lr_ratio": optimizer.final_lr / optimizer.lr,
        f"{actor}.optim.weight_decay": optimizer.weight_decay,
        f"{actor}.optim.betas": [0.9, optimizer.beta2],
        **_precision(f"{actor}.fsdp_config", config),
        f"{actor}.fsdp_config.param_offload": config.verl.offload,
        f"{actor}.fsdp_config.optimizer_offload": config.verl.offload,
        f"{actor}.checkpoint.save_contents": ["model", "optimizer", "extra", "hf_model"],
    }
    if stage.loss == "dr_grpo":  # a constant, as in TRL; verl would divide by the longest row of each micro batch
        found[f"{actor}.loss_scale_factor"] = row
    reference = "actor_rollout_ref.ref"
    return found | {
        **_precision(f"{reference}.fsdp_config", config),
        f"{reference}.log_prob_micro_batch_size_per_gpu": stage.micro_batch,
        f"{reference}.fsdp_config.param_offload": config.verl.offload,
    }


def _precision(engine: str, config: TrainConfig) -> dict[str, Any]:
    """Number format of an FSDP engine; sums over cards are float32, and so are the weights that are trained.

    verl's own default is bfloat16, and its config lacks the section, which the plus adds.
    """
    chosen = {"param_dtype": DTYPES[config.compute.precision], "reduce_dtype": "fp32", "buffer_dtype": "fp32"}
    return {f"+{engine}.mixed_precision.{name}": value for name, value in chosen.items()}


def _rollout(config: TrainConfig, stage: GrpoStage, run: Path, row: int) -> dict[str, Any]:
    rollout = "actor_rollout_ref.rollout"
    return {
        f"{rollout}.name": "vllm",
        f"{rollout}.mode": "async",
        f"{rollout}.n": stage.members,
        f"{rollout}.temperature": stage.temperature,
        f"{rollout}.dtype": config.compute.precision,
        f"{rollout}.max_model_len": max(row, config.verl.prompt_tokens + 1),
        f"{rollout}.tensor_model_parallel_size": config.verl.tensor_parallel,
        f"{rollout}.gpu_memory_utilization": config.verl.memory_share,
        f"{rollout}.calculate_log_probs": True,
        f"{rollout}.log_prob_micro_batch_size_per_gpu": stage.micro_batch,
        f"{rollout}.seed": config.seed,
        f"{rollout}.agent.num_workers": config.verl.workers,
        f"{rollout}.agent.default_agent_loop": AGENT,
        f"{rollout}.agent.agent_loop_config_path": str(run / "agent_loop.yaml"),
    }


def _trainer(config: TrainConfig, stage: GrpoStage, run: Path) -> dict[str, Any]:
    return {
        "trainer.project_name": "maestro",
        "trainer.experiment_name": config.name,
        "trainer.nnodes": config.verl.nodes,
        "trainer.n_gpus_per_node": config.verl.gpus,
        "trainer.logger": ["console", "file"],
        "trainer.default_local_dir": str(run / "checkpoints"),
        "trainer.save_freq": config.checkpoint.every,
        "trainer.max_actor_ckpt_to_keep": config.checkpoint.keep,
        "trainer.test_freq": config.validation.every,
        "trainer.total_training_steps": stage.steps,
        "trainer.total_epochs": config.verl.epochs,
        "trainer.resume_mode": "auto",
        "reward.num_workers": 1,  # idle: the agent loop has scored its episodes
    }


def agent_loops(run: Path) -> list[Mapping[str, str]]:
    """What the file of verl's `agent_loop_config_path` says."""
    return [{"name": AGENT, "_target_": "maestro.train.verl.agent_loop.MaestroAgentLoop", "run": str(run.absolute())}]


def override(key: str, value: Any) -> str:
    """`key=value` in Hydra's grammar, whatever a path or a text has in it."""
    return f"{key}={_value(value)}"


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            # In quotes a backslash is itself, but for those before a quote; OmegaConf would resolve what stands between ${ and }.
            text = re.sub(r'(\\*)("|$)', lambda at: at[1] * 2 + (at[2] and '\\"'), value)
            return f'"{text.replace("${", chr(92) + "${")}"'
        case _:
            return f"[{','.join(map(_value, value))}]"
