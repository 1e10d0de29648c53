"""What every process that imports verl gets of ours: the advantage estimator, and torchvision where torch has no CUDA.

verl loads the entry points of the group `verl.plugins` at the end of its own import, also in the Ray workers of other machines.
"""

from __future__ import annotations

from maestro.policy.local_torchvision import install

install()

from maestro.train.verl import advantage  # noqa: E402 (verl's algorithms import torchvision)

__all__ = ["advantage"]
