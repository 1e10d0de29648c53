"""The reading policy's network while it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from maestro.policy.reading.network import ReadingNetwork
from maestro.policy.reading.situation import CALL, STATE

Array = NDArray[np.float32]
MEMORY = 0.99
"""Of the running average of a network's weights, per step."""


@dataclass(frozen=True)
class Batch:
    """Situations and the calls open in them."""

    fixed: torch.Tensor
    """(situations, question + picture)"""
    glance: torch.Tensor
    state: torch.Tensor
    """(situations, STATE)"""
    calls: torch.Tensor
    """(calls, CALL)"""
    owner: torch.Tensor
    """(calls,): the situation that each is open in"""


class ReadingModule(nn.Module):  # type: ignore[misc]
    """Layers in the shapes of `ReadingNetwork`."""

    def __init__(self, inputs: int, opinions: int, answers: int, sizes: tuple[int, int, int, int], dropout: float) -> None:
        """`sizes`: embedding, trunk, middle, narrow."""
        super().__init__()
        embedding, trunk, middle, narrow = sizes
        self.drop = nn.Dropout(dropout)
        self.embed = nn.Linear(inputs, embedding)
        self.trunk = nn.Linear(embedding + opinions + STATE, trunk)
        self.answer = nn.Linear(trunk, middle)
        self.answer_out = nn.Linear(middle, answers)
        self.meet = nn.Linear(trunk, middle)
        self.call = nn.Linear(CALL, middle, bias=False)
        self.narrow = nn.Linear(middle, narrow)
        self.value = nn.Linear(narrow, 1)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Values (situations, answers) and (calls,)."""
        embedded = torch.relu(self.embed(self.drop(batch.fixed)))
        hidden = torch.relu(self.trunk(torch.cat([embedded, batch.glance, batch.state], dim=1)))
        answers: torch.Tensor = self.answer_out(torch.relu(self.answer(hidden)))
        met = torch.relu(self.meet(hidden)[batch.owner] + self.call(batch.calls))
        calls: torch.Tensor = self.value(torch.relu(self.narrow(met))).squeeze(1)
        return answers, calls


class ReadingLearner:
    """One network and what it needs to learn; values come from the averaged weights."""

    def __init__(self, module: ReadingModule, lr: float, weight_decay: float) -> None:
        self.module = module
        self.optimizer = torch.optim.AdamW(module.parameters(), lr=lr, weight_decay=weight_decay)
        self.average = AveragedModel(module, multi_avg_fn=get_ema_multi_avg_fn(MEMORY))

    def values(self, batch: Batch) -> tuple[Array, Array]:
        """Values (situations, answers) and (calls,)."""
        steady: Any = self.average.module.eval()
        with torch.no_grad():
            answers, calls = steady(batch)
        return np.asarray(answers.numpy(), dtype=np.float32), np.asarray(calls.numpy(), dtype=np.float32)

    def fit(self, batch: Batch, targets: tuple[torch.Tensor, torch.Tensor], weights: tuple[torch.Tensor, torch.Tensor]) -> float:
        """One step of weighted least squares on answers (situations, answers) and calls (calls,); the loss."""
        self.module.train()
        found = self.module(batch)
        errors = sum(((value - target) ** 2 * weight).sum() for value, target, weight in zip(found, targets, weights, strict=True))
        loss = errors / (weights[0].sum() + weights[1].sum())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.average.update_parameters(self.module)
        return float(loss.detach())

    def network(self) -> ReadingNetwork:
        """The averaged weights as arrays."""
        steady: Any = self.average.module

        def array(parameter: torch.Tensor) -> Array:
            return np.ascontiguousarray(parameter.detach().numpy().T, dtype=np.float32)

        layers: dict[str, Array] = {}
        for name in ("embed", "trunk", "answer", "answer_out", "meet", "call", "narrow", "value"):
            layer = getattr(steady, name)
            layers[name] = array(layer.weight)
            if layer.bias is not None:
                layers[f"{name}_bias"] = array(layer.bias)
        return ReadingNetwork(**layers)
