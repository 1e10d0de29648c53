"""Weights, gradients and optimiser state cut up among the processes that train together (FSDP2), beside a whole copy that samples.

A policy in the training process decides token by token, each process for other episodes, which needs whole weights; an update goes
through all layers in step, which does not. So the policy keeps its own model, the trainer gets a sharded twin, and after
every update the twin's weights are gathered back, a tensor at a time.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import torch
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_optimizer_state_dict, set_optimizer_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor


class ShardedWeights:
    """A sharded twin of a policy's model; every method but `adopt` is called by all processes together."""

    def __init__(self, whole: torch.nn.Module, processes: int) -> None:
        """`whole` is the same on every process; it stays as it is, and is what `refresh` writes into."""
        self.whole = whole
        self.trained = copy.deepcopy(whole)
        mesh = init_device_mesh(next(whole.parameters()).device.type, (processes,))
        blocks = set(getattr(whole, "_no_split_modules", None) or ())
        for module in self.trained.modules():
            if type(module).__name__ in blocks:
                fully_shard(module, mesh=mesh)
        fully_shard(self.trained, mesh=mesh)
        self.trained.register_forward_pre_hook(self._look_at_nothing, with_kwargs=True)
        self.trained.model.language_model.register_forward_pre_hook(self._add_nothing, with_kwargs=True)
        self._nothing: torch.Tensor | None = None

    def adopt(self, trainer: Any) -> None:
        """Make Accelerate leave the twin as it is, but for mixed precision: it would wrap it once more, to copy whole gradients."""
        accelerator = trainer.accelerator
        accelerator.prepare_model = partial(accelerator.prepare_model, evaluation_mode=True)
        clip = accelerator.clip_grad_norm_

        def clipped(*args: Any, **named: Any) -> torch.Tensor:
            norm = clip(*args, **named)
            return norm.full_tensor() if isinstance(norm, DTensor) else norm

        accelerator.clip_grad_norm_ = clipped

    def refresh(self) -> None:
        """Write the twin's weights into the whole model."""
        with torch.no_grad():
            for ours, theirs in zip(self.whole.parameters(), self.trained.parameters(), strict=True):
                if theirs.requires_grad:
                    ours.copy_(theirs.full_tensor() if isinstance(theirs, DTensor) else theirs)

    def state(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """The whole state of the twin's optimiser, by the names of weights: on the first process, nothing on the others."""
        options = StateDictOptions(full_state_dict=True, cpu_offload=True)
        return dict(get_optimizer_state_dict(self.trained, optimizer, options=options))

    def restore(self, optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
        """Take up a whole state, which every process has read; into as many shards as there are now."""
        set_optimizer_state_dict(self.trained, optimizer, state, options=StateDictOptions(full_state_dict=True))

    def _look_at_nothing(self, model: Any, _arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Look at a blank where a batch has no picture: a layer that one process passes through, all have to pass through."""
        self._nothing = None
        if named.get("pixel_values") is None:
            tower = model.model.visual
            side = tower.spatial_merge_size
            weight = tower.patch_embed.proj.weight
            blank = torch.zeros(side * side, weight[0].numel(), device=weight.device, dtype=weight.dtype)
            seen = tower(blank, grid_thw=torch.tensor([[1, side, side]], device=weight.device))
            self._nothing = 0.0 * (seen.pooler_output.sum() + sum(layer.sum() for layer in seen.deepstack_features))

    def _add_nothing(self, _model: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Let what was not seen take part in the backward pass, where it changes nothing."""
        if self._nothing is not None:
            named = {**named, "inputs_embeds": named["inputs_embeds"] + self._nothing}
        return arguments, named
