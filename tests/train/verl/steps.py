"""Two GRPO steps of verl on a CPU: its agent loop worker under Ray, our advantages, its FSDP2 update, weights back to the policy.

Run in a process of its own (`python -m tests.train.verl.steps RUN POLICY`), because verl changes the classes of models; prints JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import ray
import torch
from hydra import compose, initialize_config_module
from verl import DataProto
from verl.experimental.agent_loop.agent_loop import AgentLoopWorker
from verl.trainer.ppo.ray_trainer import compute_advantage
from verl.utils import tensordict_utils as tu
from verl.workers.engine_workers import ActorRolloutRefWorker
from verl.workers.utils.padding import left_right_2_no_padding, no_padding_2_padding

from maestro.config import load_config
from maestro.train.config.run import TrainConfig
from maestro.train.verl.names import ESTIMATOR
from maestro.train.verl.overrides import overrides
from maestro.train.verl.rows import pictures, read_row
from tests.train.verl.in_process_server import Client, ModelServer, arrays
from tests.train.verl.on_cpu import OVERRIDES


def main(run: Path, policy: Path, steps: int = 2) -> None:
    """Print what the steps did."""
    settings = load_config(TrainConfig, run / "config.yaml")
    with initialize_config_module("verl.trainer.config", version_base=None):
        config = compose("ppo_trainer", overrides=[*overrides(settings, run), *OVERRIDES])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    server = ModelServer.remote(str(policy))
    worker = ray.remote(AgentLoopWorker).remote(config, Client(server))
    trainer = ActorRolloutRefWorker(config.actor_rollout_ref, role="actor")
    trainer.init_model()
    rows = read(run)
    found = [step(config, number, rows, worker, server, trainer, pictures(run)) for number in range(steps)]
    sys.stdout.write("RESULT " + json.dumps(found) + "\n")
    ray.shutdown()


def read(run: Path) -> list[dict]:
    """The rows of the training data."""
    from pyarrow import parquet

    return parquet.read_table(run / "data" / "train.parquet").to_pylist()


def step(config, number, rows, worker, server, trainer, images) -> dict:
    """One step on every row."""
    members = config.actor_rollout_ref.rollout.n
    repeated = [row for row in rows for _ in range(members)]
    fields = {
        "raw_prompt": [row["prompt"] for row in repeated],
        "task": [row["task"] for row in repeated],
        "agent_name": [row["agent_name"] for row in repeated],
        "uid": [row["extra_info"]["task_id"] for row in repeated],
        "session_id": [index % members for index in range(len(repeated))],
        "global_steps": [number] * len(repeated),
    }
    asked = DataProto(
        non_tensor_batch={key: np.array(value, dtype=object) for key, value in fields.items()}, meta_info={"global_steps": number}
    )
    batch = ray.get(worker.generate_sequences.remote(asked))
    batch.meta_info = {"temperature": 1.0, "global_token_num": batch.batch["attention_mask"].sum(-1).tolist()}
    old, taught = scored(batch, trainer), batch.batch["response_mask"].bool()
    drift = (old - batch.batch["rollout_log_probs"])[taught].abs().max().item()
    unlike = (scored(inverted(batch), trainer) - old)[taught].abs().max().item()
    batch.batch["old_log_probs"] = old
    batch.batch["token_level_scores"] = batch.batch["token_level_rewards"] = batch.batch["rm_scores"]
    batch = compute_advantage(batch, ESTIMATOR, norm_adv_by_std_in_grpo=True, config=config.algorithm)
    metrics = update(config, batch, trainer)
    moved = (scored(batch, trainer) - old)[taught].abs().max().item()
    hand_back(trainer, server)
    return {
        "episodes": len(batch),
        "taught": int(taught.any(-1).sum()),
        "with_pictures": sum(bool(inputs) for inputs in batch.non_tensor_batch.get("multi_modal_inputs", [])),
        "position_rows": batch.batch["position_ids"].dim(),
        "drift": drift,
        "inverted_picture": unlike,
        "moved": moved,
        "grad_norm": float(np.mean(metrics["grad_norm"])),
        "advantage_sums": sums(batch, members),
        "rewards": batch.batch["rm_scores"].sum(-1).tolist(),
        "served_drift": served_drift(batch, trainer, server, images),
        "moved_by_a_lost_step": lost(config, batch, trainer) if number else None,
        "numbers": sorted(batch.non_tensor_batch["reward_extra_info"][0]),
    }


def scored(batch: DataProto, trainer) -> torch.Tensor:
    """Log-probs of the responses by the actor, padded like them."""
    data = left_right_2_no_padding(batch.select(deepcopy=True).to_tensordict())
    tu.assign_non_tensor(data, calculate_entropy=False, compute_loss=False, temperature=1.0)
    return no_padding_2_padding(tu.get(trainer.compute_log_prob(data), "log_probs"), data).float()


def update(config, batch: DataProto, trainer) -> dict:
    """One optimiser step on the whole batch."""
    data = left_right_2_no_padding(batch.to_tensordict())
    size = len(batch)
    tu.assign_non_tensor(
        data,
        calculate_entropy=True,
        distillation_use_topk=False,
        distillation_only=False,
        global_batch_size=size,
        mini_batch_size=size,
        epochs=1,
        seed=1,
        dataloader_kwargs={"shuffle": False},
        compute_loss=True,
        temperature=1.0,
    )
    return tu.get(trainer.update_actor(data), "metrics")


def lost(config, batch: DataProto, trainer) -> float:
    """How far an update moves the weights when infrastructure broke every episode of its step, after steps that left momentum behind."""
    masked = batch.select(deepcopy=True)
    masked.meta_info = batch.meta_info
    for name in ("response_mask", "advantages", "returns"):
        masked.batch[name] = torch.zeros_like(masked.batch[name])
    before = held(trainer)
    update(config, masked, trainer)
    return max((after - before[name]).abs().max().item() for name, after in held(trainer).items())


def held(trainer) -> dict[str, torch.Tensor]:
    """A copy of the actor's weights."""
    found = trainer.actor.engine.get_per_tensor_param()
    return {name: torch.from_numpy(weight).clone() for name, weight in arrays(found[0] if isinstance(found, tuple) else found).items()}


