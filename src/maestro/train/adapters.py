"""Low-rank adapters in a policy's model: put in, saved, taken up, and merged into what is handed over (PEFT)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from maestro.errors import CheckpointError, ConfigError
from maestro.train.config.lora import LoraConfig

FOLDER = "adapter"
"""Of a checkpoint: the adapters alone, in PEFT's layout."""
_NAME = "default"


class Adapters:
    """The adapters of one model, which computes with them from now on; only they are trained.

    The model stays the object it was, so that sampling needs to know nothing of adapters; `wrapped` is what a trainer takes.
    """

    def __init__(self, model: Any, config: LoraConfig, seed: int) -> None:
        """Raises ConfigError when no linear layer has one of the names."""
        import peft

        linear = sorted({name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)})
        if unknown := [name for name in config.targets if name not in linear]:
            raise ConfigError(f"policy.lora.targets: no linear layer is called {', '.join(unknown)}; there are {', '.join(linear)}.")
        settings = peft.LoraConfig(r=config.rank, lora_alpha=config.alpha, target_modules=list(config.targets), lora_dropout=0.0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed % 2**63)
            self.wrapped = peft.get_peft_model(model, settings)
        self.model = model

    def save(self, folder: Path) -> None:
        """Write the adapters alone."""
        self.wrapped.save_pretrained(folder / FOLDER)

    def load(self, folder: Path) -> None:
        """Take up adapters that `save` wrote. Raises CheckpointError."""
        from peft import set_peft_model_state_dict
        from safetensors.torch import load_file

        file = folder / FOLDER / "adapter_model.safetensors"
        if not file.is_file():
            raise CheckpointError(f"{folder} has no adapters ({file.name}); the run was begun without policy.lora.")
        set_peft_model_state_dict(self.wrapped, load_file(str(file)))

    def merged(self) -> dict[str, torch.Tensor]:
        """The weights of the plain model with every adapter added to its layer; the model itself is left alone."""
        from peft.tuners.lora import LoraLayer

        added = {name: module for name, module in self.model.named_modules() if isinstance(module, LoraLayer)}
        weights: dict[str, torch.Tensor] = {}
        with torch.no_grad():
            for name, tensor in self.model.state_dict().items():
                layer, _, rest = name.partition(".base_layer.")
                if layer in added and rest == "weight":
                    weights[f"{layer}.weight"] = (tensor.float() + added[layer].get_delta_weight(_NAME).float()).to(tensor.dtype)
                elif layer in added and rest:
                    weights[f"{layer}.{rest}"] = tensor
                elif ".lora_" not in name:
                    weights[name] = tensor
        return weights
