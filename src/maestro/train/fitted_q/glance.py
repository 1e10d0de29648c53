"""Teaching a glance: what a question is about and what a picture looks like, from a source's teaching split.

What it teaches: the topic (the scene's category) from the question's words, and the look from the picture. What it does not
teach: anything about experts, answers or outcomes, which these scenes do not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from maestro.errors import ConfigError
from maestro.images import ImageStore
from maestro.policy.features import picture, question
from maestro.policy.features.glance import Glance
from maestro.policy.features.picture import picture_vector
from maestro.policy.features.question import question_vector
from maestro.tasks.source import TaughtTask

Array = NDArray[np.float32]
_EPOCHS, _BATCH, _DROPOUT = 30, 64, 0.2


@dataclass(frozen=True)
class Taught:
    """A glance, and the scale of the picture features it was taught with."""

    glance: Glance
    mean: Array
    scale: Array
    topic_accuracy: float
    """On the tenth of the scenes that was held out."""
    look_accuracy: float
    """Share of held-out scenes whose every look was named rightly."""


class _Head(nn.Module):  # type: ignore[misc]
    """Dropout, one hidden layer, logits."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.drop = nn.Dropout(_DROPOUT)
        self.into = nn.Linear(inputs, hidden)
        self.out = nn.Linear(hidden, outputs)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Logits (batch, outputs) of features (batch, inputs)."""
        logits: torch.Tensor = self.out(torch.relu(self.into(self.drop(features))))
        return logits


def teach_glance(scenes: Sequence[TaughtTask], images: ImageStore, seed: int, *, blank: bool = False, hidden: int = 96) -> Taught:
    """Fit both classifiers. Same seed, scenes and thread count: same weights. Raises ConfigError when there is no scene."""
    if not scenes:
        raise ConfigError("a glance is taught from the scenes of a task source's warm split, and there are none.")
    topics = sorted({scene.task.category for scene in scenes})
    looks = sorted({word for scene in scenes for word in scene.look.split()})
    questions = np.stack([question_vector(scene.task.question) for scene in scenes])
    seen = np.stack([_seen(scene, images, blank=blank) for scene in scenes])
    mean, scale = seen.mean(axis=0).astype(np.float32), (seen.std(axis=0) + 0.02).astype(np.float32)
    seen = np.clip((seen - mean) / scale, -4, 4).astype(np.float32)
    named = torch.tensor([topics.index(scene.task.category) for scene in scenes])
    shown = torch.tensor([[float(word in scene.look.split()) for word in looks] for scene in scenes])
    torch.manual_seed(seed)
    held = torch.arange(len(scenes)) % 10 == 9 if len(scenes) >= 20 else torch.zeros(len(scenes), dtype=torch.bool)
    topic = _fit(_Head(question.SIZE, hidden, len(topics)), torch.from_numpy(questions), named, held, nn.CrossEntropyLoss())
    look = _fit(_Head(picture.SIZE, hidden, len(looks)), torch.from_numpy(seen), shown, held, nn.BCEWithLogitsLoss())
    checked = held if bool(held.any()) else ~held
    with torch.no_grad():
        right = (topic(torch.from_numpy(questions)[checked]).argmax(1) == named[checked]).float().mean()
        same = ((look(torch.from_numpy(seen)[checked]) > 0) == (shown[checked] > 0)).all(1).float().mean()
    return Taught(_glance(topic, look), mean, scale, float(right), float(same))


def _fit(head: _Head, features: torch.Tensor, labels: torch.Tensor, held: torch.Tensor, loss: nn.Module) -> _Head:
    """Train a head on what is not held out."""
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=1e-2)
    rows = torch.nonzero(~held).flatten()
    head.train()
    for _ in range(_EPOCHS):
        shuffled = rows[torch.randperm(len(rows))]
        for start in range(0, len(shuffled), _BATCH):
            part = shuffled[start : start + _BATCH]
            optimizer.zero_grad()
            loss(head(features[part]), labels[part]).backward()
            optimizer.step()
    head.eval()
    return head


def _glance(topic: _Head, look: _Head) -> Glance:
    def array(parameter: torch.Tensor) -> Array:
        return np.ascontiguousarray(parameter.detach().numpy().T, dtype=np.float32)

    weights = [array(layer) for head in (topic, look) for layer in (head.into.weight, head.into.bias, head.out.weight, head.out.bias)]
    return Glance(**dict(zip(Glance.names(), weights, strict=True)))


def _seen(scene: TaughtTask, images: ImageStore, *, blank: bool) -> Array:
    return picture_vector(None if blank or not scene.task.images else images.pixels(scene.task.images[0]))
