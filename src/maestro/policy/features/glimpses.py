"""Pictures as features, each computed once while it is among the last used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maestro.images import ImageStore
from maestro.policy.features.picture import picture_vector

_REMEMBERED = 4096
"""Pictures whose features are kept, about a kilobyte each."""


class Glimpses:
    """Features of the pictures of a store."""

    def __init__(self, images: ImageStore) -> None:
        self._images = images
        self._seen: dict[str, NDArray[np.float32]] = {}

    def of(self, name: str | None) -> NDArray[np.float32]:
        """Features of an image by hash; None is no picture. Raises what `ImageStore.pixels` raises."""
        if name is None:
            return picture_vector(None)
        if name not in self._seen:
            if len(self._seen) >= _REMEMBERED:
                self._seen.pop(next(iter(self._seen)))
            self._seen[name] = picture_vector(self._images.pixels(name))
        return self._seen[name]
