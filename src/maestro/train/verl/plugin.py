"""What every process that imports verl gets of ours: advantages, policy loss, and what lets verl live beside our other pins.

verl loads the entry points of the group `verl.plugins` at the end of its own import, also in the Ray workers of other machines.
"""

from __future__ import annotations

import importlib.util
import os
from types import ModuleType

from verl.utils import import_utils

from maestro.policy.local_torchvision import install


def hide_trl(of: ModuleType) -> None:
    """Let verl take TRL for absent where that lacks the critic's value head, which verl would patch (TRL 1.16 does)."""
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # looking for a module imports what is above it
    try:
        value_head = importlib.util.find_spec("trl.experimental.ppo")
    except ModuleNotFoundError:
        return  # no TRL at all
    if value_head is None:
        vars(of)["is_trl_available"] = lambda: False


install()
hide_trl(import_utils)

from maestro.train.verl import advantage, policy_loss  # noqa: E402 (verl's algorithms import torchvision)

__all__ = ["advantage", "policy_loss"]
