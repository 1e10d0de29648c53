"""Two GRPO steps of verl on a CPU: its agent loop worker under Ray, our advantages, its FSDP2 update, weights back to the policy.

Run in a process of its own (`python -m tests.train.verl.steps RUN POLICY`), because verl changes the classes of models; prints JSON.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
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
from maestro.images import ImageStore
from maestro.policy.local_model import load_model, save_model
from maestro.train.config import TrainConfig
from maestro.train.verl.advantage_name import ESTIMATOR
from maestro.train.verl.overrides import overrides
from tests.train.verl.in_process_server import Client, ModelServer

ON_CPU = (
    "+actor_rollout_ref.actor.fsdp_config.mixed_precision={param_dtype:fp32,reduce_dtype:fp32,buffer_dtype:fp32}",
    "actor_rollout_ref.actor.use_torch_compile=false",
    "actor_rollout_ref.actor.fsdp_config.use_torch_compile=false",
    "actor_rollout_ref.model.use_remove_padding=false",
    "+actor_rollout_ref.model.override_config.attn_implementation=sdpa",
    "trainer.device=cpu",
)


def main(run: Path, policy: Path, steps: int = 2) -> None:
    """Print what the steps did."""
    settings = load_config(TrainConfig, run / "config.yaml")
    with initialize_config_module("verl.trainer.config", version_base=None):
        config = compose("ppo_trainer", overrides=[*overrides(settings, run), *ON_CPU])
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    server = ModelServer.remote(str(policy))
    worker = ray.remote(AgentLoopWorker).remote(config, Client(server))
    torch.distributed.init_process_group("gloo", rank=0, world_size=1)  # verl would ask for gloo twice, once for each device
    trainer = ActorRolloutRefWorker(config.actor_rollout_ref, role="actor")
    trainer.init_model()
    rows = read(run)
    found = [step(config, number, rows, worker, server, trainer, policy) for number in range(steps)]
    sys.stdout.write("RESULT " + json.dumps(found) + "\n")
    ray.shutdown()


def read(run: Path) -> list[dict]:
    """The rows of the training data."""
    from pyarrow import parquet

    return parquet.read_table(run / "data" / "train.parquet").to_pylist()


def step(config, number, rows, worker, server, trainer, policy) -> dict:
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
    batch.batch["old_log_probs"] = old
    batch.batch["token_level_scores"] = batch.batch["token_level_rewards"] = batch.batch["rm_scores"]
    batch = compute_advantage(batch, ESTIMATOR, norm_adv_by_std_in_grpo=True, config=config.algorithm)
    metrics = update(config, batch, trainer)
    moved = (scored(batch, trainer) - old)[taught].abs().max().item()
    hand_back(trainer, server, policy)
    return {
        "episodes": len(batch),
        "taught": int(taught.any(-1).sum()),
        "with_pictures": sum(bool(inputs) for inputs in batch.non_tensor_batch.get("multi_modal_inputs", [])),
        "position_rows": batch.batch["position_ids"].dim(),
        "drift": drift,
        "moved": moved,
        "grad_norm": float(np.mean(metrics["grad_norm"])),
        "advantage_sums": sums(batch, members),
        "rewards": batch.batch["rm_scores"].sum(-1).tolist(),
        "served_drift": served_drift(batch, trainer, server),
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


def hand_back(trainer, server, policy: Path) -> None:
    """The actor's weights to the server that samples."""
    found = trainer.actor.engine.get_per_tensor_param()
    weights = {
        name: tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
        for name, tensor in (found[0] if isinstance(found, tuple) else found)
    }
    model, processor = load_model(policy)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    if unexpected or any("lm_head" not in name for name in missing):
        raise RuntimeError(f"the actor's weights do not fit the policy: {missing}, {unexpected}")
    with tempfile.TemporaryDirectory() as folder:
        save_model(model, processor, Path(folder))
        ray.get(server.load.remote(folder))


def served_drift(batch: DataProto, trainer, server) -> float:
    """How far the server is from the actor after it got the weights, on the first taught row."""
    row = int(batch.batch["response_mask"].any(-1).int().argmax())
    new = scored(batch, trainer)[row]
    inside = batch.batch["attention_mask"][row].bool()
    width = batch.batch["prompts"].shape[1]
    prompt = batch.batch["input_ids"][row, :width][inside[:width]].tolist()
    response = batch.batch["responses"][row][inside[width:]].tolist()
    store = ImageStore()
    task = json.loads(batch.non_tensor_batch["task"][row])
    pictures = [store.pixels(store.put(base64.b64decode(data))) for data in task["pictures"].values()]
    served = torch.tensor(ray.get(server.logprobs.remote(prompt, response, pictures)))
    mask = batch.batch["response_mask"][row, : len(response)].bool()
    return (served - new[: len(response)])[mask].abs().max().item()


def sums(batch: DataProto, members: int) -> list[float]:
    """Of each group's advantages, one a member."""
    each = batch.batch["advantages"].sum(-1) / batch.batch["response_mask"].sum(-1).clamp(min=1)
    return each.view(-1, members).sum(-1).tolist()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