def inverted(batch: DataProto) -> DataProto:
    """The same rows over pictures with light and dark exchanged."""
    other = batch.select(deepcopy=True)
    for inputs in other.non_tensor_batch["multi_modal_inputs"]:
        inputs["pixel_values"] = -inputs["pixel_values"]
    return other


def hand_back(trainer, server) -> None:
    """The actor's weights to the server that samples."""
    found = trainer.actor.engine.get_per_tensor_param()
    missing = ray.get(server.load.remote(arrays(found[0] if isinstance(found, tuple) else found), None))
    if any("lm_head" not in name for name in missing):
        raise RuntimeError(f"the actor's weights do not fit the policy: {missing}")


def served_drift(batch: DataProto, trainer, server, images) -> float:
    """How far the server is from the actor after it got the weights, on the first taught row."""
    row = int(batch.batch["response_mask"].any(-1).int().argmax())
    new = scored(batch, trainer)[row]
    inside = batch.batch["attention_mask"][row].bool()
    width = batch.batch["prompts"].shape[1]
    prompt = batch.batch["input_ids"][row, :width][inside[:width]].tolist()
    response = batch.batch["responses"][row][inside[width:]].tolist()
    task, _ = read_row({"task": batch.non_tensor_batch["task"][row]})
    shown = [images.pixels(name) for name in task.images]
    served = torch.tensor(ray.get(server.logprobs.remote(prompt, response, shown)))
    mask = batch.batch["response_mask"][row, : len(response)].bool()
    return (served - new[: len(response)])[mask].abs().max().item()


def sums(batch: DataProto, members: int) -> list[float]:
    """Of each group's advantages, one a member."""
    each = batch.batch["advantages"].sum(-1) / batch.batch["response_mask"].sum(-1).clamp(min=1)
    return each.view(-1, members).sum(-1).tolist()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
