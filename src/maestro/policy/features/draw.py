"""Taking one of several valued actions: the best, or a repeatable draw."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def choose(values: NDArray[np.float32], temperature: float, key: str) -> int:
    """Place of the highest value, or with a `temperature` above 0 of a draw from softmax(value / temperature) that `key` alone decides."""
    if temperature <= 0:
        return int(values.argmax())
    logits = values / temperature
    chances = np.exp(logits - logits.max())
    draw = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
    return int(np.searchsorted(np.cumsum(chances / chances.sum()), draw).clip(0, len(values) - 1))
