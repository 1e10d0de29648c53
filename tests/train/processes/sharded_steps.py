"""Steps on a sharded twin, beside the plain steps that they should equal: `python -m torch.distributed.run --nproc-per-node 2 THIS OUT`.

The first process has a picture, the others have none. Writes OUT with what the first process found.
"""

import copy
import json
import sys
from pathlib import Path

import torch
from torch import distributed

import maestro.ensembles.playground as playground
from maestro.policy.local_model import load_model
from maestro.train.config.run import OptimizerConfig
from maestro.train.processes.sharded_weights import ShardedWeights
from maestro.train.supervised import build_optimizer

STEPS = 3
SETTINGS = OptimizerConfig(lr=1e-3, warmup_steps=1)


def batches(model, count):
    """One batch a process, of the same sizes: text with a picture for the first, text alone for the others."""
    image, size = model.config.image_token_id, model.config.vision_config
    made = []
    for rank in range(count):
        torch.manual_seed(rank)
        ids = torch.randint(10, 200, (2, 24))
        ids[ids == image] = 9
        batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if rank == 0:
            side = 2 * size.spatial_merge_size
            ids[:, 2:6] = image
            patch = size.in_channels * size.temporal_patch_size * size.patch_size**2
            batch |= {"pixel_values": torch.randn(2 * side * side, patch), "image_grid_thw": torch.tensor([[1, side, side]] * 2)}
            batch["mm_token_type_ids"] = (ids == image).int()
        made.append(batch)
    return made


def loss(model, batch):
    """Mean negative log-likelihood of the next token."""
    logits = model(**batch).logits.float()
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), batch["input_ids"][:, 1:].flatten())


def plain(model, data):
    """Steps on the mean over all batches, in this process alone."""
    optimizer, schedule = build_optimizer(model, SETTINGS, STEPS)
    for _ in range(STEPS):
        for batch in data:
            (loss(model, batch) / len(data)).backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)


def sharded(twin, data, *, cut_after):
    """The same with each process on its own batch; after `cut_after` steps state and weights go through a file's form into a new twin."""
    optimizer, schedule = build_optimizer(twin.trained, SETTINGS, STEPS)
    for step in range(STEPS):
        if step == cut_after:
            states = [twin.state(optimizer)]
            distributed.broadcast_object_list(states)
            twin = ShardedWeights(twin.whole, distributed.get_world_size())
            kept = schedule.state_dict()
            optimizer, schedule = build_optimizer(twin.trained, SETTINGS, STEPS)
            twin.restore(optimizer, states[0])
            schedule.load_state_dict(kept)
        loss(twin.trained, data[distributed.get_rank()]).backward()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        twin.refresh()
    return twin


def apart(one, other):
    """Largest difference of two models' weights."""
    return max(float((a - b).detach().abs().max()) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def main():
    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    start, _ = load_model(Path(playground.__file__).parent / "maestro-mini-vl")
    data = batches(start, distributed.get_world_size())
    alone, whole, cut = (copy.deepcopy(start) for _ in range(3))
    plain(alone, data)
    twin = sharded(ShardedWeights(whole, distributed.get_world_size()), data, cut_after=None)
    again = sharded(ShardedWeights(cut, distributed.get_world_size()), data, cut_after=2)
    mine = sum(parameter.to_local().numel() for parameter in twin.trained.parameters())
    found = {
        "moved": apart(alone, start),
        "apart": apart(alone, whole),
        "cut": apart(again.whole, whole),
        "share": mine / sum(parameter.numel() for parameter in start.parameters()),
    }
    if distributed.get_rank() == 0:
        Path(sys.argv[1]).write_text(json.dumps(found))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
