"""Randomness without state: every draw comes from a generator seeded with what it is for.

A step that seeds itself needs nothing saved, so a resumed run repeats exactly what an uninterrupted one does.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np


def number(*parts: object) -> int:
    """A 63-bit seed from any labelled place, for example `number(seed, "grpo", step)`."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:8], "big") >> 1


def generator(*parts: object) -> random.Random:
    """A Python generator for one labelled place."""
    return random.Random(number(*parts))


def seed_all(*parts: object) -> None:
    """Set the global generators of Python, numpy and torch, for code that draws from them (dropout, TRL's shuffling)."""
    import torch

    value = number(*parts)
    random.seed(value)
    np.random.seed(value % 2**32)  # noqa: NPY002 (libraries draw from the global state)
    torch.manual_seed(value)
