"""A value network while it learns: weights, their running average, and the optimiser."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from maestro.policy.features.network import Network
from maestro.train.fitted_q.glance import Taught

Array = NDArray[np.float32]
Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Question and picture (batch, inputs), glance (batch, opinions), history (batch, numbers)."""

MEMORY = 0.995
"""Of the running average of a network's weights, per step. The maximum over noisy values is too high; the average has less noise."""


class ValueNetwork(nn.Module):  # type: ignore[misc]
    """An embedding of question and picture, then two hidden layers over (embedding, glance, history)."""

    def __init__(
        self, inputs: int, embedding: int, opinions: int, history: int, hidden: tuple[int, int], actions: int, dropout: float
    ) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.embed = nn.Linear(inputs, embedding)
        self.into = nn.Linear(embedding + opinions + history, hidden[0])
        self.middle = nn.Linear(hidden[0], hidden[1])
        self.out = nn.Linear(hidden[1], actions)

    def forward(self, fixed: torch.Tensor, glance: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        """Values (batch, actions)."""
        embedded = torch.relu(self.embed(self.drop(fixed)))
        hidden = torch.relu(self.into(torch.cat([embedded, glance, history], dim=1)))
        values: torch.Tensor = self.out(torch.relu(self.middle(hidden)))
        return values


class Learner:
    """One network and what it needs to learn; values come from the averaged weights."""

    def __init__(self, network: ValueNetwork, lr: float, weight_decay: float) -> None:
        self.network = network
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=weight_decay)
        self._average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(MEMORY))

    def values(self, inputs: Inputs) -> Array:
        """Values (batch, actions)."""
        steady = self._average.module.eval()
        with torch.no_grad():
            return np.asarray(steady(*inputs).numpy(), dtype=np.float32)

    def fit(self, inputs: Inputs, targets: torch.Tensor, weights: torch.Tensor) -> float:
        """One step of weighted least squares; the loss."""
        self.network.train()
        loss = ((self.network(*inputs) - targets) ** 2 * weights).sum() / weights.sum()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self._average.update_parameters(self.network)
        return float(loss.detach())

    def network_of(self, taught: Taught) -> Network:
        """The averaged weights as arrays, behind a glance."""
        steady = self._average.module

        def array(parameter: torch.Tensor) -> Array:
            return np.ascontiguousarray(parameter.detach().numpy().T, dtype=np.float32)

        layers = {
            name: array(value)
            for layer in ("embed", "into", "middle", "out")
            for name, value in ((layer, getattr(steady, layer).weight), (f"{layer}_bias", getattr(steady, layer).bias))
        }
        return Network(glance=taught.glance, mean=taught.mean, scale=taught.scale, **layers)

    def state(self) -> dict[str, Any]:
        """Everything that learning changes."""
        return {part: getattr(self, name).state_dict() for part, name in _PARTS.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for part, name in _PARTS.items():
            getattr(self, name).load_state_dict(state[part])


_PARTS = {"network": "network", "optimizer": "_optimizer", "average": "_average"}
